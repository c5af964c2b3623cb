"""The page of backups in a browser, before the first one and after a restore: no barrier, nothing cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from server.app import create_app, keys_in_force
from server.backup.keys import keep_address
from server.backup.making import make_backup
from server.backup.restoring import restore
from server.db import Database
from server.migrations import migrate
from shared.accounts import Role
from shared.ledger.crypto import box_address, new_box_key
from shared.texts import LANGUAGES, texts
from tests.console.looks import barriers, cookie, sit_down, too_wide
from tests.console.seeding import served
from tests.server.conftest import Clock, World, an_office, found

SECRET = new_box_key()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An office with the address of a key, and no backup yet."""
    folder: Path = tmp_path_factory.mktemp("office")
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    office, clock = an_office(url, folder), Clock()
    keep_address(office.config.keys, box_address(SECRET).hex())
    return World(office, clock, found(office, clock), create_app(clock=clock, office=office))


@pytest.fixture(scope="module")
def put_back(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """The office made from its second backup."""
    folder = tmp_path_factory.mktemp("again")
    for _ in range(2):
        world.clock.pass_(hours=20)
        made = make_backup(world.office, folder / "backups", world.clock, lambda *_: None)
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    config = replace(world.office.config, data=folder, database=url)
    office = replace(world.office, config=config, database=Database(url))
    restore(office, made.path, SECRET, made.path.parent / "media", world.now, lambda *_: None)
    office = replace(office, keys=keys_in_force(office.database, office.keys))
    again = World(office, world.clock, world.founded, create_app(clock=world.clock, office=office))
    with served(again) as address:
        yield again, address


def looked_at(browser: Browser, world: World, address: str, says: str) -> dict[str, object]:
    """What is wrong with the page that says this text, by language."""
    context = browser.new_context()
    page = context.new_page()
    wrong: dict[str, object] = {}
    for number, language in enumerate(LANGUAGES):
        sit_down(context, address, cookie(world, world.founded.admin, Role.ADMIN, language))
        assert page.goto(f"{address}/backups").status == 200
        assert texts(language)(says) in page.inner_text("main")
        found_ = [*too_wide(page), *(barriers(page) if number == 0 else ())]
        if found_:
            wrong[language] = found_
    context.close()
    return wrong


def test_before_the_first_backup_the_page_says_so(browser: Browser, world: World) -> None:
    with served(world) as address:
        wrong = looked_at(browser, world, address, "backup.none.text")
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)


def test_an_office_that_was_put_back_says_where_it_began_anew(browser: Browser, put_back: tuple[World, str]) -> None:
    wrong = looked_at(browser, *put_back, "backup.restores.lede")
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)
