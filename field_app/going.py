"""From screen to screen, saving and its marks, news of other threads: the part of the window behind the lock.

`field_app.app.Tablet` adds window, lock and idle; how a screen is made stands there.
"""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from field_app import choices as chosen
from field_app.idle import Idle
from field_app.screens import SCREENS, above
from field_app.widgets.stage import Stage
from field_app.widgets.theme import look
from field_app.window import Clock
from shared.texts import Texts, texts

if TYPE_CHECKING:
    from field_app.screens.screen import Screen
    from field_app.store.errors import StoreError
    from field_app.store.kept import Place
    from field_app.store.store import Store
    from field_app.sync.status import Progress
    from field_app.sync.worker import Worker
    from field_app.widgets.frame import Frame
    from field_app.widgets.node import Node
    from field_app.widgets.sheet import Sheet

BATTERY_SECONDS = 60
PLACE_SECONDS = 0.5
SEND_SECONDS = 3.0
"""A save is sent this long after it, together with what followed it."""
HISTORY_LIMIT = 30


class Going:
    """What lies behind the lock: the open store, one screen at a time, where the person came from."""

    def __init__(self, home: Path, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.home, self.now = home, now
        self.choices = chosen.load(home)
        self.stage = Stage(self.back, self.cover)
        self.idle = Idle(time.monotonic(), self.choices.lock_minutes)
        self.store: Store | None = None
        self.worker: Worker | None = None
        self.screen: Screen | None = None
        self.saved_at, self.unsent = "", 0
        self._charge: tuple[float, int | None] | None = None
        self._history: list[Place] = []
        self._stale = False
        self._fingers: set[object] = set()
        self._send_soon = Clock.create_trigger(lambda _: self.send_now(), SEND_SECONDS)
        self._keep_place = Clock.create_trigger(lambda _: self._stay(), PLACE_SECONDS)

    @property
    def texts(self) -> Texts:
        """Sentences in the language chosen."""
        return texts(self.choices.language)

    @property
    def is_open(self) -> bool:
        """Whether the keys are in memory."""
        return self.store is not None and not self.store.is_locked

    @abstractmethod
    def cover(self) -> None:
        """The public page over everything."""

    @abstractmethod
    def lock(self) -> None:
        """Keys out of memory, the PIN before everything."""

    # ── going ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def go(self, name: str, subject: str = "", item: str = "", **more: str) -> None:
        """Another screen."""
        from field_app.store.kept import Place

        if self.screen is not None:
            self._history.append(self.screen.here())
            del self._history[:-HISTORY_LIMIT]
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
        if not self.is_open:
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
            self._guarded(lambda: store.stay(here))

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
        result = self._guarded(work)
        if result is not None:
            self._mark()
            self._count()
            self._send_soon()
        return result

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """The result of work that writes (True for None); None when a rule or the disk refused, which is shown."""
        from field_app.store.errors import StoreError
        from shared.errors import RuleBroken

        try:
            result = work()
        except StoreError as error:
            self._top_bar("failed", self._why_not_saved(error))
            return None
        except RuleBroken as broken:
            self.tell(self.texts("today.not_allowed"), self.sentence(broken.code))
            return None
        return True if result is None else result

    def _why_not_saved(self, error: StoreError) -> str:
        """The sentence of a disk that refused says itself that nothing is saved; any other gets that before it."""
        from field_app.store.errors import NotSaved

        reason = self.texts(f"tablet.{error.code}")
        return reason if isinstance(error, NotSaved) else self.texts("widgets.not_saved", reason=reason)

    def _mark(self) -> None:
        from shared.values import ALMATY

        self.saved_at = f"{self.now().astimezone(ALMATY):%H:%M:%S}"
        self._top_bar("saved", self.saved_at)

    def sentence(self, code: str) -> str:
        """What a broken rule says to a person; its bare code where no sentence stands."""
        key = f"error.{code}"
        return self.texts(key) if self.texts.has(key) else code

    def tell(self, title: str, sentence: str) -> None:
        """A sentence that the person has to see, with one way on."""
        from field_app.widgets.button import Button
        from field_app.widgets.layout import Col, Row
        from field_app.widgets.sheet import Sheet
        from field_app.widgets.text import Text

        on = Button(self.texts("widgets.close"), None, "primary", self.close_sheet)
        body = Col(Text(sentence, 18), pad=(24, 0))
        self.open_sheet(Sheet(self.texts, title, body, where="middle", foot=Row(on, pad=(24, 12))))

    def draft(self, field: str, words: str, caret: int) -> bool:
        """A text being typed, with the place, on the disk when this returns."""
        store, screen = self.store, self.screen
        if store is None or screen is None:
            return False
        kept = self._guarded(lambda: store.draft(field, words, caret, screen.here())) is not None
        if kept:
            self._mark()
        return kept

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
            choose=self.choose, lock=self.lock, progress=self.progress, focus=self.stage.set_focus, tell=self.tell,
            width=lambda: self.stage.width,
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
