"""Layout in one pass: a node says how high it is at a width (`measure`), and is then put in its place (`place`).

Nothing settles over several frames, so the first frame is the final one. Sizes are given in dp and become pixels only
here, so a change of text size or density needs a new layout and no new widgets. Decides nothing about content.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from kivy.graphics import BorderImage, Color, InstructionGroup, Rectangle
from kivy.input.motionevent import MotionEvent
from kivy.uix.widget import Widget

from field_app.widgets.nine import nine
from field_app.widgets.theme import look

Pad = float | tuple[float, float] | tuple[float, float, float, float]


@dataclass(frozen=True)
class Box:
    """How a node is drawn behind its content: token names, radius and widths in dp. `sides` has letters of "ltrb"."""

    fill: str | None = None
    edge: str | None = None
    edge_width: float = 1
    radius: float = 8
    bar: str | None = None
    sides: str = ""
    side: str = "hair"

    def but(self, **changes: object) -> Self:
        return replace(self, **changes)


PLAIN = Box()


class Node(Widget):
    """A widget with a box, padding and a place. Children are kept in reading order in `kids`.

    fixed      width in dp, or None to take what is given; grow / fill: share of what is left across / down
    tall       least height in dp; pad (left, top, right, bottom) and gap in dp; widest: greatest width in dp
    align      where children of their own height stand in a row: "centre", "top", "stretch"
    """

    def __init__(
        self,
        *kids: Widget | None,
        fixed: float | None = None,
        grow: float = 0,
        fill: float = 0,
        tall: float = 0,
        pad: Pad = 0,
        gap: float = 0,
        widest: float | None = None,
        align: str = "centre",
        box: Box = PLAIN,
    ) -> None:
        super().__init__()
        self._fixed, self._tall, self._pad, self._gap, self._widest = fixed, tall, pad, gap, widest
        self.grow, self.fill, self.align, self.box = grow, fill, align, box
        self.kids: list[Node] = []
        self._heights: dict[float, float] = {}
        self._at_version = -1
        self._paint: InstructionGroup | None = None
        self._tints: list[tuple[str, Color]] = []
        self._parts: dict[str, BorderImage | Rectangle] = {}
        for kid in kids:
            if kid is not None:
                self.add(kid)
        if box is not PLAIN:
            self._build_box()

    def apply_class_lang_rules(self, *_: object, **__: object) -> None:
        """Kivy's own style sheet goes by class names and knows nothing of these."""

    # --- sizes in pixels -------------------------------------------------------------------------------------
    @property
    def fixed(self) -> float | None:
        return None if self._fixed is None else look.dp(self._fixed)

    @property
    def tall(self) -> float:
        return look.dp(self._tall)

    @property
    def gap(self) -> float:
        return look.dp(self._gap)

    @property
    def pads(self) -> tuple[float, float, float, float]:
        pad = self._pad
        if isinstance(pad, int | float):
            pad = (pad, pad, pad, pad)
        elif len(pad) == 2:
            pad = (pad[0], pad[1], pad[0], pad[1])
        return tuple(look.dp(side) for side in pad)  # type: ignore[return-value]

    @property
    def across(self) -> float:
        """Left and right padding together."""
        left, _, right, _ = self.pads
        return left + right

    # --- children --------------------------------------------------------------------------------------------
    def add(self, kid: Widget, index: int | None = None) -> None:
        """Puts a child at the end, or before the child at `index`."""
        self.kids.insert(len(self.kids) if index is None else index, kid)
        self.add_widget(kid)
        self.invalidate()

    def drop(self, kid: Widget) -> None:
        self.kids.remove(kid)
        self.remove_widget(kid)
        self.invalidate()

    def refill(self, kids: Iterable[Widget]) -> None:
        """Other children instead of the present ones."""
        for kid in tuple(self.kids):
            self.drop(kid)
        for kid in kids:
            self.add(kid)

    # --- measuring -------------------------------------------------------------------------------------------
    def natural(self) -> float:
        """Width in pixels that the content would like."""
        return self.fixed if self.fixed is not None else max((k.natural() for k in self.kids), default=0) + self.across

    def minimum(self) -> float:
        """Least width in pixels at which no word breaks."""
        return max((k.minimum() for k in self.kids), default=0) + self.across

    def measure(self, width: float) -> float:
        """Height in pixels at this width."""
        return self.tall

    def high(self, width: float) -> float:
        """`measure`, remembered until something below changes."""
        if self._at_version != look.version:
            self._heights.clear()
            self._at_version = look.version
        found = self._heights.get(width)
        if found is None:
            if len(self._heights) > 8:
                self._heights.clear()
            found = self._heights[width] = self.measure(width)
        return found

    def invalidate(self) -> None:
        """Forgets heights from here up, after a change of content."""
        node: Widget | None = self
        while isinstance(node, Node):
            node._heights.clear()
            node = node.parent

    # --- placing ---------------------------------------------------------------------------------------------
    def place(self, x: float, y: float, width: float, height: float) -> None:
        """Takes its place; edges are rounded one by one, so that neighbours touch without a gap."""
        left, bottom = round(x), round(y)
        self.pos = (left, bottom)
        self.size = (round(x + width) - left, round(y + height) - bottom)
        if self._parts:
            self._place_box()
        self.arrange()

    def arrange(self) -> None:
        """Places the children inside."""

    def reflow(self) -> None:
        """Lays out again after a change, going up only as far as heights change."""
        self.invalidate()
        node: Node = self
        while isinstance(node.parent, Node) and not node.parent.holds_layout(node):
            node = node.parent
        if node.width > 1:
            node.place(node.x, node.y, node.width, node.height)
            node.reflowed()

    def holds_layout(self, kid: Widget) -> bool:
        """Whether a change inside `kid` can stay inside it."""
        return kid.height == kid.high(kid.width) and not kid.fill

    def reflowed(self) -> None:
        """Called on the topmost node that was laid out again."""

    def on_touch_down(self, touch: MotionEvent) -> bool:
        return self.collide_point(*touch.pos) and super().on_touch_down(touch)

    # --- painting --------------------------------------------------------------------------------------------
    def restyle(self, box: Box) -> None:
        """Another box, in place."""
        if box == self.box:
            return
        self.box = box
        self._build_box()
        self._place_box()

    def _build_box(self) -> None:
        if self._paint is None:
            self._paint = InstructionGroup()
            self.canvas.before.insert(0, self._paint)
        self._paint.clear()
        self._tints, self._parts = [], {}
        box, radius = self.box, round(look.dp(self.box.radius))
        if box.fill:
            part = BorderImage(texture=nine(radius), border=(radius,) * 4) if radius else Rectangle()
            self._tinted(box.fill, "fill", part)
        if box.edge:
            ring = look.stroke(box.edge_width)
            self._tinted(box.edge, "edge", BorderImage(texture=nine(radius, ring), border=(max(radius, ring),) * 4))
        for letter in box.sides:
            self._tinted(box.side, letter, Rectangle())
        if box.bar:
            self._tinted(box.bar, "bar", Rectangle())

    def _tinted(self, token: str, name: str, part: BorderImage | Rectangle) -> None:
        colour = Color(*look.colour(token))
        assert self._paint is not None
        self._paint.add(colour)
        self._paint.add(part)
        self._tints.append((token, colour))
        self._parts[name] = part

    def _place_box(self) -> None:
        x, y, width, height = self.x, self.y, self.width, self.height
        line = look.stroke()
        where = {
            "l": ((x, y), (line, height)),
            "r": ((x + width - line, y), (line, height)),
            "t": ((x, y + height - line), (width, line)),
            "b": ((x, y), (width, line)),
            "bar": ((x, y), (look.stroke(4), height)),
        }
        for name, part in self._parts.items():
            part.pos, part.size = where.get(name, ((x, y), (width, height)))

    def repaint(self) -> None:
        """Colours of the current theme, here and below, without a new layout."""
        if self._parts:
            self._build_box()
            self._place_box()
        for kid in self.kids:
            kid.repaint()
