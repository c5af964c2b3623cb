"""What the person was told is saved: kept here, outside the system, so that nothing the system loses is forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared.ledger.operation import Operation
from shared.values import DeviceId, OperationId, SubjectId
from tests.ground import Tablet


@dataclass(frozen=True)
class Saved:
    """One acknowledged operation. typed: the words that went into it, None when nothing was typed."""

    id: OperationId
    kind: str
    subject: SubjectId
    device: DeviceId
    seq: int
    tablet: str
    files: tuple[str, ...] = ()
    typed: dict[str, Any] | None = None


@dataclass
class Saves:
    """Every acknowledged save of a schedule, and the words of saves that were refused.

    lengths  (tablet, subject) → operations of the own chain that were acknowledged or known to have been written
    """

    all: dict[OperationId, Saved] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    drafts: dict[str, dict[str, str]] = field(default_factory=dict)
    lengths: dict[tuple[str, SubjectId], int] = field(default_factory=dict)
    said: int = 0

    def word(self, prefix: str = "w") -> str:
        """A word that was never typed before."""
        self.said += 1
        return f"{prefix}q{self.said:05d}zx"

    def private_word(self) -> str:
        """A word that may stand in clear nowhere but in the memory of who typed or may read it."""
        word = self.word("secret")
        self.private.add(word)
        return word

    def fresh(self, tablet: Tablet) -> list[Operation]:
        """Own operations of the tablet that were not here before; from now on they are."""

        def work(opened: Any) -> list[Operation]:
            device = opened.identity.device
            found: list[Operation] = []
            for subject, numbers in opened.numbers.items():
                known = self.lengths.get((tablet.name, subject), 0)
                if len(numbers) > known:
                    self.lengths[tablet.name, subject] = len(numbers)
                    found += [
                        each for each in opened.book.subjects[subject].operations
                        if each.device == device and each.seq > known
                    ]  # fmt: skip
            return found

        return tablet.store.reading(work)

    def acknowledge(self, tablet: Tablet, typed: dict[str, dict[str, Any]]) -> list[Saved]:
        """The act came back: everything it wrote is saved. typed: kind → words that went into the last of that kind."""
        done = []
        left = dict(typed)
        for each in reversed(self.fresh(tablet)):
            files = tuple(file.sha256 for file in getattr(each.body, "files", ()))
            saved = Saved(
                each.id, each.kind, each.subject, each.device, each.seq, tablet.name, files, left.pop(each.kind, None)
            )
            self.all[each.id] = saved
            done.append(saved)
        return done
