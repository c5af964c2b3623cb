"""Sheets and dialogs: a panel above the panes, beside the rail. Touching outside closes nothing by accident.

A sheet has a heading and one way to close, in the same corner always. What is typed in it is saved as it is typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Gap, Row, Wrap
from field_app.widgets.node import Box, Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.semantic import Semantic
from field_app.widgets.text import Text
from field_app.widgets.theme import look
from shared.texts import Texts

Where = Literal["side", "whole", "middle"]


class Sheet(Semantic, Node):
    """A panel. `where`: at the side (480 dp, whole width when narrow), over all of the panes, or in the middle."""

    role = "dialog"
    focusable = False

    def __init__(
        self,
        texts: Texts,
        title: str,
        body: Node,
        *,
        sub: str = "",
        where: Where = "side",
        foot: Node | None = None,
        head: Node | None = None,
        on_closed: Callable[[], object] = lambda: None,
        scrolls: bool = True,
    ) -> None:
        super().__init__(box=Box(fill="scrim", radius=0))
        self.name, self.where, self.on_closed = title, where, on_closed
        self.close: Callable[[], object] = lambda: None
        words = Col(Text(title, 20, bold=True), Text(sub, 14, "muted") if sub else None, grow=1)
        closing = Button("", "cross", "bare", lambda: self.close(), fixed=64, inset=8, name=texts("widgets.close"))
        self._head = Row(words, head, closing, gap=8, tall=72, pad=(24, 4, 12, 4))
        self._closes_with_cross = where != "middle"
        if not self._closes_with_cross:
            self._head.drop(closing)
        self._body = Scroll(body, fill=1) if scrolls else body
        self.body = body
        parts = [self._head, self._body, foot]
        self.panel = Node(box=Box(fill="card", radius=0 if where != "middle" else 8))
        self._parts_down = [part for part in parts if part is not None]
        for part in self._parts_down:
            self.panel.add(part)
        self._foot = foot
        self.add(self.panel)

    def closed(self) -> None:
        """Tells whoever opened it."""
        self.on_closed()

    def arrange(self) -> None:
        x, y, width, height = self.x, self.y, self.width, self.height
        if self.where == "side" and width >= look.dp(840) and not look.large:
            side = look.dp(480)
            x += 0 if look.choice.grip == "left" else width - side
            width = side
        elif self.where == "middle":
            wide = min(width - 2 * look.dp(24), look.dp(600) * (1.3 if look.large else 1))
            high = min(height - 2 * look.dp(16), self._wanted(wide))
            x, y = x + (width - wide) / 2, y + (height - high) / 2
            width, height = wide, high
        self.panel.place(x, y, width, height)
        self._arrange_panel()

    def _wanted(self, width: float) -> float:
        foot = self._foot.high(width) if self._foot is not None else 0
        return self._head.high(width) + self.body.high(width) + foot + 1

    def _arrange_panel(self) -> None:
        panel = self.panel
        head = self._head.high(panel.width)
        foot = self._foot.high(panel.width) if self._foot is not None else 0
        self._head.place(panel.x, panel.top - head, panel.width, head)
        if self._foot is not None:
            self._foot.place(panel.x, panel.y, panel.width, foot)
        self._body.place(panel.x, panel.y + foot, panel.width, max(0, panel.height - head - foot))

    def holds_layout(self, kid: Node) -> bool:
        return True

    def reflowed(self) -> None:
        self._arrange_panel()


def dialog(
    texts: Texts,
    title: str,
    sentence: str,
    *,
    yes: str,
    act: Callable[[], object],
    no: str | None = None,
    danger: bool = False,
) -> Sheet:
    """A question with two answers. The safe one stands first and is never the dangerous colour."""

    def choose() -> None:
        sheet.close()
        act()

    stay = Button(no or texts("widgets.cancel"), None, "plain", lambda: sheet.close())
    go = Button(yes, None, "danger" if danger else "primary", choose)
    body = Col(Text(sentence, 18), Gap(8), pad=(24, 0))
    foot = Wrap(stay, go, gap=24, pad=(24, 12))
    sheet = Sheet(texts, title, body, where="middle", foot=foot)
    return sheet
