"""The page that covers everything at one tap: public text about the mandate, nothing of any visit, nothing moving."""

from __future__ import annotations

from collections.abc import Callable

from field_app.widgets.control import Control
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Col, Gap
from field_app.widgets.node import Box, Node
from field_app.widgets.text import Text
from field_app.widgets.theme import look
from shared.texts import Texts

_SIZES = ((32, 20), (24, 18), (20, 14), (14, 12), (12, 10))
"""Sizes of title and text in sp: the page of a low window at the largest text takes smaller ones."""


class Cover(Control):
    """The whole window; a tap anywhere, Enter or Space goes on to the PIN."""

    def __init__(self, texts: Texts, go_on: Callable[[], object]) -> None:
        super().__init__(act=go_on, name=texts("widgets.cover_on"), role="page")
        self.restyle(Box(fill="page", radius=0))
        self._texts = texts
        self._column = self._written(*_SIZES[0])
        self._foot = Text(texts("widgets.cover_on"), 14, "muted", text_align="center")
        self.add(self._column)
        self.add(self._foot)

    def _written(self, title: float, body: float) -> Col:
        texts = self._texts
        return Col(
            Icon("scales", 40, "muted", fixed=40),
            Gap(16),
            Text(texts("widgets.cover_article"), min(body, 18), "muted", bold=True),
            Text(texts("widgets.cover_title"), title, bold=True),
            Gap(16),
            Text(texts("widgets.cover_text"), body),
        )

    def _fit(self, width: float, room: float) -> None:
        """The largest writing that leaves no word outside."""
        for sizes in _SIZES:
            self.drop(self._column)
            self._column = self._written(*sizes)
            self.add(self._column, 0)
            if self._column.high(width) <= room:
                return

    def arrange(self) -> None:
        width = min(look.dp(720), self.width - 2 * look.dp(24))
        foot = self._foot.high(self.width)
        self._fit(width, self.height - foot - look.dp(80))
        high = self._column.high(width)
        x = self.x + (self.width - width) / 2
        self._foot.place(self.x, self.y + look.dp(32), self.width, foot)
        self._column.place(x, self.y + max(look.dp(40) + foot, (self.height - high) / 2 + look.dp(24)), width, high)

    def holds_layout(self, kid: Node) -> bool:
        return True
