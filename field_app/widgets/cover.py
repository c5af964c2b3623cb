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


class Cover(Control):
    """The whole window; a tap anywhere, Enter or Space goes on to the PIN."""

    def __init__(self, texts: Texts, go_on: Callable[[], object]) -> None:
        super().__init__(act=go_on, name=texts("widgets.cover_on"), role="page")
        self.restyle(Box(fill="page", radius=0))
        self._column = Col(
            Icon("scales", 40, "muted", fixed=40),
            Gap(16),
            Text(texts("widgets.cover_article"), 18, "muted", bold=True),
            Text(texts("widgets.cover_title"), 32, bold=True),
            Gap(16),
            Text(texts("widgets.cover_text"), 20),
        )
        self._foot = Text(texts("widgets.cover_on"), 14, "muted", text_align="center")
        self.add(self._column)
        self.add(self._foot)

    def arrange(self) -> None:
        width = min(look.dp(720), self.width - 2 * look.dp(24))
        high = self._column.high(width)
        foot = self._foot.high(self.width)
        x = self.x + (self.width - width) / 2
        self._foot.place(self.x, self.y + look.dp(40), self.width, foot)
        self._column.place(x, self.y + max(look.dp(48) + foot, (self.height - high) / 2 + look.dp(24)), width, high)

    def holds_layout(self, kid: Node) -> bool:
        return True

