"""People at the console: a Chromium page they sit down at in turn, forms filled and buttons pressed as they stand.

Who leaves takes the session along, and nobody sees a page of somebody else: whoever sits down opens a page first. One
page for all, because a browser of one's own for each of two dozen people costs more than all they do in it.
"""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from server.demo.cast import Player
from server.demo.stage import DemoFailed

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic",
)  # fmt: skip
_IMAGES_ARE_THERE = (
    "Promise.all([...document.images].map(each => { each.loading = 'eager'; return each.decode().catch(() => 0); }))"
)
"""Resolves when every picture of the page is drawn, those below the window too."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """Path of any Chromium found. Raises DemoFailed naming the package."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise DemoFailed("no Chromium was found: apt-get install chromium")


class Seat:
    """The place before the browser's page, and who sits there."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._sits: Desk | None = None

    def take(self, desk: Desk) -> None:
        """Sits this person down with an own session; who sat there takes theirs along."""
        if self._sits is desk:
            return
        context = self.page.context
        if self._sits is not None:
            self._sits.session = context.cookies()
        context.clear_cookies()
        context.add_cookies(desk.session)
        self._sits = desk

    def of(self, desk: Desk) -> Page:
        """The page before this person. Raises DemoFailed when somebody else sits there."""
        if self._sits is not desk:
            raise DemoFailed("somebody else sits before the page: open a page first")
        return self.page

    def clear(self) -> None:
        """Nobody sits there, nobody is signed in."""
        self.page.context.clear_cookies()
        self._sits = None


class Desk:
    """One person at the browser. session: the cookies while somebody else sits there."""

    def __init__(self, seat: Seat, address: str, pictures: Path) -> None:
        self.session: list[Any] = []
        self.address = address
        self._seat = seat
        self._pictures = pictures

    @property
    def page(self) -> Page:
        """The page this person opened last. Raises DemoFailed when somebody else sat down since."""
        return self._seat.of(self)

    def go(self, path: str) -> None:
        """Sits down and opens a page of the office. Raises DemoFailed when it answers with an error."""
        self._seat.take(self)
        reply = self.page.goto(self.address + path)
        if reply is None or reply.status >= 400:
            raise DemoFailed(f"{path} answered {reply.status if reply else 'nothing'}: {self.text()[:400]}")

    def text(self) -> str:
        """What the page says."""
        return self.page.inner_text("main") if self.page.query_selector("main") else self.page.inner_text("body")

    def send(self, action: str, **fields: Any) -> None:
        """Fills the form with this action (or behind this selector) and presses its button.

        A list ticks boxes, a text fills, chooses or ticks the radio button of that value; `button` names the value
        of the button to press.
        """
        form = self.page.locator(f'form[action="{action}"]' if action.startswith("/") else action).first
        if form.count() == 0:
            raise DemoFailed(f"no form {action} on {self.page.url}: {self.text()[:600]}")
        button = fields.pop("button", None)
        for name, value in fields.items():
            self._fill(form, name, value)
        chosen = form.locator(f'button[value="{button}"]') if button else form.locator("button:not([type=button])")
        before = self.page.url
        with self.page.expect_navigation():
            chosen.last.click()
        if self.page.query_selector('[role="alert"]'):
            raise DemoFailed(f"{action} on {before} was refused: {self.page.inner_text('[role=alert]')}")

    def _fill(self, form: Any, name: str, value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                form.locator(f'[name="{name}"][value="{each}"]').check()
            return
        control = form.locator(f'[name="{name}"]').first
        kind = control.evaluate("e => e.tagName === 'SELECT' ? 'select' : e.type")
        if kind == "select":
            control.select_option(value)
        elif kind in ("radio", "checkbox"):
            form.locator(f'[name="{name}"][value="{value}"]').check()
        else:
            control.fill(value)

    def open_details(self, inside: str) -> None:
        """Opens the folded part of the page that holds a form."""
        self.page.locator(f"details:has({inside}) > summary").first.click()

    def shot(self, name: str, width: int = 1440, height: int = 900, whole: bool = True) -> Path:
        """A picture of the page; its file."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate(_IMAGES_ARE_THERE)
        path = self._pictures / f"{name}.png"
        self.page.screenshot(path=path, full_page=whole)
        return path

    def fetch(self, path: str) -> bytes:
        """The bytes behind an address, with this person's session."""
        data = self.page.evaluate(
            "async path => { const r = await fetch(path); if (!r.ok) throw new Error(path + ' ' + r.status);"
            " let s = ''; for (const c of new Uint8Array(await r.arrayBuffer())) s += String.fromCharCode(c);"
            " return btoa(s); }",
            path,
        )
        return base64.b64decode(data)

    def id_in_address(self) -> str:
        """The id in the page's address."""
        found = re.search(r"/([0-9a-f]{8}-[0-9a-f-]{27})", self.page.url)
        if found is None:
            raise DemoFailed(f"no id in {self.page.url}")
        return found[1]


class Console:
    """The browser of the demo. Use as a context manager."""

    def __init__(self, address: str, pictures: Path) -> None:
        self.address = address
        self.pictures = pictures
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._seat: Seat | None = None
        self._desks: dict[tuple[str, str], Desk] = {}

    def __enter__(self) -> Console:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = self._browser.new_context(locale="ru-RU", viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(15_000)
        self._seat = Seat(page)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._browser:
            self._browser.close()
        if self._playwright:
            self._playwright.stop()

    def desk(self, player: Player, hat: str = "") -> Desk:
        """The person's desk, signed in under the hat (the first role when none is named)."""
        hat = hat or str(player.roles[0] if player.roles else "npm_member")
        key = (player.login, hat)
        if key not in self._desks:
            self._desks[key] = self._sign_in(player, hat)
        return self._desks[key]

    def leave(self) -> None:
        """Everybody goes home: the next `desk` signs in anew."""
        if self._seat:
            self._seat.clear()
        self._desks.clear()

    def _sign_in(self, player: Player, hat: str) -> Desk:
        if self._seat is None:
            raise DemoFailed("the browser is not open")
        desk = Desk(self._seat, self.address, self.pictures)
        desk.go(f"/login?lang={player.language}")
        desk.send("/login", username=player.login, password=player.passphrase)
        if len(player.roles) > 1 and "/hat" in desk.page.url:
            desk.send("/hat", hat=hat)
        return desk
