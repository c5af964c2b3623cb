"""The themes of a visit as rows: two columns in reading order in a wide pane, one in a narrow one.

Three states by icon, shape and word: dashed ring, half disc with a tag, tick. The current theme alone has colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from field_app.screens.visit_facts import ThemeFacts
from field_app.widgets.control import Control
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Row
from field_app.widgets.node import Box, Node
from field_app.widgets.pill import Pill
from field_app.widgets.text import Text
from field_app.widgets.theme import look
from shared.texts import Texts

_ROW = Box(fill="card", radius=0, sides="b")
_CURRENT = _ROW.but(fill="soft", bar="primary")
LEAST_COLUMN = 380
HIGH = 72


class ThemeRow(Control):
    """One theme; a tap opens it at its first blank."""

    def __init__(self, texts: Texts, theme: ThemeFacts, current: bool, act: Callable[[], object]) -> None:
        icon, colour = self._icon(theme)
        ink = "primary" if current else colour
        count = texts("visit_home.done") if theme.is_complete else texts(
            "visit_home.count", done=theme.done, asked=theme.asked
        )  # fmt: skip
        end: Node = Text(count, 14, "primary" if current else "muted", bold=current)
        if theme.done and not theme.is_complete and not current:
            end = Pill(count, None, "grey")
        letter = Text(theme.letter, 18, "primary" if current else "muted", bold=True, fixed=None if look.large else 26)
        title = Text(theme.title, 18, bold=current, grow=1)
        self._line = Row(Icon(icon, 24, ink), letter if theme.letter else None, title, end, gap=12, pad=(18, 4))
        super().__init__(self._line, act=act, tall=HIGH, role="row", box=_CURRENT if current else _ROW)
        self.name = " · ".join(part for part in (theme.letter, theme.title, count) if part)
        self.state = "current" if current else "complete" if theme.is_complete else "begun" if theme.done else "blank"

    @staticmethod
    def _icon(theme: ThemeFacts) -> tuple[str, str]:
        if theme.is_complete:
            return "done", "ok"
        return ("half", "primary") if theme.done else ("blank", "muted")

    def minimum(self) -> float:
        return self._line.minimum()

    def measure(self, width: float) -> float:
        return max(self.tall, self._line.high(width))

    def arrange(self) -> None:
        self._line.place(self.x, self.y, self.width, self.height)


class ThemeList(Node):
    """The rows in one or two columns."""

    def __init__(
        self, texts: Texts, themes: Sequence[ThemeFacts], current: str, choose: Callable[[str], object]
    ) -> None:
        rows = [ThemeRow(texts, each, each.path == current, lambda path=each.path: choose(path)) for each in themes]
        super().__init__(*rows, box=Box(fill="card", edge="hair"))

    def _columns(self, width: float) -> int:
        half = width / 2
        fits = half >= look.dp(LEAST_COLUMN) and all(kid.minimum() <= half for kid in self.kids)
        return 2 if fits and len(self.kids) > 1 else 1

    def _lines(self, width: float) -> list[float]:
        """Height of every line across the columns."""
        columns = self._columns(width)
        deep = -(-len(self.kids) // columns)
        high = [kid.high(width / columns) for kid in self.kids]
        return [max(high[line::deep]) for line in range(deep)]

    def measure(self, width: float) -> float:
        return sum(self._lines(width)) if self.kids else 0.0

    def arrange(self) -> None:
        columns, lines = self._columns(self.width), self._lines(self.width)
        deep, wide = len(lines), self.width / columns
        for place, kid in enumerate(self.kids):
            column, line = divmod(place, deep) if deep else (0, 0)
            top = self.top - sum(lines[:line])
            kid.place(self.x + column * wide, top - lines[line], wide, lines[line])
