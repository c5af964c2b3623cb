"""Appending frames to the ledger and projecting the subjects they touch: the one place where frames are written.

Order inside the transaction: chains and subjects are locked and checked by the caller, states folded and projected,
and the counter is taken as the last lock; with its numbers frames and new access rows go in. Source: SETTLED
decisions 12, 13, 21, 22.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update
from sqlmodel import Session, col, delete, select

from server.ledger import queries
from server.ledger.packing import packed
from server.ledger.projectors import projectors
from server.ledger.tables import AccessRow, ChainRow, CounterRow, FrameRow, SubjectRow
from shared.accounts import Person
from shared.ledger.frame import Frame
from shared.ledger.messages import next_ledger_head
from shared.ledger.operation import Operation
from shared.permissions import readers
from shared.registry import state_of
from shared.values import SubjectId
from shared.visits import Visit


@dataclass(frozen=True)
class Incoming:
    """A frame ready to be appended: its lines beyond what is held, and its readable operations."""

    frame: Frame
    operations: tuple[Operation, ...]


def append(session: Session, incoming: Sequence[Incoming], now: datetime) -> dict[SubjectId, Any]:
    """Projects the touched subjects and writes the frames. Returns the folded states by subject.

    The caller has checked seals, chains and rights, holds the locks of the subjects, and commits.
    """
    states = _fold_touched(session, incoming)
    granted, withdrawn = _access_changes(session, states)
    numbers = len(incoming) + (1 if granted else 0)
    taken = session.execute(
        update(CounterRow).where(col(CounterRow.id) == 1).values(value=CounterRow.value + numbers)
        .returning(col(CounterRow.value), col(CounterRow.head))
    ).one()  # fmt: skip
    first, head = taken[0] - numbers + 1, bytes.fromhex(taken[1])
    _insert_access(session, granted, withdrawn, first)
    cursor = first + (1 if granted else 0)
    rows = []
    for item in incoming:
        last_id = item.frame.ids()[-1]
        head = next_ledger_head(head, last_id)
        header = item.frame.header
        rows.append(
            {
                "cursor": cursor, "subject": header.subject, "device": header.device, "first": header.first,
                "count": header.count, "last_id": last_id.hex(), "data": packed(item.frame),
                "ledger_head": head.hex(), "received_at": now,
            }
        )  # fmt: skip
        _advance_chain(session, item, last_id.hex(), cursor)
        cursor += 1
    if rows:
        session.execute(insert(FrameRow), rows)
        session.execute(update(CounterRow).where(col(CounterRow.id) == 1).values(head=head.hex()))
    return states


def project_again(session: Session, subject: SubjectId) -> None:
    """Folds a subject from its frames and makes its rows anew; new readers are granted with a fresh number."""
    folding = _Folding(session, {})
    folding.project(subject)
    granted, withdrawn = _access_changes(session, folding.states)
    number = 0
    if granted:
        statement = update(CounterRow).where(col(CounterRow.id) == 1).values(value=CounterRow.value + 1)
        number = session.execute(statement.returning(col(CounterRow.value))).scalar_one()
    _insert_access(session, granted, withdrawn, number)


def _fold_touched(session: Session, incoming: Iterable[Incoming]) -> dict[SubjectId, Any]:
    """Every touched subject folded once, those that others belong to first; then what belongs to a touched visit."""
    fresh: dict[SubjectId, list[Operation]] = {}
    for item in incoming:
        fresh.setdefault(item.frame.header.subject, []).extend(item.operations)
    folding = _Folding(session, fresh)
    for subject in sorted(fresh, key=lambda subject: _depth(session, subject)):
        folding.project(subject)
    for subject, state in list(folding.states.items()):
        if isinstance(state, Visit) and subject in fresh:
            for child in queries.children(session, subject):
                if child not in fresh:
                    folding.project(child)
    return folding.states


def _depth(session: Session, subject: SubjectId) -> tuple[int, str]:
    row = session.get(SubjectRow, subject)
    return (1 if row and row.parent else 0, subject)


class _Folding:
    """Folds and projects subjects of one transaction, each once; parents folded on the way are kept."""

    def __init__(self, session: Session, fresh: dict[SubjectId, list[Operation]]) -> None:
        self.states: dict[SubjectId, Any] = {}
        self._session = session
        self._fresh = fresh
        self._parents: dict[SubjectId, Any] = {}

    def project(self, subject: SubjectId) -> None:
        """A changed group changes what its record, interviews and report mean: they come through here too."""
        row = self._session.get(SubjectRow, subject)
        if row is None:
            return
        parent = self._parent(SubjectId(row.parent)) if row.parent else None
        operations = [*queries.operations(self._session, subject), *self._fresh.get(subject, ())]
        state = self.states[subject] = state_of(row.kind, subject, operations, parent)
        row.clock = max(row.clock, state.clock)
        for project in projectors(row.kind):
            project(self._session, state)

    def _parent(self, subject: SubjectId) -> Any:
        if subject in self.states:
            return self.states[subject]
        if subject not in self._parents:
            self._parents[subject] = queries.state(self._session, subject)
        return self._parents[subject]


def _access_changes(
    session: Session, states: dict[SubjectId, Any]
) -> tuple[list[tuple[str, SubjectId]], list[tuple[str, SubjectId]]]:
    granted: list[tuple[str, SubjectId]] = []
    withdrawn: list[tuple[str, SubjectId]] = []
    for subject, state in states.items():
        wanted = set(readers(state))
        held = set(session.exec(select(AccessRow.audience).where(AccessRow.subject == subject)))
        shared_persons = _colleagues(state)
        granted += [(audience, subject) for audience in sorted(wanted - held)]
        if not isinstance(state, Person):  # colleagues of a visit hold it too: see _colleagues
            withdrawn += [(audience, subject) for audience in sorted(held - wanted)]
        for audience, person in shared_persons:
            if session.get(AccessRow, (audience, person)) is None:
                granted.append((audience, person))
    return granted, withdrawn


def _colleagues(state: Any) -> list[tuple[str, SubjectId]]:
    """Members of a common visit see each other's person subject: names, and the devices keys are wrapped to."""
    if not isinstance(state, Visit):
        return []
    return [(one, SubjectId(other)) for one in state.members for other in state.members if one != other]


def _insert_access(
    session: Session, granted: list[tuple[str, SubjectId]], withdrawn: list[tuple[str, SubjectId]], number: int
) -> None:
    for audience, subject in withdrawn:
        session.execute(delete(AccessRow).where(col(AccessRow.audience) == audience, col(AccessRow.subject) == subject))
    if granted:
        rows = [
            {"audience": audience, "subject": subject, "granted": number}
            for audience, subject in dict.fromkeys(granted)
        ]
        session.execute(insert(AccessRow), rows)


def _advance_chain(session: Session, item: Incoming, last_id: str, cursor: int) -> None:
    header = item.frame.header
    clock = max((operation.clock for operation in item.operations), default=0)
    chain = session.get(ChainRow, (header.device, header.subject))
    if chain is None:
        session.add(
            ChainRow(device=header.device, subject=header.subject, seq=item.frame.last, head=last_id, clock=clock)
        )
    else:
        chain.seq, chain.head, chain.clock = item.frame.last, last_id, max(chain.clock, clock)
    subject = session.get(SubjectRow, header.subject)
    if subject is not None:
        subject.accepted = subject.projected = cursor
    session.flush()
