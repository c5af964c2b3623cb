"""The tablet's window: lock, navigation, saving marks, idle, and the one hop from other threads. `run(home)` opens it.

How a screen is made. A screen is a class in `field_app/screens/` that derives `screens.screen.Screen`; its name stands
in `screens.SCREENS`, and its module is imported when somebody first goes there. It is built with `(desk, at)`: `desk`
holds the functions and plain data it works with (`screens.screen.Desk` says each in a line), `at` is the place it is to
show (`screen, subject, item, caret, scroll, more`). `facts()` reads the store into plain data, `build(facts)` makes the
frame through `desk.chrome(title, detail, …)`, which puts top bar and rail around it: Note and Cover are never left out.

Going. `desk.go(name, subject=…, item=…, **more)` leaves this screen and shows another; `desk.back()` returns to where
the person came from, or to the screen above (`screens.above`) after a restart. Words in `more` are kept with the place
and stand in `at.more`. `desk.rebuild()` shows the same screen anew at `here()`.

Saving. Everything that writes runs inside `desk.saving(lambda: …)`: it marks *saved HH:MM:SS* and the unsent count, or
turns the top bar red and returns None when the disk took nothing; then what was typed stays on the screen. Verbs shared
with the command line lie in `field_app.acts` and take the store. A text field gives `on_draft=lambda text, caret:
desk.draft(name, text, caret)`: when that returns, draft and place are on the disk. `leave()` makes operations of drafts
(`store.save(…, drop=name)`); it is called at another screen, Cover, lock, background, and after 30 s without a key.

Place. `here()` is kept at every draft, at every change of screen, half a second after scrolling and at lock; a start
shows that screen again, `settle()` puts scroll, focus and caret back once it is laid out.

Others' news. The worker calls `_told` on its own thread; it schedules `_news` on the window's. That is the only hop
(`desk.apart` uses the same). `refresh()` of the screen builds anew only when its `facts()` are other facts and nothing
is under the person's hand: with a sheet open, a finger down or a field being edited it waits.

Lock. Cover shows its page in the next frame, then `leave()`, then the store forgets its keys. After 30 s without a
touch the window goes blank and drafts become operations; after 1 to 5 minutes, or in the background, it locks. A lock
drops every screen and every shaped text; the PIN brings back the very place. Language, theme and text size change
through `desk.choose(choices)`: theme repaints, the rest builds anew, caret and scroll stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from field_app import choices as chosen
from field_app import window
from field_app.going import Going
from field_app.screens import SCREENS
from field_app.widgets import fonts, text
from field_app.widgets.theme import look
from field_app.window import App, Clock

if TYPE_CHECKING:
    from field_app.screens.screen import Screen
    from field_app.store.store import Store

WARM_SECONDS = 0.1
"""After the first frame, so that nothing is loaded before it."""


class Tablet(Going, App):
    """The window. `now` gives aware moments; `keystore` is that of this machine unless given."""

    def __init__(self, home: Path, now: Callable[[], datetime], keystore: Any = None) -> None:
        super().__init__(home, now)
        self._keystore = keystore
        self._blank = False
        self._asked_to_leave = False

    # ── window ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def load_config(self) -> None:
        """No settings file of Kivy's own: `choices` is all there is."""

    def load_kv(self, filename: str | None = None) -> bool:
        """No style sheet: widgets are drawn in Python."""
        return False

    def build(self) -> None:
        """Takes the window and shows what stands before everything else: the lock, or the first steps."""
        from kivy.core.window import Window

        from field_app.device.secure_window import protect

        protect()
        fonts.register()
        look.set_density(window.density())
        look.change(self.choices.look)
        self.stage.attach(Window)
        Window.bind(on_touch_down=self._touched, on_touch_up=self._let_go, on_key_down=self._key_down)
        Window.bind(on_minimize=lambda *_: self.lock(), on_hide=lambda *_: self.lock())
        Window.bind(on_resize=lambda *_: self._resized())
        Window.bind(on_request_close=lambda *_, **__: self.close_asked())
        Window.bind(on_textinput=lambda *_: self.idle.touched(time.monotonic()))
        Clock.schedule_interval(lambda _: self._tick(), 1.0)
        self.show_lock()
        Clock.schedule_once(lambda _: self._warm(), WARM_SECONDS)

    def _warm(self) -> None:
        """While the PIN is typed, what comes behind it is loaded: parts without widgets on a thread of their own."""

        def load() -> None:
            for name in ("field_app.store.store", "field_app.sync.worker", "field_app.acts.visits"):
                import_module(name)

        self.apart(load, lambda _: import_module("field_app.screens.today"))

    def on_pause(self) -> bool:
        """Into the background: locked at once."""
        self.lock()
        return True

    def on_stop(self) -> None:
        """The window closes: drafts become operations, the folder is given back."""
        self._stay()
        if self.screen is not None:
            self.screen.leave()
        if self.worker is not None:
            self.worker.stop()
        if self.store is not None:
            self.store.close()
        self.stage.detach()

    def close_asked(self) -> bool:
        """Whether the window stays: once, to say what the office has not received. The next time it closes."""
        if not self.is_open or self.screen is None or self._asked_to_leave or not self.unsent:
            return False
        from field_app.screens.leaving import ask_to_leave

        self._asked_to_leave = True
        ask_to_leave(self.screen, self.unsent, self.stop, self._leave_asked)
        return True

    def _leave_asked(self, is_so: bool) -> None:
        self._asked_to_leave = is_so

    def _mark(self) -> None:
        self._asked_to_leave = False
        super()._mark()

    def _resized(self) -> None:
        """Turned or resized: the screen is built for the room it has now."""
        if self.is_open and self.screen is not None:
            self.rebuild()

    # ── lock ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def keystore(self) -> Any:
        """The key store of this machine."""
        if self._keystore is None:
            from field_app.device.keystore import keystore

            self._keystore = keystore(self.home / "keystore")
        return self._keystore

    def show_lock(self) -> None:
        """The PIN, or the first steps of a tablet that has no store yet."""
        if self.store is None and not (self.home / "vault").exists():
            self.show_enrol()
            return
        from field_app.screens.unlock import Unlock

        page = Unlock(self.texts, self.choices.language, self.unlock, self._speak, self._wait_left, self._clock)
        self.stage.show(page)

    def show_enrol(self) -> None:
        """Address, code, PIN, digits: whichever step is due."""
        from field_app.enrolling import hands
        from field_app.screens.enrol import Enrol

        self.stage.show(Enrol(hands(self)))

    def _clock(self) -> str:
        from field_app.screens import formats
        from shared.values import stamp

        return self.texts("unlock.clock", time=formats.moment(stamp(self.now())))

    def _speak(self, language: Any) -> None:
        self.choose(chosen.replaced(self.choices, language=language))
        self.show_enrol() if self.is_open else self.show_lock()

    def _wait_left(self) -> int:
        from field_app.store.vault import Vault

        vault = self.store.vault if self.store is not None else Vault(self.home, self.keystore())
        return vault.wait_left(self.now())

    def unlock(self, pin: str, done: Callable[[Any], object]) -> None:
        """Tries the PIN on a thread of its own; `done` gets the error when it did not open."""

        def work() -> Store:
            from field_app.store.store import Store

            if self.store is None:
                return Store.open(self.home, pin, self.keystore(), self.now())
            self.store.unlock(pin, self.now())
            return self.store

        def opened(result: Any) -> None:
            if isinstance(result, Exception):
                done(result)
            else:
                self.opened(result)

        self.apart(work, opened)

    def opened(self, store: Store) -> None:
        """The store is open: on to the very place, or to the rest of enrolment."""
        self.store = store
        self.idle.touched(time.monotonic())
        if not store.is_enrolled or not store.meta.confirmed:
            self.show_enrol()
            return
        self._history.clear()
        from field_app.store.kept import Place

        place = store.place or Place("today")
        self._show(place if place.screen in SCREENS else Place("today"))
        self._take_up_note()
        self._count()
        self.start_worker()

    def _take_up_note(self) -> None:
        if self.screen is not None and self.store is not None and self.store.drafts():
            from field_app.screens.note import take_up_note

            take_up_note(self.screen)

    def start_worker(self) -> None:
        """Sync begins; once for the life of the process."""
        if self.worker is None and self.store is not None:
            import random

            from field_app.sync.worker import Worker

            self.worker = Worker(self.store, self.now, random.random, self._told)
            self.worker.start()
        elif self.worker is not None:
            self.worker.wake()

    def lock(self) -> None:
        """Drafts become operations, keys and shaped texts go out of memory, the PIN stands before everything."""
        if not self.is_open:
            return
        self._leave()
        self._forget()
        self.show_lock()

    def cover(self) -> None:
        """The public page at once; the lock right behind the frame that shows it."""
        if not self.is_open:
            return
        from field_app.widgets.cover import Cover

        screen = self.screen
        self.stage.lay_over(Cover(self.texts, self.show_lock))
        Clock.schedule_once(lambda _: self._lock_under_cover(screen), 0)

    def _lock_under_cover(self, screen: Screen | None) -> None:
        if not self.is_open:
            return
        if screen is not None and screen is self.screen:
            self._leave()
        self._forget()
        if len(self.stage.kids) > 1:
            self.stage.drop(self.stage.kids[0])

    def _forget(self) -> None:
        self.screen, self._stale, self._blank = None, False, False
        self._history.clear()
        if self.store is not None:
            self.store.lock()
        text.forget()

    # ── idle ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _touched(self, _: object, touch: Any) -> bool:
        self.idle.touched(time.monotonic())
        self._fingers.add(touch.uid)
        return False

    def _let_go(self, _: object, touch: Any) -> bool:
        self._fingers.discard(touch.uid)
        return False

    def _key_down(self, *_: object) -> bool:
        self.idle.touched(time.monotonic())
        if self._blank:
            self._wake()
        return False

    def _tick(self) -> None:
        if not self.is_open:
            return
        due = self.idle.due(time.monotonic())
        if due == "lock":
            self.lock()
        elif due == "blank" and not self._blank and self.screen is not None:
            self._go_blank()
        elif self._stale:
            self._refresh()

    def _go_blank(self) -> None:
        from field_app.widgets.control import Control
        from field_app.widgets.node import Box

        self._leave()
        self._blank = True
        self.stage.lay_over(
            Control(act=self._wake, name=self.texts("unlock.wake"), role="page", box=Box(fill="inverse", radius=0))
        )

    def _wake(self) -> None:
        if self._blank:
            self._blank = False
            self.stage.lift()


def _clock() -> datetime:
    return datetime.now(UTC)


def run(home: Path, now: Callable[[], datetime] = _clock, keystore: Any = None) -> None:
    """Opens the window on the store in `home` and returns when it is closed."""
    Tablet(home, now, keystore).run()
