"""The rail on the side of the holding hand. Note and Cover are its lowest two and never go away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from field_app.widgets.button import Button
from field_app.widgets.node import Box, Node
from field_app.widgets.theme import look
from shared.texts import Texts

RAIL, RAIL_LARGE = 96, 148
SHORT = 700
"""dp of window height under which the rail and the sheets get tighter."""


@dataclass(frozen=True)
class RailItem:
    """A way out of a screen; `current` marks where one is."""

    icon: str
    text: str
    act: Callable[[], object]
    current: bool = False


class Rail(Node):
    """Items from the top, Note and Cover from the bottom."""

    def __init__(
        self,
        texts: Texts,
        items: Sequence[RailItem],
        *,
        note: Callable[[], object],
        cover: Callable[[], object],
    ) -> None:
        super().__init__(box=Box(fill="card", radius=0, sides="l", side="hair"))
        self.items = [
            Button(
                item.text,
                item.icon,
                "soft" if item.current else "bare",
                item.act,
                size=14,
                icon_size=26,
                upright=True,
                inset=2,
                bold=item.current,
            )
            for item in items
        ]
        for button, item in zip(self.items, items, strict=True):
            button.state = "current" if item.current else ""
        self.note = Button(
            texts("widgets.note"), "note", "soft_edge", note, size=14, icon_size=28, upright=True, inset=2
        )
        self.cover = Button(
            texts("widgets.cover"),
            "cover",
            "inverse",
            cover,
            size=14,
            icon_size=28,
            upright=True,
            inset=2,
            act_on_press=True,
            help=texts("widgets.cover_help"),
        )
        for button in (*self.items, self.note, self.cover):
            self.add(button)

    @property
    def wide(self) -> float:
        return look.dp(RAIL_LARGE if look.large else RAIL)

    def arrange(self) -> None:
        if self.box.sides != ("l" if look.choice.grip == "right" else "r"):
            self.restyle(self.box.but(sides="l" if look.choice.grip == "right" else "r"))
        margin, gap, width = look.dp(8), look.dp(8), self.width - 2 * look.dp(8)
        short = self.height < look.dp(SHORT)
        for button in (*self.items, self.note, self.cover):
            button.icon_grows = not short
            button.invalidate()
        low = max(look.dp(88), self.note.high(width), self.cover.high(width))
        self.cover.place(self.x + margin, self.y + margin, width, low)
        self.note.place(self.x + margin, self.y + margin + low + gap, width, low)
        floor, y = self.note.top + gap, self.top - margin
        wanted = max([look.dp(72 if short else 80), *(b.high(width) for b in self.items)])
        room = (y - floor - gap * (len(self.items) - 1)) / max(1, len(self.items))
        high = max(look.dp(64), min(wanted, room))
        for button in self.items:
            y -= high
            button.place(self.x + margin, y, width, high)
            y -= gap

    def holds_layout(self, kid: Node) -> bool:
        return True
