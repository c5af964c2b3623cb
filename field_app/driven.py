"""The tablet's real window, led by lines instead of fingers: for people who drive it with a switch, and for journeys.

    python -m field_app.driven --home FOLDER [--size 1280x800] [--now 2026-03-07T09:00:00+05:00]

Reads one JSON object a line and answers each with one line, in order:

    {"tap": "Continue"}               a touch in the middle of the control with this name; waits until it stands there,
    {"tap": "row:К. Медицинская"}     role and name; the whole name wins over its beginning, that over a part of it
    {"tap": "/k/k4", "on": "Yes"}     the control "Yes" of the question with this item path
    {"tap": "…", "nth": 2}            the second of several alike
    {"type": "нет света"}             keys to the field that has the focus; answered when the draft is on the disk
    {"key": "ctrl+k"}                 tab, shift+tab, enter, escape, backspace, page_down, ctrl+z…
    {"wait_for": "Received"}          until a control or status with this name is seen; "gone": true until it is not
    {"tree": true}                    every control: role, name, state, bounds, shown, focus
    {"shot": "FILE.png"}              a picture of the window
    {"state": true}                   screen, subject, item, unsent, saved, locked, failure, sheet, field
    {"quit": true}

`"seconds"` in a command is how long it may wait (10). An answer has "ok": true, or "error" in one word. Killing this
process at any moment loses nothing that was answered: a save is answered after the disk has it.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from field_app import window
from field_app.window import Clock

if TYPE_CHECKING:
    from field_app.app import Tablet

SECONDS = 10.0
SETTLED_FRAMES = 2
KEY_CODES = {
    "tab": 9, "enter": 13, "escape": 27, "space": 32, "backspace": 8, "delete": 127, "up": 273, "down": 274,
    "right": 275, "left": 276, "home": 278, "end": 279, "page_up": 280, "page_down": 281,
}  # fmt: skip
Work = Iterator[None]


class Refused(Exception):
    """A command that cannot be done; the word goes into the answer."""


class Driver:
    """Takes commands one after the other; each may last several frames."""

    def __init__(self, tablet: Tablet, lines: Iterator[str], answer: Callable[[str], object]) -> None:
        self.tablet, self._answer = tablet, answer
        self._commands: queue.Queue[str] = queue.Queue()
        self._work: Work | None = None
        self._result: dict[str, Any] = {}
        self._lines = lines

    def start(self) -> None:
        """Reads lines on a thread of its own; a frame takes one step of the command under way."""
        threading.Thread(target=self._read, name="lines", daemon=True).start()
        Clock.schedule_interval(lambda _: self._step(), 0)

    def _read(self) -> None:
        """The reader's thread."""
        for line in self._lines:
            if line.strip():
                self._commands.put(line)
        self._commands.put('{"quit": true}')

    def _step(self) -> None:
        if self._work is None:
            try:
                self._work = self._begin(self._commands.get_nowait())
            except queue.Empty:
                return
        try:
            next(self._work)
        except StopIteration:
            self._finish({"ok": True} | self._result)
        except Refused as refused:
            self._finish({"ok": False, "error": str(refused)})

    def _finish(self, answer: dict[str, Any]) -> None:
        self._work, self._result = None, {}
        self._answer(json.dumps(answer, ensure_ascii=False))
        if answer.get("quit"):
            self.tablet.stop()

    def _begin(self, line: str) -> Work:
        try:
            command = json.loads(line)
        except ValueError:
            return self._fail("json")
        if not isinstance(command, dict):
            return self._fail("object")
        for word in ("tap", "type", "key", "wait_for", "tree", "shot", "state", "quit"):
            if word in command:
                work: Work = getattr(self, word)(command)
                return work
        return self._fail("command")

    def _fail(self, word: str) -> Work:
        raise Refused(word)
        yield

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    def tap(self, command: dict[str, Any]) -> Work:
        """A touch in the middle of a control."""
        from field_app.widgets import control as controls

        found: list[Any] = []
        yield from self._until(lambda: self._found(command, found), command, "not_found")
        target = found[0]
        for pane in self.tablet.stage._panes_of(target):
            pane.stop()
            pane.show(target)
        yield
        controls.guard = controls.TapGuard()
        x, y = target.to_window(*target.center)
        finger = _finger(x, y)
        _send("begin", finger)
        yield
        _send("end", finger)
        yield from self._settled()

    def _found(self, command: dict[str, Any], found: list[Any]) -> bool:
        found[:] = self._matching(command, only_controls=True)[int(command.get("nth", 1)) - 1 :]
        return bool(found)

    def type(self, command: dict[str, Any]) -> Work:
        """Letters, each as a keyboard brings it."""
        from kivy.core.window import Window

        yield from self._until(self._takes_letters, command, "no_field")
        for letter in str(command["type"]):
            code = 13 if letter == "\n" else ord(letter) if ord(letter) < 128 else 0
            Window.dispatch("on_key_down", code, 0, letter, [])
            if letter != "\n":
                Window.dispatch("on_textinput", letter)
            Window.dispatch("on_key_up", code, 0)
            yield
        yield from self._settled()
        failure = self._failure()
        if failure:
            raise Refused(failure)

    def _takes_letters(self) -> bool:
        stage = self.tablet.stage
        page = stage.kids[-1] if stage.kids else None
        if getattr(page, "pad", None) is not None:
            return True
        return any(getattr(widget, "editor", None) is not None for widget in self._widgets()) or stage.focus is not None

    def key(self, command: dict[str, Any]) -> Work:
        """One key, with shift, ctrl or alt before a plus."""
        from kivy.core.window import Window

        *modifiers, name = str(command["key"]).lower().split("+")
        code = KEY_CODES.get(name, ord(name) if len(name) == 1 else 0)
        if not code:
            raise Refused("key")
        Window.dispatch("on_key_down", code, 0, None, modifiers)
        Window.dispatch("on_key_up", code, 0)
        yield from self._settled()

    def wait_for(self, command: dict[str, Any]) -> Work:
        """Until something with this name is there, or is there no more."""
        gone = bool(command.get("gone"))
        yield from self._until(
            lambda: bool(self._matching({"tap": command["wait_for"]}, only_controls=False)) != gone, command, "not_seen"
        )

    def tree(self, command: dict[str, Any]) -> Work:
        """Everything on the screen as data."""
        from field_app.widgets.semantic import ui_tree

        yield from self._settled()
        self._result = {"tree": ui_tree(self.tablet.stage)}

    def shot(self, command: dict[str, Any]) -> Work:
        """A picture of the window."""
        from kivy.core.window import Window

        yield from self._settled()
        path = Path(str(command["shot"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Window.screenshot(name=str(path))
        if not made:
            raise Refused("shot")
        Path(made).replace(path)
        self._result = {"shot": str(path)}

    def state(self, command: dict[str, Any]) -> Work:
        """Where the tablet is."""
        yield from self._settled()
        tablet, screen = self.tablet, self.tablet.screen
        here = screen.here() if screen is not None else None
        page = type(tablet.stage.kids[-1]).__name__.lower() if tablet.stage.kids else ""
        sheet = screen.frame.sheet if screen is not None else None
        field = next((w for w in self._widgets() if getattr(w, "editor", None) is not None), None)
        self._result = {
            "screen": here.screen if here else page, "subject": here.subject if here else "",
            "item": here.item if here else "", "unsent": tablet.unsent, "saved": tablet.saved_at,
            "locked": not tablet.is_open, "failure": self._failure(), "sheet": sheet.name if sheet else "",
            "field": field.text if field is not None else None,
        }  # fmt: skip

    def quit(self, command: dict[str, Any]) -> Work:
        """Closes the window as a person would."""
        yield
        self._result = {"quit": True}

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _until(self, is_so: Callable[[], bool], command: dict[str, Any], word: str) -> Work:
        ends = time.monotonic() + float(command.get("seconds", SECONDS))
        while not is_so():
            if time.monotonic() > ends:
                raise Refused(word)
            yield

    def _settled(self) -> Work:
        for _ in range(SETTLED_FRAMES):
            yield

    def _failure(self) -> str:
        screen = self.tablet.screen
        return screen.frame.top_bar._failure if screen is not None else ""

    def _widgets(self) -> list[Any]:
        from field_app.widgets.semantic import walk

        stage = self.tablet.stage
        return [each for kid in stage.kids if not getattr(kid, "absent", False) for each in walk(kid)]

    def _matching(self, command: dict[str, Any], only_controls: bool) -> list[Any]:
        """Widgets that are meant, the best match first."""
        from field_app.widgets.control import Control
        from field_app.widgets.semantic import Semantic, walk

        wanted = str(command["tap"])
        widgets = self._widgets()
        if wanted.startswith("/"):
            card = next((each for each in widgets if getattr(getattr(each, "view", None), "item", "") == wanted), None)
            if card is None:
                return []
            widgets, wanted = list(walk(card)), str(command.get("on", ""))
        role, colon, name = wanted.partition(":")
        by_role = bool(colon) and role in ("button", "choice", "check", "field", "row", "link", "status", "heading",
                                           "list", "dialog", "page")  # fmt: skip
        wanted, role = (name, role) if by_role else (wanted, "")
        kinds: tuple[type, ...] = (Control,) if only_controls else (Semantic,)
        able = [
            each for each in widgets
            if isinstance(each, kinds) and (not role or each.role == role) and not getattr(each, "disabled_now", False)
        ]  # fmt: skip
        for fits in (str.__eq__, str.startswith, str.__contains__):
            found = [each for each in able if fits(each.name, wanted)]
            if found:
                return found
        return []


def _finger(x: float, y: float) -> Any:
    from kivy.core.window import Window
    from kivy.input.motionevent import MotionEvent

    class Finger(MotionEvent):
        """A touch at a place in the window, in pixels from the lower left corner."""

        def depack(self, args: Any) -> None:
            self.sx, self.sy = args[0] / max(1, Window.width - 1), args[1] / max(1, Window.height - 1)
            self.profile = ["pos"]
            super().depack(args)

    finger = Finger("driven", time.monotonic_ns(), (x, y), is_touch=True, type_id="touch")
    finger.scale_for_screen(Window.width, Window.height)
    return finger


def _send(kind: str, finger: Any) -> None:
    from kivy.base import EventLoop

    EventLoop.post_dispatch_input(kind, finger)


def _clock(begin: str) -> Callable[[], datetime]:
    """The machine's clock, or one that began at the moment given."""
    if not begin:
        return lambda: datetime.now(UTC)
    moment, started = datetime.fromisoformat(begin), time.monotonic()
    if moment.tzinfo is None:
        raise SystemExit("--now needs an offset, such as +05:00")
    return lambda: moment + timedelta(seconds=time.monotonic() - started)


def main(arguments: list[str] | None = None) -> None:
    """Opens the window and obeys."""
    parser = argparse.ArgumentParser(prog="python -m field_app.driven", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--home", type=Path, required=True, metavar="FOLDER", help="the tablet's folder")
    parser.add_argument("--size", default="1280x800", help="of the window in pixels (%(default)s)")
    parser.add_argument("--now", default="", metavar="MOMENT", help="begin the tablet's clock at this moment")
    given = parser.parse_args(arguments)
    width, _, height = given.size.partition("x")
    window.set_size(int(width), int(height))
    from field_app.app import Tablet

    answers, sys.stdout = sys.stdout, sys.stderr  # only answers go to standard output

    def answer(line: str) -> None:
        answers.write(line + "\n")
        answers.flush()

    tablet = Tablet(given.home, _clock(given.now))
    driver = Driver(tablet, iter(sys.stdin), answer)
    tablet.bind(on_start=lambda _: driver.start())
    tablet.run()


if __name__ == "__main__":
    main()
