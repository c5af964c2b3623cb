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

Others' news. The worker calls `_told` on its own thread; it schedules `_refresh` on the window's. That is the only hop
(`desk.apart` uses the same). `refresh()` of the screen builds anew only when its `facts()` are other facts and nothing
is under the person's hand: with a sheet open, a finger down or a field being edited it waits.

Lock. Cover shows its page in the next frame, then `leave()`, then the store forgets its keys. After 30 s without a
touch the window goes blank and drafts become operations; after 1 to 5 minutes, or in the background, it locks. A lock
drops every screen and every shaped text; the PIN brings back the very place. Language, theme and text size change
through `desk.choose(choices)`: theme repaints, the rest builds anew, caret and scroll stay.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from field_app import choices as chosen
from field_app import window
from field_app.idle import Idle
from field_app.screens import SCREENS, above
from field_app.widgets import fonts, text
from field_app.widgets.stage import Stage
from field_app.widgets.theme import look
from field_app.window import App, Clock
from shared.texts import Texts, texts

if TYPE_CHECKING:
    from field_app.screens.screen import Screen
    from field_app.store.kept import Place
    from field_app.store.store import Store
    from field_app.sync.status import Progress
    from field_app.sync.worker import Worker
    from field_app.widgets.frame import Frame
    from field_app.widgets.node import Node
    from field_app.widgets.sheet import Sheet

BATTERY_SECONDS = 60
PLACE_SECONDS = 0.5


class Tablet(App):
    """The window and the session in it. `now` gives aware moments; `size` in pixels is for a desktop."""

    def __init__(self, home: Path, now: Callable[[], datetime], keystore: Any = None) -> None:
        super().__init__()
        self.home, self.now = home, now
        self._keystore = keystore
        self.choices = chosen.load(home)
        self.stage = Stage(self.back, self.cover)
        self.idle = Idle(time.monotonic(), self.choices.lock_minutes)
        self.store: Store | None = None
        self.worker: Worker | None = None
        self.screen: Screen | None = None
        self.saved_at, self.unsent = "", 0
        self._charge: tuple[float, int | None] | None = None
        self._history: list[Place] = []
        self._stale = self._blank = False
        self._fingers: set[object] = set()
        self._keep_place = Clock.create_trigger(lambda _: self._stay(), PLACE_SECONDS)

    # ── window ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def texts(self) -> Texts:
        """Sentences in the language chosen."""
        return texts(self.choices.language)

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
        Window.bind(on_textinput=lambda *_: self.idle.touched(time.monotonic()))
        Clock.schedule_interval(lambda _: self._tick(), 1.0)
        self.show_lock()

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

        page = Unlock(self.texts, self.choices.language, self.unlock, self._speak, self._wait_left)
        self.stage.show(page)

    def show_enrol(self) -> None:
        """Address, code, PIN, digits: whichever step is due."""
        from field_app.screens.enrol import Enrol

        self.stage.show(Enrol(self))

    def _speak(self, language: Any) -> None:
        self.choose(chosen.replaced(self.choices, language=language))
        self.show_lock()

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
        self.start_worker()
        self._history.clear()
        self._count()
        from field_app.store.kept import Place

        place = store.place or Place("today")
        self._show(place if place.screen in SCREENS else Place("today"))

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
        if self.store is None or self.store.is_locked:
            return
        self._leave()
        self._forget()
        self.show_lock()

    def cover(self) -> None:
        """The public page at once; the lock right behind the frame that shows it."""
        if self.store is None or self.store.is_locked:
            return
        from field_app.widgets.cover import Cover

        screen = self.screen
        self.stage.lay_over(Cover(self.texts, self.show_lock))
        Clock.schedule_once(lambda _: self._lock_under_cover(screen), 0)

    def _lock_under_cover(self, screen: Screen | None) -> None:
        if self.store is None or self.store.is_locked:
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

    # ── going ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def go(self, name: str, subject: str = "", item: str = "", **more: str) -> None:
        """Another screen."""
        from field_app.store.kept import Place

        if self.screen is not None:
            self._history.append(self.screen.here())
            del self._history[:-30]
        self._leave()
        self._show(Place(name, subject, item, more=more))

    def back(self) -> None:
        """To where the person came from; a sheet closes first."""
        from field_app.store.kept import Place

        if self.screen is None:
            return
        if self.screen.frame.sheet is not None:
            self.close_sheet()
            return
        here = self.screen.at
        name = above(here.screen)
        if not self._history and not name:
            return
        self._leave()
        self._show(self._history.pop() if self._history else Place(name, here.subject))

    def rebuild(self) -> None:
        """The same screen anew, where the person is."""
        if self.screen is not None:
            self._stale = False
            self._show(self.screen.here())

    def _show(self, place: Place) -> None:
        if self.store is None or self.store.is_locked:
            return
        module, _, name = SCREENS[place.screen].partition(":")
        self.screen = getattr(import_module(module), name)(self.desk(), place)
        self.stage.show(self.screen.frame)
        self.screen.settle()
        if self.screen.pane is not None:
            moved = self.screen.pane.moved
            self.screen.pane.moved = lambda: (moved(), self._keep_place())
        self._stay()

    def _leave(self) -> None:
        self.stage.set_focus(None)
        if self.screen is not None:
            self.screen.leave()
            self._stay()

    def _stay(self) -> None:
        if self.screen is not None and self.store is not None and not self.store.is_locked:
            here, store = self.screen.here(), self.store
            self.guarded(lambda: store.stay(here))

    def open_sheet(self, sheet: Sheet) -> None:
        """A sheet over the present screen, its fields within reach of the keyboard."""
        if self.screen is not None:
            self.stage.set_focus(None)
            self.screen.frame.open(sheet)
            self.stage._listen(sheet)

    def close_sheet(self) -> None:
        """The sheet goes; what waited for that is shown."""
        if self.screen is not None:
            self.stage.set_focus(None)
            self.screen.frame.close()
            self._refresh()

    def note(self) -> None:
        """The note sheet over whatever is there."""
        if self.screen is not None:
            from field_app.screens.note import open_note

            open_note(self.screen)

    # ── saving ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def saving(self, work: Callable[[], Any]) -> Any:
        """Runs what writes; its result, or None with a red top bar when nothing was written."""
        result = self.guarded(work, counts=True)
        if self.worker is not None:
            self.worker.wake()
        return result

    def guarded(self, work: Callable[[], Any], counts: bool = False) -> Any:
        """`saving` without waking the worker."""
        from field_app.store.errors import StoreError

        try:
            result = work()
        except StoreError as error:
            self._top_bar("failed", self.texts(f"tablet.{error.code}"))
            return None
        self.saved_at = f"{self.now().astimezone():%H:%M:%S}"
        if counts:
            self._count()
        self._top_bar("saved", self.saved_at)
        return result if result is not None else True

    def draft(self, field: str, words: str, caret: int) -> bool:
        """A text being typed, with the place, on the disk when this returns."""
        store, screen = self.store, self.screen
        if store is None or screen is None:
            return False
        return self.guarded(lambda: store.draft(field, words, caret, screen.here())) is not None

    def _count(self) -> None:
        if self.store is not None and not self.store.is_locked:
            self.unsent = self.store.unsent()
            self._top_bar("unsent", self.unsent)

    def _top_bar(self, method: str, fact: object) -> None:
        if self.screen is not None and hasattr(self.screen, "frame"):
            getattr(self.screen.frame.top_bar, method)(fact)

    def battery(self) -> int | None:
        """Charge in per cent, asked of the device once a minute."""
        if self._charge is None or time.monotonic() - self._charge[0] > BATTERY_SECONDS:
            from field_app.device.battery import charge

            self._charge = (time.monotonic(), charge())
        return self._charge[1]

    # ── what a screen gets ──────────────────────────────────────────────────────────────────────────────────────────

    def desk(self) -> Any:
        """Everything a screen is handed."""
        from field_app.screens.screen import Desk

        return Desk(
            texts=self.texts, store=self.store, choices=self.choices, now=self.now, saving=self.saving,
            draft=self.draft, go=self.go, back=self.back, note=self.note, rebuild=self.rebuild, chrome=self.chrome,
            open_sheet=self.open_sheet, close_sheet=self.close_sheet, apart=self.apart, send_now=self.send_now,
            choose=self.choose, lock=self.lock, progress=self.progress, focus=self.stage.set_focus,
        )  # fmt: skip

    def chrome(
        self, place: str, detail: Node, *, sub: str = "", current: str = "", back: bool = True,
        undo: Callable[[], object] | None = None, **parts: Any,
    ) -> Frame:  # fmt: skip
        """Top bar and rail around a screen. See `screens.screen.Chrome`."""
        from field_app.screens.chrome import framed

        return framed(self, place, detail, sub=sub, current=current, back=back, undo=undo, **parts)

    def choose(self, choices: chosen.Choices) -> None:
        """Other choices: theme in place, the rest by building the screen anew."""
        before, self.choices = self.choices, choices
        chosen.keep(self.home, choices)
        self.idle.lock_minutes = choices.lock_minutes
        look.change(choices.look)
        if before != choices and self.screen is not None:
            self.rebuild()

    def send_now(self) -> None:
        """The worker goes at once."""
        if self.worker is not None:
            self.worker.wake()

    def progress(self) -> Progress:
        """What the worker is doing."""
        from field_app.sync.status import Progress

        return self.worker.progress if self.worker is not None else Progress()

    # ── other threads ───────────────────────────────────────────────────────────────────────────────────────────────

    def hop(self, work: Callable[[], object]) -> None:
        """Any thread: runs `work` in the window's thread. The one way from the others."""
        Clock.schedule_once(lambda _: work(), 0)

    def apart(self, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        """Slow work on a thread of its own; `done(result or exception)` in the window's."""

        def run() -> None:
            result: Any
            try:
                result = work()
            except Exception as error:
                result = error
            self.hop(lambda: done(result))

        threading.Thread(target=run, name="apart", daemon=True).start()

    def _told(self) -> None:
        """Worker's thread: something may have changed."""
        self.hop(self._news)

    def _news(self) -> None:
        self._count()
        self._refresh()

    def _refresh(self) -> None:
        screen = self.screen
        if screen is None or self.store is None or self.store.is_locked:
            return
        editing = self.stage.focus is not None and getattr(self.stage.focus, "editor", None) is not None
        self._stale = screen.is_busy or bool(self._fingers) or editing
        if not self._stale:
            screen.refresh()

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
        if self.store is None or self.store.is_locked:
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


def run() -> None:
            result: Any
            try:
                result = work()
            except Exception as error:
                result = error
            self.hop(lambda: done(result))

        threading.Thread(target=run, name="apart", daemon=True).start()

    def _told(self) -> None:
        """Worker's thread: something may have changed."""
        self.hop(self._news)

    def _news(self) -> None:
        self._count()
        self._refresh()

    def _refresh(self) -> None:
        screen = self.screen
        if screen is None or self.store is None or self.store.is_locked:
            return
        editing = self.stage.focus is not None and getattr(self.stage.focus, "editor", None) is not None
        self._stale = screen.is_busy or bool(self._fingers) or editing
        if not self._stale:
            screen.refresh()

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
        if self.store is None or self.store.is_locked:
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


def window.density() -> float:
    from kivy.metrics import Metrics

    return float(Metrics.density)


def run(home: Path, now: Callable[[], datetime], size: tuple[int, int] | None = None, keystore: Any = None) -> None:
    """Opens the window on the store in `home` and returns when it is closed."""
    if size is not None:
        window.set_size(*size)
    Tablet(home, now, keystore).run()
