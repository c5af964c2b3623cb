"""Undo steps of a text, one a word. Pure: keeps states, decides where one word ends, touches no widget."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST = 50
State = tuple[str, int]


def ends_word(before: str, after: str) -> bool:
    """Whether the change from one text to the next closes a word: a sign after letters, or a larger change."""
    if abs(len(after) - len(before)) > 1:
        return True
    if len(after) < len(before):
        return False
    pairs = enumerate(zip(before, after, strict=False))
    place = next((i for i, (old, new) in pairs if old != new), len(before))
    typed = after[place : place + 1]
    return bool(typed) and not typed.isalnum()


@dataclass
class Steps:
    """States one can go back to: (text, caret). At most 50; the oldest go first."""

    past: list[State] = field(default_factory=list)
    future: list[State] = field(default_factory=list)
    removing: bool = False

    def change(self, before: State, after: State) -> State | None:
        """Tells of a change; returns the state that became a step, or None inside a word."""
        removing = len(after[0]) < len(before[0])
        turned = removing != self.removing
        self.removing = removing
        self.future.clear()
        if self.past and not turned and not ends_word(before[0], after[0]):
            return None
        if self.past and self.past[-1][0] == before[0]:
            return None
        self.past.append(before)
        del self.past[:-MOST]
        return before

    def undo(self, now: State) -> State | None:
        """The state before the last step, or None at the beginning."""
        if not self.past:
            return None
        self.future.append(now)
        return self.past.pop()

    def redo(self, now: State) -> State | None:
        if not self.future:
            return None
        self.past.append(now)
        return self.future.pop()
