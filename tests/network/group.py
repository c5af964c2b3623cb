"""A group at work for trials: a visit begun on every tablet, what was saved kept outside, what must hold at the end.

Every answer saved has a value of its own, so that it can be found again wherever it lies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from field_app.acts import records, visits
from server.ledger import queries
from server.ledger.verify import verify
from shared.values import SubjectId
from tests.ground import Tablet, World
from tests.ground.founding import INSTITUTION

ROUNDS = 5
"""Rounds in which every queue must be empty once nothing goes wrong any more. Source: SECURITY C, I4."""
MEMBERS = ("leader", "other", "third")


@dataclass
class Group:
    """The world, the record they write, and the values saved: with the person's knowledge, outside the system."""

    world: World
    record: SubjectId
    saved: list[int] = field(default_factory=list)

    @property
    def tablets(self) -> list[Tablet]:
        """Everybody's."""
        return list(self.world.tablets.values())

    def answer(self, tablet: Tablet, item: str = "") -> int:
        """One more answer, acknowledged when this returns; its value."""
        value = len(self.saved) + 1
        records.answer(tablet.store, self.record, item or f"/mc/q{value}", value, tablet.clock())
        self.saved.append(value)
        return value

    def settle(self, rounds: int = ROUNDS) -> None:
        """Everything is well again: after so many rounds nothing waits. Raises AssertionError."""
        for tablet in self.tablets:
            tablet.line.heal()
        for _ in range(rounds):
            for tablet in self.tablets:
                self.world.clock.pass_(seconds=40)
                tablet.sync()
        left = {tablet.name: tablet.store.unsent() for tablet in self.tablets if tablet.store.unsent()}
        assert not left, f"after {rounds} rounds there still waits: {left}"
        for tablet in self.tablets:  # what the last one sent, the first one fetches
            self.world.clock.pass_(seconds=40)
            done = tablet.sync()
            assert done.trouble == "", (tablet.name, done)

    def check(self) -> None:
        """Each save is once at the office and on every tablet; the ledger is whole; nobody is called a twin."""
        assert self.values(self.world.operations(self.record)) == Counter(self.saved), "office"
        for tablet in self.tablets:
            assert self.values(tablet.store.operations(self.record)) == Counter(self.saved), tablet.name
            codes = {alarm.code for alarm in tablet.store.alarms()}
            assert not codes & {"fork", "bad_seal", "emptied", "ledger_cut", "office_lost"}, (tablet.name, codes)
            assert not tablet.store.meta.differs, (tablet.name, tablet.store.meta.differs)
            assert not tablet.store.meta.revoked, f"{tablet.name} was stopped from reading"
        with self.world.office.database.read() as session:
            found = verify(session)
            assert found.is_whole, found.wrong

    def held(self) -> Counter[int]:
        """The values the office holds."""
        return self.values(self.world.operations(self.record))

    def values(self, operations: Sequence[object]) -> Counter[int]:
        """The values of these operations' answers, each with how often it stands there."""
        return Counter(each.body.value for each in operations if each.kind == "answer_recorded")  # type: ignore[attr-defined]

    def history(self) -> list[object]:
        """Every operation the office holds of the record, in order."""
        with self.world.office.database.read() as session:
            return sorted(queries.operations(session, self.record), key=lambda each: each.order)


@contextmanager
def at_work(folder: Path, names: Sequence[str] = MEMBERS) -> Iterator[Group]:
    """A group that begun its visit; all tablets hold the record."""
    with World.open(folder / "world", tablets=names) as world:
        first = world.tablets[names[0]]
        visits.start(first.store, world.visit, INSTITUTION, first.clock())
        for tablet in world.tablets.values():
            assert tablet.sync().trouble == ""
        yield Group(world, first.record(world.visit))
