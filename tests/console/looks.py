"""What tests of pages ask of a browser: a session of its own, axe in every theme, the width, the hosts asked."""

from __future__ import annotations

import os
from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, Page

from server.accounts import sessions
from server.accounts.sessions import open_session
from shared.accounts import Role
from shared.texts import LANGUAGES
from shared.values import PersonId
from tests.server.conftest import World

THEMES = ("light", "dark", "contrast")
WIDTHS = (320, 1024, 1440)
IS_CAMPAIGN = os.environ.get("QORGAN_EXAMPLES") == "campaign"
OF_COLOURS = ("color-contrast", "link-in-text-block")
_AXE = AXE_FILE_PATH.read_text(encoding="utf-8")
_RUN = "options => axe.run(document, options).then(found => found.violations)"
_SHORTER = "document.querySelectorAll('tbody tr:nth-child(n+13)').forEach(row => row.remove())"
"""Rows of one table are made alike: a dozen of each is looked at."""
_CLIPPED = (
    "[...document.querySelectorAll('button,.btn,.tag,.tbl,.tabs a')]"
    ".filter(e => e.offsetWidth > 1 && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline'"
    " && !e.querySelector('.vh')).map(e => e.outerHTML.slice(0, 160))"
)


def cookie(world: World, person: PersonId, hat: Role, language: str = "ru", theme: str = "light") -> str:
    """The cookie of a fresh session."""
    with world.office.database.write() as session:
        made = open_session(session, person, hat.value, world.now, language)
    signed = sessions.signed_in(world.office.database, made, world.now)
    assert signed is not None
    with world.office.database.write() as session:
        sessions.choose_looks(session, signed, None, theme)
    return made


def visitor(
    browser: Browser, address: str, world: World, person: PersonId, hat: Role, language: str = "ru", **more: Any
) -> BrowserContext:
    """A browser of its own in which this person is signed in."""
    context = browser.new_context(**more)
    sit_down(context, address, cookie(world, person, hat, language))
    return context


def sit_down(context: BrowserContext, address: str, session: str) -> None:
    """Whoever has this session sits before the browser from now on; nobody else is signed in there."""
    context.clear_cookies()
    context.add_cookies(
        [{"name": "__Host-qorgan", "value": session, "secure": True, "httpOnly": True, "sameSite": "Strict",
          "url": address.replace("http:", "https:")}]
    )  # fmt: skip


def barriers(page: Page) -> list[tuple[str, str, list[str]]]:
    """What axe finds serious or critical: (theme, rule, places). All rules in the light, those that look at colours in
    each theme; in a campaign all rules in each."""
    page.evaluate(_AXE)
    page.evaluate(_SHORTER)
    found = []
    for theme in THEMES:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        options = {} if theme == "light" or IS_CAMPAIGN else {"runOnly": list(OF_COLOURS)}
        for violation in page.evaluate(_RUN, options | {"resultTypes": ["violations"]}):
            if violation["impact"] in ("serious", "critical"):
                found.append((theme, violation["id"], [node["html"][:160] for node in violation["nodes"][:2]]))
    return found


def is_turn(number: int, language: str) -> bool:
    """Whether axe looks at this page in this language: at each page in one, at all in a campaign.

    What it finds lies in the frame and the colours, which the languages share; widths are looked at in each.
    """
    return IS_CAMPAIGN or LANGUAGES[number % len(LANGUAGES)] == language


def too_wide(page: Page) -> list[tuple[int, int, list[str]]]:
    """At which widths the page is wider than its window or cuts words: (width, pixels over, elements)."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        clipped = page.evaluate(_CLIPPED)
        if over > 0 or clipped:
            found.append((width, over, clipped))
    return found


__all__ = ["THEMES", "WIDTHS", "barriers", "cookie", "is_turn", "sit_down", "too_wide", "visitor"]
