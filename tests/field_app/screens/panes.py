"""The tablet's window on the bench: real screens and a real store, a worker that only remembers that it was woken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from field_app import choices as chosen
from field_app.app import Tablet
from field_app.store.store import Store
from field_app.sync.status import Progress
from field_app.widgets import control
from field_app.widgets.semantic import walk
from field_app.widgets.theme import Choice, look
from tests.field_app.screens.hall import NOW
from tests.field_app.tablets import KeystoreDouble
from tests.field_app.widgets.bench import Bench, PartStage


class WorkerFake:
    """Remembers its wakes."""

    def __init__(self) -> None:
        self.progress, self.wakes = Progress(), 0

    def wake(self) -> None:
        self.wakes += 1

    def stop(self) -> None:
        pass


class Panes:
    """One window; `open` unlocks it on a store that is open already."""

    def __init__(self, bench: Bench, home: Path, size: tuple[int, int] = (1280, 800), language: str = "ru",
                 choice: Choice | None = None) -> None:  # fmt: skip
        from kivy.core.window import Window

        bench.clear()
        choice = choice or Choice()
        self.bench = bench
        chosen.keep(home, chosen.Choices(language=language, theme=choice.theme, scale=choice.scale, grip=choice.grip))
        self.tablet = Tablet(home, lambda: NOW, KeystoreDouble())
        look.change(self.tablet.choices.look)
        control.guard = control.TapGuard()
        self.tablet.stage = bench.stage = PartStage(size, self.tablet.back, self.tablet.cover)
        bench.stage.attach(Window)
        self.tablet.worker = WorkerFake()

    def open(self, store: Store, name: str = "", **where: str) -> Any:
        self.tablet.opened(store)
        if name:
            self.tablet.go(name, **where)
        return self.tablet.screen

    def named(self, name: str, role: str = "") -> Any:
        """The first control whose name begins so."""
        found = [
            w for w in walk(self.tablet.stage)
            if isinstance(w, control.Control) and w.name.startswith(name) and (not role or w.role == role)
        ]  # fmt: skip
        assert found, f"no {name!r} among {[w.name for w in walk(self.tablet.stage) if isinstance(w, control.Control)]}"
        return found[0]

    def tap(self, name: str, role: str = "") -> None:
        """A finger on the control, scrolled into view."""
        widget = self.named(name, role)
        for pane in self.tablet.stage._panes_of(widget):
            pane.show(widget)
        self.bench.tap(widget)
        self.bench.frame()

    def says(self) -> str:
        """Every text on the screen."""
        return "\n".join(getattr(w, "text", "") for w in walk(self.tablet.stage) if getattr(w, "text", ""))
