"""A pane that scrolls under a finger and never answers by accident.

Children get the touch at once; a drag past a small distance takes it back from them, however long the finger had
rested. A touch that stops a moving pane does nothing else. Buttons and keys move it by pages as well, so no path
needs a swipe. Of a tall column only the children in view are drawn.
"""

from __future__ import annotations

from time import monotonic

from kivy.clock import Clock
from kivy.graphics import Color, PopMatrix, PushMatrix, Rectangle, ScissorPop, ScissorPush, Translate
from kivy.input.motionevent import MotionEvent
from kivy.uix.widget import Widget

from field_app.widgets.node import Node
from field_app.widgets.theme import look

SLOP = 12
"""dp a finger may stray before it counts as a drag."""
FRICTION = 4.0
"""Momentum falls by e in 1/FRICTION seconds."""
_STILL = 24
"""dp per second under which the pane stands still."""
_LONGEST_FRAME = 0.05
"""Seconds of momentum in one frame at most: after a stalled frame a page must not leap."""
_FRESH = 0.08
"""Seconds before release that count for the speed: a finger that rests before lifting throws nothing."""


class Scroll(Node):
    """Shows a body of any height in the room it has. `offset` is how many pixels are hidden above."""

    clips = True

    def __init__(self, body: Node | None = None, **style: object) -> None:
        super().__init__(**style)
        self.body = body or Node()
        self.offset = 0.0
        self.speed = 0.0
        self.moved = lambda: None
        self._moving = None
        self._content = 0.0
        self._trail: list[tuple[float, float]] = []
        with self.canvas.before:
            self._scissor = ScissorPush()
            PushMatrix()
            self._shift = Translate()
        with self.canvas.after:
            PopMatrix()
            ScissorPop()
            self._bar_colour = Color(*look.colour("line"))
            self._bar = Rectangle(size=(0, 0))
        self.add(self.body)

    # --- layout ----------------------------------------------------------------------------------------------
    def natural(self) -> float:
        return self.fixed if self.fixed is not None else self.body.natural()

    def minimum(self) -> float:
        return self.body.minimum()

    def measure(self, width: float) -> float:
        return self.tall

    def content_height(self) -> float:
        return self.body.high(self.width)

    def arrange(self) -> None:
        self._content = max(self.height, self.content_height())
        self.lay_body()
        self.scroll_to(self.offset)

    def lay_body(self) -> None:
        self.body.place(0, 0, self.width, self._content)

    def holds_layout(self, kid: Widget) -> bool:
        return False

    @property
    def range(self) -> float:
        """How far it can be moved, in pixels."""
        over = self._content - self.height
        return over if over >= 2 else 0.0

    def scroll_to(self, offset: float) -> None:
        """Moves so that `offset` pixels are hidden above, at most to the end."""
        self.offset = min(self.range, max(0.0, round(offset)))
        x, y = (round(v) for v in self.to_window(self.x, self.y))
        self._scissor.x, self._scissor.y = x, y
        self._scissor.width, self._scissor.height = round(self.width), round(self.height)
        self._shift.xy = (self.x, self.y + self.height - self._content + self.offset)
        self._place_bar()
        self.cull()
        self.moved()

    def _place_bar(self) -> None:
        if self.range <= 0:
            self._bar.size = (0, 0)
            return
        wide, high = look.dp(4), max(look.dp(48), self.height * self.height / self._content)
        way = (self.height - high) * (self.offset / self.range)
        self._bar.size = (wide, high)
        self._bar.pos = (self.right - wide - look.dp(2), self.top - high - way)

    def cull(self) -> None:
        """Draws only the children of the body that are in view, or near it."""
        top = self._content - self.offset + self.height / 2
        bottom = top - self.height * 2
        canvas, drawn = self.body.canvas, self.body.canvas.children
        drawn = set(map(id, drawn))
        for kid in self.body.kids:
            seen = kid.y < top and kid.y + kid.height > bottom
            if seen and id(kid.canvas) not in drawn:
                canvas.add(kid.canvas)
            elif not seen and id(kid.canvas) in drawn:
                canvas.remove(kid.canvas)

    def show(self, widget: Widget, margin: float = 16) -> None:
        """Moves just so far that the widget, somewhere in the body, is in view."""
        y, node = widget.y, widget
        while node is not None and node is not self.body and node.parent is not self.body:
            node = node.parent
        below = self._content - self.offset - self.height
        room = look.dp(margin)
        if y - room < below:
            self.scroll_to(self._content - self.height - (y - room))
        elif y + widget.height + room > below + self.height:
            self.scroll_to(self._content - (y + widget.height + room))

    def page(self, direction: int) -> None:
        """Moves by most of what is in view: -1 up, +1 down."""
        self.stop()
        self.scroll_to(self.offset + direction * (self.height - look.dp(64)))

    # --- coordinates -----------------------------------------------------------------------------------------
    def to_parent(self, x: float, y: float, relative: bool = False) -> tuple[float, float]:
        return x + self._shift.x, y + self._shift.y

    def to_local(self, x: float, y: float, relative: bool = False) -> tuple[float, float]:
        return x - self._shift.x, y - self._shift.y

    def _inside(self, touch: MotionEvent, event: str) -> bool:
        touch.push()
        touch.apply_transform_2d(self.to_local)
        used = getattr(self.body, event)(touch)
        touch.pop()
        return bool(used)

    # --- touch -----------------------------------------------------------------------------------------------
    def on_touch_down(self, touch: MotionEvent) -> bool:
        if not self.collide_point(*touch.pos):
            return False
        if touch.is_mouse_scrolling:
            if self._inside(touch, "on_touch_down"):
                return True
            self.scroll_to(self.offset + look.dp(64) * (1 if touch.button == "scrolldown" else -1))
            return True
        was_moving = self._moving is not None
        self.stop()
        touch.ud[self] = {"y": touch.y, "offset": self.offset, "drag": False}
        touch.grab(self)
        if not was_moving:
            self._inside(touch, "on_touch_down")
        return True

    def on_touch_move(self, touch: MotionEvent) -> bool:
        if touch.grab_current is not self:
            return touch.grab_current is None and self in touch.ud
        at = touch.ud[self]
        way = touch.y - at["y"]
        if not at["drag"] and abs(way) > look.dp(SLOP):
            if any(getattr(ref(), "keeps_drag", lambda touch: False)(touch) for ref in touch.grab_list):
                return True
            self._take(touch)
            at["drag"], at["y"] = True, touch.y
            self._trail.clear()
            return True
        if at["drag"]:
            self._trail.append((monotonic(), touch.y))
            del self._trail[:-8]
            self.scroll_to(at["offset"] + way)
        return True

    def _take(self, touch: MotionEvent) -> None:
        """Takes the touch back from whatever was pressed."""
        for held in [ref() for ref in touch.grab_list]:
            if held is None or held is self:
                continue
            touch.ungrab(held)
            cancel = getattr(held, "cancel", None)
            if cancel:
                cancel()

    def on_touch_up(self, touch: MotionEvent) -> bool:
        if touch.grab_current is self:
            touch.ungrab(self)
            if touch.ud[self]["drag"]:
                self._throw()
            return True
        return bool(touch.grab_current is None and self in touch.ud)

    # --- momentum --------------------------------------------------------------------------------------------
    def _throw(self) -> None:
        now = monotonic()
        fresh = [(t, y) for t, y in self._trail if now - t < _FRESH]
        if len(fresh) < 2 or fresh[-1][0] <= fresh[0][0]:
            return
        self.speed = (fresh[-1][1] - fresh[0][1]) / (fresh[-1][0] - fresh[0][0])
        if abs(self.speed) > look.dp(_STILL) * 4:
            self._moving = Clock.schedule_interval(self.step, 0)

    def step(self, seconds: float) -> None:
        """One frame of momentum."""
        seconds = min(seconds, _LONGEST_FRAME)
        before = self.offset
        self.scroll_to(self.offset + self.speed * seconds)
        self.speed -= self.speed * min(1.0, FRICTION * seconds)
        at_end = self.offset == before and abs(self.speed * seconds) >= 1
        if at_end or abs(self.speed) < look.dp(_STILL):
            self.stop()

    def stop(self) -> None:
        """Stands still at once."""
        if self._moving is not None:
            self._moving.cancel()
            self._moving = None
        self.speed = 0.0

    def repaint(self) -> None:
        super().repaint()
        self._bar_colour.rgba = look.colour("line")
