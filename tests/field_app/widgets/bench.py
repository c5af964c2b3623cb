"""A window for widget tests: sizes, frames, touches, keys and pictures, all in this process and without a display."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kivy.base import EventLoop
from kivy.config import Config

SIDE = 1280
"""The window is a square; a stage takes the part of it that the wanted screen has. (A window without a display keeps
the drawing area it was made with.)"""

Config.set("graphics", "width", str(SIDE))
Config.set("graphics", "height", str(SIDE))
Config.set("graphics", "multisamples", "0")
Config.set("graphics", "maxfps", "0")
Config.set("graphics", "vsync", "0")
Config.set("kivy", "exit_on_escape", "0")
Config.set("input", "mouse", "mouse,disable_multitouch")

from kivy.core.window import Window  # noqa: E402
from kivy.graphics.opengl import glFinish  # noqa: E402
from kivy.input.motionevent import MotionEvent  # noqa: E402
from PIL import Image  # noqa: E402

from field_app.widgets import control, fonts, text  # noqa: E402
from field_app.widgets.node import Node  # noqa: E402
from field_app.widgets.stage import Stage  # noqa: E402
from field_app.widgets.theme import Choice, look  # noqa: E402


class Finger(MotionEvent):
    """A made touch, in window pixels from the lower left corner."""

    def __init__(self, x: float, y: float) -> None:
        super().__init__("test", id(self), {"x": x, "y": y}, is_touch=True, type_id="touch")

    def depack(self, args: dict[str, float]) -> None:
        self.sx, self.sy = args["x"] / max(1, Window.width - 1), args["y"] / max(1, Window.height - 1)
        self.profile = ["pos"]
        super().depack(args)


class PartStage(Stage):
    """A stage on the lower left part of the window."""

    def __init__(self, size: tuple[int, int], *acts: Callable[[], object]) -> None:
        self.screen = size
        super().__init__(*acts)

    def fit(self) -> None:
        self.place(0, 0, *self.screen)


class Bench:
    """One stage in the one window of the process."""

    def __init__(self) -> None:
        fonts.register()
        EventLoop.ensure_window()
        self.stage: PartStage | None = None
        self.covered = self.backs = 0

    def show(
        self, build: Callable[[], Node], size: tuple[int, int] = (1280, 800), choice: Choice | None = None
    ) -> Stage:
        """Builds a page and puts it on a fresh stage on a screen of this size."""
        if self.stage is not None:
            self.stage.detach()
        look.change(choice or Choice())
        control.guard = control.TapGuard()
        self.stage = PartStage(size, self._back, self._cover)
        self.stage.attach(Window)
        self.stage.show(build())
        return self.stage

    def clear(self) -> None:
        """Takes the stage away."""
        if self.stage is not None:
            self.stage.detach()
            self.stage = None

    def _back(self) -> None:
        self.backs += 1

    def _cover(self) -> None:
        self.covered += 1

    def frame(self, count: int = 1) -> float:
        """Draws frames; seconds the last one took, drawing finished."""
        for _ in range(count):
            start = time.perf_counter()
            EventLoop.idle()
            glFinish()
            last = time.perf_counter() - start
        return last

    # --- touches ---------------------------------------------------------------------------------------------
    def _send(self, kind: str, finger: Finger) -> None:
        finger.scale_for_screen(Window.width, Window.height)
        EventLoop.post_dispatch_input(kind, finger)

    def down(self, x: float, y: float) -> Finger:
        finger = Finger(x, y)
        self._send("begin", finger)
        return finger

    def move(self, finger: Finger, x: float, y: float) -> None:
        finger.move({"x": x, "y": y})
        self._send("update", finger)

    def up(self, finger: Finger) -> None:
        self._send("end", finger)

    def tap(self, widget: Node) -> None:
        """Touches the middle of a widget and lets go; the guard against double taps is put aside."""
        control.guard = control.TapGuard()
        x, y = widget.to_window(*widget.center)
        self.up(self.down(x, y))

    def key(self, code: int, *modifiers: str) -> None:
        Window.dispatch("on_key_down", code, 0, None, list(modifiers))

    # --- pictures --------------------------------------------------------------------------------------------
    def picture(self, path: Path) -> Path:
        """What is on the screen now, as PNG."""
        self.frame(2)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Path(Window.screenshot(name=str(path)))
        with Image.open(made) as whole:
            part = whole.crop((0, SIDE - self.stage.screen[1], self.stage.screen[0], SIDE)).convert("RGB")
        made.unlink()
        part.save(path)
        return path

    def pixels(self) -> Image.Image:
        """What is on the screen now, for comparing colours."""
        with tempfile.TemporaryDirectory() as folder, Image.open(self.picture(Path(folder) / "now.png")) as picture:
            return picture.copy()


def forget_texts() -> None:
    text.forget()
