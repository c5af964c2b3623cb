"""A list of thousands of rows of one height: as many row widgets as fit the pane, filled anew while it moves.

Row number i always lies in widget i modulo the number of widgets, so a slow scroll fills one row at a time. The list
is one stop in the Tab order; the arrow keys move inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture

from field_app.widgets.control import Control
from field_app.widgets.icon import icon_texture
from field_app.widgets.node import Box, Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import extents, shape
from field_app.widgets.theme import look


@dataclass(frozen=True)
class Entry:
    """What a row shows. `mark` is a short number or letter before the title; `trail` a word or count at the end."""

    key: str
    title: str
    sub: str = ""
    icon: str = ""
    icon_colour: str = "muted"
    mark: str = ""
    trail: str = ""
    current: bool = False
    strong: bool = False


_ROW = Box(sides="b", radius=0, fill="card")
_CURRENT = _ROW.but(fill="soft", bar="primary")
_EMPTY = Entry("", "")


class EntryRow(Control):
    """One row: icon, mark, title of up to two lines, second line, trail."""

    def __init__(self, choose: Callable[[str], object], **control: object) -> None:
        self.entry, self.index, self._choose = _EMPTY, -1, choose
        super().__init__(role="row", box=_ROW, **control)
        with self.canvas:
            self._drawn = {
                name: (Color(), Rectangle(size=(0, 0))) for name in ("icon", "mark", "title", "sub", "trail")
            }

    def do(self) -> None:
        self._choose(self.entry.key)

    def fill_with(self, entry: Entry, index: int) -> None:
        """Shows another entry in the same widget."""
        self.entry, self.index = entry, index
        self.name = " · ".join(part for part in (entry.mark, entry.title, entry.sub, entry.trail) if part)
        self.state = "current" if entry.current else ""
        self.restyle(_CURRENT if entry.current else _ROW)
        if self.width > 1:
            self.arrange()

    def measure(self, width: float) -> float:
        self.arrange_at(width, draw=False)
        return max(self.tall, self._needed + look.dp(12))

    def arrange(self) -> None:
        self.arrange_at(self.width, draw=True)

    def _draw(self, part: str, texture: Texture, token: str, x: float, y: float) -> None:
        colour, rectangle = self._drawn[part]
        colour.rgba = look.colour(token)
        rectangle.texture, rectangle.size, rectangle.pos = texture, texture.size, (round(x), round(y))

    def arrange_at(self, width: float, draw: bool) -> None:
        entry, edge, gap = self.entry, look.dp(16), look.dp(12)
        left, right = self.x + edge + look.dp(4), self.x + width - edge
        bold = entry.current or entry.strong
        if draw:
            for _, rectangle in self._drawn.values():
                rectangle.size = (0, 0)
        if entry.icon:
            side = look.icon(24)
            if draw:
                token = "primary" if entry.current else entry.icon_colour
                self._draw("icon", icon_texture(entry.icon, side), token, left, self.center_y - side / 2)
            left += side + gap
        if entry.mark:
            mark = shape(entry.mark, look.sp(18), True)
            if draw:
                token = "primary" if entry.current else "muted"
                self._draw("mark", mark, token, left, self.center_y - mark.height / 2)
            left += max(mark.width, look.sp(20)) + gap
        if entry.trail:
            trail = shape(entry.trail, look.sp(14), bold)
            right -= trail.width
            if draw:
                token = "primary" if entry.current else "muted"
                self._draw("trail", trail, token, right, self.center_y - trail.height / 2)
            right -= gap
        self._arrange_words(left, max(1, int(right - left)), bold, draw)

    def _arrange_words(self, left: float, room: int, bold: bool, draw: bool) -> None:
        entry = self.entry
        sub = shape(entry.sub, look.sp(14), False, room) if entry.sub else None
        low = sub.height if sub else 0
        for size in (18, 16, 14):
            title = shape(entry.title, look.sp(size), bold, room)
            breaks = extents(entry.title, look.sp(size), bold)[1] > room
            if not breaks and (not draw or title.height + low <= self.height - look.dp(6)):
                break
        self._needed = title.height + low
        if draw:
            foot = self.center_y - (title.height + low) / 2
            self._draw("title", title, "text", left, foot + low)
            if sub:
                self._draw("sub", sub, "muted", left, foot)

    def key(self, key: str) -> bool:
        step = {"up": -1, "down": 1}.get(key)
        if step is not None and isinstance(self.parent, Node) and isinstance(self.parent.parent, RowList):
            return self.parent.parent.move(self.index + step)
        return super().key(key)

    def repaint(self) -> None:
        super().repaint()
        if self.width > 1:
            self.arrange()


class RowList(Scroll):
    """The scrolling list. `choose(key)` is called with the key of the row that was acted on."""

    role = "list"

    def __init__(
        self,
        entries: Sequence[Entry] = (),
        choose: Callable[[str], object] = lambda key: None,
        *,
        row: float = 72,
        lines: int = 2,
        **style: object,
    ) -> None:
        self.entries, self.choose, self._row, self._lines = entries, choose, row, lines
        self.focus_moved: Callable[[Control], object] = lambda row: None
        self._current = 0
        super().__init__(Node(), **style)

    @property
    def row_height(self) -> int:
        """Pixels: the given height, or what `lines` lines of title need at the person's text size."""
        need = look.sp(25) * self._lines + look.dp(12)
        return round(max(look.dp(self._row), need if look.choice.scale > 100 else 0))

    def content_height(self) -> float:
        return self.row_height * len(self.entries)

    def show_entries(self, entries: Sequence[Entry], keep_place: bool = False) -> None:
        """Other rows; starts at the top unless the place is to be kept."""
        self.entries = entries
        self._current = min(self._current, max(0, len(entries) - 1)) if keep_place else 0
        for row in self.body.kids:
            row.index = -1
        if not keep_place:
            self.stop()
            self.offset = 0
        if self.width > 1:
            self.arrange()

    def lay_body(self) -> None:
        count = min(len(self.entries), int(self.height // self.row_height) + 2)
        while len(self.body.kids) > count:
            self.body.drop(self.body.kids[-1])
        while len(self.body.kids) < count:
            self.body.add(EntryRow(self.choose, tall=self._row))
        self.body.pos, self.body.size = (0, 0), (self.width, self._content)
        for row in self.body.kids:
            row.index = -1

    def cull(self) -> None:
        """Fills the widgets that came into view."""
        rows, high = self.body.kids, self.row_height
        if not rows:
            return
        first = min(int(self.offset // high), max(0, len(self.entries) - len(rows)))
        for index in range(first, first + len(rows)):
            row = rows[index % len(rows)]
            row.focusable = index == self._current or (index == first and not self._in_view(self._current))
            if row.index != index:
                row.entry, row.index = self.entries[index], index
                row.place(0, self._content - (index + 1) * high, self.width, high)
                row.fill_with(self.entries[index], index)

    def _in_view(self, index: int) -> bool:
        top = index * self.row_height
        return top + self.row_height > self.offset and top < self.offset + self.height

    def move(self, index: int) -> bool:
        """Moves the focus to the row with this number, and the list along with it."""
        if not 0 <= index < len(self.entries):
            return True
        self._current, high = index, self.row_height
        if index * high < self.offset:
            self.scroll_to(index * high)
        elif (index + 1) * high > self.offset + self.height:
            self.scroll_to((index + 1) * high - self.height)
        else:
            self.cull()
        self.focus_moved(self.body.kids[index % len(self.body.kids)])
        return True
