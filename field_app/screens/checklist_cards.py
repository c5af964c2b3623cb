"""The scrolling column of question cards: those in view are built at once, the rest frame by frame.

A card that appears, goes or grows never moves the one under the finger: the column keeps an anchor where it stood.
Knows cards only as nodes made for a path. Source: UX P7 and T4; PERFORMANCE: a theme of 60 questions opens in 300 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from kivy.clock import Clock

from field_app.widgets.frame import Page
from field_app.widgets.node import Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import extents
from field_app.widgets.theme import look

NEXT_FRAME = 0.004
SECONDS_A_FRAME = 0.008
"""How long building goes on in one frame."""
_TEXT_SHARE = 0.72
"""The part of a card's width that its question has."""


class Slot(Node):
    """The place of one card; until the card is made, as high as it will most likely be."""

    def __init__(self, path: str, words: str, low: bool) -> None:
        super().__init__()
        self.path, self._words, self._low = path, words, low

    @property
    def card(self) -> Node | None:
        """The card, once it is made."""
        return self.kids[0] if self.kids else None

    def measure(self, width: float) -> float:
        if self.card is not None:
            return self.card.high(width)
        lines = -(-extents(self._words, look.sp(20), True)[0] // max(1.0, width * _TEXT_SHARE))
        return look.dp(96 if self._low else 236) + max(0.0, lines - 2) * look.sp(28)

    def arrange(self) -> None:
        if self.card is not None:
            self.card.place(self.x, self.y, self.width, self.height)


class Cards(Scroll):
    """The column. `make(path)` makes a card; `words(path)` its text and whether it is a low one, before it is made."""

    def __init__(self, make: Callable[[str], Node], words: Callable[[str], tuple[str, bool]]) -> None:
        self._make, self._words = make, words
        self._slots: dict[str, Slot] = {}
        self._later = Clock.create_trigger(lambda _: self._build_some(), NEXT_FRAME)
        self._building = False
        super().__init__(Page())

    # --- what there is ---------------------------------------------------------------------------------------
    @property
    def paths(self) -> list[str]:
        """Paths from top to bottom."""
        return [slot.path for slot in self.body.kids]

    def card(self, path: str) -> Node | None:
        """The card of a path when it is made."""
        slot = self._slots.get(path)
        return slot.card if slot else None

    def made(self) -> dict[str, Node]:
        """Every card made so far."""
        return {path: slot.card for path, slot in self._slots.items() if slot.card is not None}

    def show_paths(self, paths: Sequence[str]) -> None:
        """Other questions; those that stay keep their cards and their place on the glass."""
        if self.paths == list(paths):
            return
        anchor = self.anchor()
        wanted = set(paths)
        for path in [each for each in self._slots if each not in wanted]:
            self.body.drop(self._slots.pop(path))
        for index, path in enumerate(paths):
            if path not in self._slots:
                slot = self._slots[path] = Slot(path, *self._words(path))
                self.body.add(slot, index)
        if self.paths != list(paths):
            self.body.refill([self._slots[path] for path in paths])
        if self.width > 1:
            self.arrange()
            self.hold(anchor)
        self._later()

    def remake(self, path: str) -> None:
        """A new card in the place of the present one."""
        slot = self._slots.get(path)
        if slot is not None and slot.card is not None:
            slot.drop(slot.card)
            slot.add(self._make(path))
            self.arrange()

    # --- anchor ----------------------------------------------------------------------------------------------
    def _hidden(self, slot: Slot) -> float:
        """Pixels between the top of the column and the top of the slot."""
        return self._content - slot.top

    def anchor(self, path: str = "") -> tuple[str, float]:
        """(path, pixels of it hidden above) of a card, or of the topmost one in view."""
        slot = self._slots.get(path)
        if slot is not None:
            return path, self.offset - self._hidden(slot)
        for each in self.body.kids:
            if self._content - each.y > self.offset + 1:
                return each.path, self.offset - self._hidden(each)
        return "", 0.0

    def hold(self, anchor: tuple[str, float]) -> None:
        """Scrolls so that the anchor stands where it stood."""
        slot = self._slots.get(anchor[0])
        if slot is not None:
            self.scroll_to(self._hidden(slot) + anchor[1])

    def in_view(self, path: str) -> bool:
        """Whether the whole head of a card is to be seen."""
        slot = self._slots.get(path)
        if slot is None:
            return False
        above = self._hidden(slot) - self.offset
        return -look.dp(8) <= above <= self.height - look.dp(64)

    def jump(self, path: str, hidden: float = 0.0) -> None:
        """Brings a card to the top of the pane, `hidden` pixels of it above; built before it is seen."""
        slot = self._slots.get(path)
        if slot is None:
            return
        margin = look.dp(12) if hidden == 0 else 0
        for _ in range(3):
            wanted = self._hidden(slot) + hidden - margin
            if abs(wanted - self.offset) < 1:
                break
            self.scroll_to(wanted)

    # --- building --------------------------------------------------------------------------------------------
    def scroll_to(self, offset: float) -> None:
        super().scroll_to(offset)
        if not self._building:
            self._build_near()

    def _near(self, slot: Slot) -> bool:
        above = self._hidden(slot) - self.offset
        return above < self.height and above + slot.height > 0

    def _build_near(self) -> None:
        """Makes what is to be seen now, and holds the topmost card where it is."""
        near = [slot for slot in self.body.kids if slot.card is None and slot.width > 1 and self._near(slot)]
        if near:
            self._build(near)

    def _build(self, slots: Sequence[Slot], end: float | None = None) -> None:
        """Makes cards until `end` (seconds of the counter); lays out anew only when a guess was wrong."""
        anchor, moved = self.anchor(), False
        for slot in slots:
            moved |= self._fill(slot)
            if end is not None and perf_counter() > end:
                break
        if moved:
            self._building = True
            self.arrange()
            self._building = False
            self.hold(anchor)

    def _fill(self, slot: Slot) -> bool:
        """Makes one card; whether its slot was guessed too high or too low."""
        guessed = slot.high(slot.width)
        slot.add(self._make(slot.path))
        if slot.high(slot.width) != guessed:
            return True
        slot.arrange()
        return False

    def _build_some(self) -> None:
        if self.get_root_window() is None:
            return
        left = [slot for slot in self.body.kids if slot.card is None and slot.width > 1]
        if left:
            self._build(left, perf_counter() + SECONDS_A_FRAME)
            self._later()

    def build_all(self) -> None:
        """Makes every card now."""
        self._build([slot for slot in self.body.kids if slot.card is None and slot.width > 1])
