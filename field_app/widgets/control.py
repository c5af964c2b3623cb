"""How anything that can be touched behaves: press, cancel, act on release inside, focus ring, Enter and Space.

A finger that slides off cancels; a second tap within 250 ms at the same spot is not counted. Decides nothing about
what an action does: a control is given `act`.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from kivy.graphics import BorderImage, Color, InstructionGroup
from kivy.input.motionevent import MotionEvent

from field_app.widgets.nine import nine
from field_app.widgets.node import Node
from field_app.widgets.semantic import Role, Semantic
from field_app.widgets.theme import look

TARGET = 64
GUARD_SECONDS = 0.25
RING, HALO = 3, 6


class TapGuard:
    """Refuses the second of two taps on one spot, also when the first has put another control under the finger."""

    def __init__(self, seconds: float = GUARD_SECONDS) -> None:
        self.seconds = seconds
        self._at = -1.0
        self._spot = (0.0, 0.0)

    def passes(self, now: float, spot: tuple[float, float]) -> bool:
        """Whether a tap at `now` (seconds) on `spot` (window pixels) counts; if so it is remembered."""
        near = max(abs(spot[0] - self._spot[0]), abs(spot[1] - self._spot[1])) < look.dp(TARGET)
        if near and 0 <= now - self._at < self.seconds:
            return False
        self._at, self._spot = now, spot
        return True


guard = TapGuard()


class Control(Semantic, Node):
    """A node a person can act on.

    act            called without arguments on release inside, or on Enter and Space while focused
    repeats        no guard against double taps: digits, steppers
    act_on_press   acts when touched: Cover alone
    """

    def __init__(
        self,
        *kids: Node | None,
        act: Callable[[], object] | None = None,
        name: str = "",
        role: Role = "button",
        help: str = "",
        repeats: bool = False,
        act_on_press: bool = False,
        disabled_now: bool = False,
        **style: object,
    ) -> None:
        style.setdefault("tall", TARGET)
        super().__init__(*kids, **style)
        self.act, self.name, self.role, self.help = act, name, role, help
        self.repeats, self.act_on_press, self.disabled_now = repeats, act_on_press, disabled_now
        self.pressed = self.focused = False
        self._ring: InstructionGroup | None = None
        self._ring_parts: list[tuple[int, BorderImage]] = []

    # --- touch -----------------------------------------------------------------------------------------------
    def on_touch_down(self, touch: MotionEvent) -> bool:
        if touch.is_mouse_scrolling or not self.collide_point(*touch.pos):
            return False
        if super().on_touch_down(touch) or self.disabled_now:
            return True
        if self.act_on_press:
            self.do()
            return True
        touch.grab(self)
        self._press(True)
        return True

    def on_touch_move(self, touch: MotionEvent) -> bool:
        if touch.grab_current is not self:
            return super().on_touch_move(touch)
        if self.pressed and not self.collide_point(*touch.pos):
            self.cancel()
        return True

    def on_touch_up(self, touch: MotionEvent) -> bool:
        if touch.grab_current is not self:
            return super().on_touch_up(touch)
        touch.ungrab(self)
        if self.pressed:
            inside = self.collide_point(*touch.pos)
            self._press(False)
            if inside and (self.repeats or guard.passes(monotonic(), self.to_window(*self.center))):
                self.tapped(touch)
        return True

    def cancel(self) -> None:
        """Lets go without acting: the finger slid off or began to scroll."""
        self._press(False)

    def tapped(self, touch: MotionEvent) -> None:
        """A counted tap; `touch` is in the control's own coordinates."""
        self.do()

    def do(self) -> None:
        """The action itself."""
        if self.act is not None and not self.disabled_now:
            self.act()

    def key(self, key: str) -> bool:
        """A key while focused; true when it was used."""
        if key in ("enter", "space") and not self.disabled_now:
            if self.repeats or guard.passes(monotonic(), self.to_window(*self.center)):
                self.do()
            return True
        return False

    def _press(self, pressed: bool) -> None:
        if pressed != self.pressed:
            self.pressed = pressed
            self.pressed_changed()

    def pressed_changed(self) -> None:
        """Shows whether a finger is down."""

    # --- focus -----------------------------------------------------------------------------------------------
    def show_focus(self, focused: bool) -> None:
        """Draws or takes away the ring outside the control: 3 px dark, 3 px bright."""
        self.focused = focused
        if self._ring is not None:
            self.canvas.before.remove(self._ring)
            self._ring, self._ring_parts = None, []
        if focused:
            self._draw_ring()

    def _draw_ring(self) -> None:
        self._ring = InstructionGroup()
        for token, out in (("halo", HALO), ("focus", RING)):
            out = round(look.dp(out))
            radius = round(look.dp(self.box.radius)) + out
            part = BorderImage(texture=nine(radius), border=(radius,) * 4)
            self._ring.add(Color(*look.colour(token)))
            self._ring.add(part)
            self._ring_parts.append((out, part))
        if not self.box.fill:  # something must cover the inside of the ring
            radius = round(look.dp(self.box.radius))
            part = BorderImage(texture=nine(radius), border=(radius,) * 4)
            self._ring.add(Color(*look.colour("card")))
            self._ring.add(part)
            self._ring_parts.append((0, part))
        self.canvas.before.insert(0, self._ring)
        self._place_ring()

    def _place_ring(self) -> None:
        for out, part in self._ring_parts:
            part.pos = (self.x - out, self.y - out)
            part.size = (self.width + 2 * out, self.height + 2 * out)

    def place(self, x: float, y: float, width: float, height: float) -> None:
        super().place(x, y, width, height)
        if self._ring_parts:
            self._place_ring()

    def repaint(self) -> None:
        super().repaint()
        if self.focused:
            self.show_focus(True)
