"""The pages of what was kept aside in a browser: no barrier, nothing cut off, decided by keyboard alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlmodel import select

from server.app import create_app
from server.migrations import migrate
from server.quarantine.actions import propose
from server.quarantine.tables import ProposalRow
from shared.accounts import Role
from shared.texts import LANGUAGES
from tests.console.looks import barriers, cookie, is_turn, sit_down, too_wide, visitor
from tests.console.seeding import served
from tests.server.conftest import Clock, World, an_office, found
from tests.server.test_quarantine_pages import Scene


@dataclass
class Held:
    """An office with one frame kept aside and one tablet stopped."""

    scene: Scene
    address: str


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    folder: Path = tmp_path_factory.mktemp("office")
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    office, clock = an_office(url, folder), Clock()
    world = World(office, clock, found(office, clock), create_app(clock=clock, office=office))
    members = [world.person(Role.NPM_MEMBER) for _ in range(2)]
    scene = Scene(world, (*(world.tablet(each) for each in members), world.visit(*members)))
    scene.one.nonce = "old"
    for _ in range(2):
        scene.one.sync()
    with served(world) as address:
        yield Held(scene, address)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_of_quarantine_has_a_barrier_or_overflows(browser: Browser, held: Held, language: str) -> None:
    scene = held.scene
    wrong = {}
    context = browser.new_context()
    page = context.new_page()
    for number, (person, hat, path) in enumerate((
        (scene.officer, Role.CENTRE_OFFICER, "/quarantine"),
        (scene.officer, Role.CENTRE_OFFICER, f"/quarantine/{scene.head}"),
        (scene.world.founded.admin, Role.ADMIN, "/quarantine"),
    )):  # fmt: skip
        sit_down(context, held.address, cookie(scene.world, person, hat, language))
        assert page.goto(held.address + path).status == 200, path
        found_ = [*too_wide(page), *(barriers(page) if is_turn(number, language) else ())]
        if found_:
            wrong[path] = found_
    context.close()
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)


def test_an_officer_proposes_by_keyboard(browser: Browser, held: Held) -> None:
    scene = held.scene
    context = visitor(browser, held.address, scene.world, scene.officer, Role.CENTRE_OFFICER, "en")
    page = context.new_page()
    page.goto(f"{held.address}/quarantine/{scene.head}")
    page.locator("input[name=outcome]").first.focus()
    assert page.locator("input[name=outcome]:checked").count() == 0, "what cannot be taken back is nobody's default"
    page.locator("#reason").fill("the bag was found")
    page.get_by_role("button", name="Propose").click()
    assert page.evaluate("document.activeElement.className") == "errsum"
    assert page.locator("#reason").input_value() == "the bag was found"
    page.get_by_role("link", name="Choose what becomes of it").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "reason"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Proposed. A second person answers.").wait_for()
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_open_proposal_stands_before_whoever_made_it_and_whoever_answers(
    browser: Browser, held: Held, language: str
) -> None:
    scene = held.scene
    with scene.world.office.database.write() as session:
        if not session.exec(select(ProposalRow)).first():
            propose(session, scene.officer, scene.head, "taken_in", "the bag was found", scene.world.now)
    context = browser.new_context()
    page = context.new_page()
    wrong = {}
    for person, hat in ((scene.officer, Role.CENTRE_OFFICER), (scene.leader, Role.NPM_MEMBER)):
        sit_down(context, held.address, cookie(scene.world, person, hat, language))
        assert page.goto(f"{held.address}/quarantine/{scene.head}").status == 200
        assert "the bag was found" in page.inner_text("main")
        assert page.locator("button[value=confirm]").count() == (person == scene.leader)
        found_ = [*too_wide(page), *(barriers(page) if language == "ru" else ())]
        if found_:
            wrong[hat.value] = found_
    context.close()
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)
