"""Pages of a visit and its review, the register and the people in a browser: by keys, in each language and theme."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from shared.accounts import Role
from shared.texts import LANGUAGES
from shared.values import PersonId
from tests.console.looks import barriers, cookie, is_turn, sit_down, too_wide, visitor
from tests.console.seeding import Reviewing, reviewing
from tests.server.visit_story import INSTITUTION


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviewing]:
    with reviewing(tmp_path_factory.mktemp("office")) as office:
        yield office


def addresses(office: Reviewing) -> dict[str, tuple[str, PersonId, Role]]:
    """Every kind of page: path, person, hat."""
    story, officer = office.story, (office.story.officer, Role.CENTRE_OFFICER)
    dossier = f"/visits/{story.visit}"
    return {
        "review": (f"/review/{story.report}/{story.findings[0]}", *officer),
        "returned": ("/review?state=returned", *officer),
        "summary": (dossier, *officer),
        "answers": (f"{dossier}?tab=answers", *officer),
        "findings": (f"{dossier}?tab=findings", *officer),
        "media": (f"{dossier}?tab=media", *officer),
        "group": (f"/visits/{office.planned}/group", story.secretary, Role.COUNCIL_SECRETARY),
        "visits": ("/visits", story.secretary, Role.COUNCIL_SECRETARY),
        "institutions": ("/institutions", story.secretary, Role.COUNCIL_SECRETARY),
        "institution": (f"/institutions/{INSTITUTION}", story.secretary, Role.COUNCIL_SECRETARY),
        "people": ("/people", story.world.founded.admin, Role.ADMIN),
        "backups": ("/backups", story.world.founded.admin, Role.ADMIN),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_has_a_barrier_overflows_or_asks_another_host(
    browser: Browser, office: Reviewing, language: str
) -> None:
    found, asked = {}, []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for number, (name, (path, person, hat)) in enumerate(addresses(office).items()):
        sit_down(context, office.address, cookie(office.story.world, person, hat, language))
        assert page.goto(office.address + path).status == 200, name
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("h1").count() == 1
        wrong = [*too_wide(page), *(barriers(page) if is_turn(number, language) else ())]
        if wrong:
            found[name] = wrong
    context.close()
    assert not found, json.dumps(found, ensure_ascii=False, indent=1)
    assert asked
    assert not [url for url in asked if not url.startswith(office.address)]


def open_review(browser: Browser, office: Reviewing, finding: int, **more: bool) -> Page:
    """The review of a finding, before an officer."""
    story = office.story
    context = visitor(browser, office.address, story.world, story.officer, Role.CENTRE_OFFICER, **more)
    page = context.new_page()
    page.goto(f"{office.address}/review/{story.report}/{story.findings[finding]}")
    return page


def here(page: Page) -> str:
    """The finding that is open."""
    return page.url.split("?")[0].rsplit("/", 1)[1]


def test_the_queue_is_walked_accepted_and_returned_by_keys_alone(browser: Browser, office: Reviewing) -> None:
    story = office.story
    page = open_review(browser, office, 1)
    start = here(page)
    page.keyboard.press("j")
    page.wait_for_url(lambda url: start not in url)
    page.keyboard.press("k")
    page.wait_for_url(f"**/{start}")

    for held in ("Control+a", "Alt+a", "Meta+a"):
        page.keyboard.press(held)
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("a r j k?")
    assert here(page) == start
    assert not story.report_state().accepted_findings
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.key") == "r"
    page.keyboard.press("Enter")
    page.wait_for_url("**done=returned")
    assert [each.text for each in story.report_state().questions.values()] == ["a r j k?"]

    page.goto(f"{office.address}/review/{story.report}/{story.findings[2]}")
    page.keyboard.press("a")
    page.wait_for_url("**done=accepted")
    assert list(story.report_state().accepted_findings) == [story.findings[2]]
    page.context.close()


def test_keys_can_be_switched_off_and_on(browser: Browser, office: Reviewing) -> None:
    page = open_review(browser, office, 0)
    start = here(page)
    page.goto(page.url + "?keys=off")
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.id") != "text"
    page.goto(f"{office.address}/review/{office.story.report}/{start}?keys=on")
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.id") == "text"
    page.context.close()


def test_a_finding_is_returned_without_script(browser: Browser, office: Reviewing) -> None:
    story = office.story
    page = open_review(browser, office, 0, java_script_enabled=False)
    page.locator("[data-key=r]").click()
    assert page.locator(".errsum").is_visible()
    assert page.locator("#text").get_attribute("aria-invalid") == "true"
    page.locator("#text").fill("Кто считал?\nКогда?")
    page.locator("[data-key=r]").click()
    assert "done=returned" in page.url
    asked = [each for each in story.report_state().questions.values() if each.finding == story.findings[0]]
    assert [each.text for each in asked] == ["Кто считал?\nКогда?"]
    page.context.close()
