"""The ledger as it stands for one request under way: what its transaction read under lock, and what was accepted since.

Everything is read once. Decides nothing: the door and the rights are asked in `receive`. Source: SETTLED decision 21.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlmodel import Session

from server.ledger import queries
from server.ledger.append import Incoming, begin_subject
from server.ledger.queries import Chain, Standing
from shared.ledger.frame import Frame, without_prefix
from shared.ledger.operation import Operation
from shared.registry import kind_of_subject, parent_of, state_of
from shared.values import DeviceId, SubjectId


class UnderWay:
    """Subjects, chains and operations of one request.

    accepted  frames to append, in the order they were accepted
    ids       of every operation of accepted frames
    held      operations of locked subjects as they were before the request
    """

    def __init__(self, session: Session) -> None:
        self.accepted: list[Incoming] = []
        self.ids: set[str] = set()
        self.held: dict[SubjectId, list[Operation]] = {}
        self._session = session
        self._locked: set[SubjectId] = set()
        self._rows: dict[SubjectId, Standing] = {}
        self._chains: dict[tuple[DeviceId, SubjectId], Chain] = {}
        self._fresh: dict[SubjectId, list[Operation]] = {}

    def lock(self, arrived: Iterable[tuple[SubjectId, Sequence[Operation]]]) -> None:
        """Locks subjects until the transaction ends: first, by id, those that others belong to, then the rest.

        Whoever writes a record, an interview or a report holds its visit too, so that none is projected from an old
        group. Those locked already are passed over.
        """
        frames = [(subject, operations) for subject, operations in arrived if subject not in self._locked]
        rows = queries.standings(self._session, (subject for subject, _ in frames))
        roots: set[SubjectId] = set()
        rest: set[SubjectId] = set()
        for subject, operations in frames:
            row = rows.get(subject)
            parent = row.parent if row and row.parent else parent_of(operations)
            (rest if parent else roots).add(subject)
            roots.update({parent} if parent else ())
        for together in (roots, rest - roots):
            self._rows |= queries.standings(self._session, together, lock=True)
        self._locked |= roots | rest

    def row(self, subject: SubjectId) -> Standing | None:
        """The subject, also one that this request began."""
        if subject not in self._rows:
            row = queries.standing(self._session, subject)
            if row is None:
                return None
            self._rows[subject] = row
        return self._rows[subject]

    def chain(self, device: DeviceId, subject: SubjectId) -> Chain | None:
        """How far a chain is held with what was accepted of it; None before its first operation."""
        place = (device, subject)
        if place not in self._chains:
            chain = queries.chain(self._session, device, subject)
            if chain is None:
                return None
            self._chains[place] = chain
        return self._chains[place]

    def reached(self, device: DeviceId, subject: SubjectId) -> int:
        """How far this request has brought a chain; 0 for one it did not touch."""
        chain = self._chains.get((device, subject))
        return chain.seq if chain else 0

    def operations(self, subject: SubjectId) -> list[Operation]:
        """All of a subject, with what was accepted."""
        held = self.held.get(subject)
        if held is None:
            held = queries.operations(self._session, subject)
            if subject in self._locked:
                self.held[subject] = held
        return [*held, *self._fresh.get(subject, ())]

    def state(self, subject: SubjectId) -> Any:
        """The folded state with what was accepted for it and for the one it belongs to; None for nothing known."""
        row = self.row(subject)
        if row is None:
            return None
        parent = self.state(row.parent) if row.parent else None
        return state_of(row.kind, subject, self.operations(subject), parent)

    def clock(self, subject: SubjectId) -> int:
        """The largest clock of the subject so far."""
        row = self._rows.get(subject)
        return max([row.clock if row else 0, *(each.clock for each in self._fresh.get(subject, ()))])

    def accept(self, frame: Frame, fresh: list[Operation], skip: int) -> None:
        """The chain's head moves at once, so that the next frame of the same request finds its place.

        fresh  operations beyond what is held, the first `skip` of the frame left out
        """
        header = frame.header
        if self.row(header.subject) is None:
            kind = kind_of_subject(fresh)
            assert kind is not None  # a frame that does not say it waits
            self._rows[header.subject] = begin_subject(self._session, header.subject, kind, parent_of(fresh))
        chain = self.chain(header.device, header.subject)
        ids = frame.ids()
        clock = max([chain.clock if chain else 0, *(operation.clock for operation in fresh)])
        self._chains[header.device, header.subject] = Chain(frame.last, ids[-1].hex(), clock)
        self._fresh.setdefault(header.subject, []).extend(fresh)
        self.ids.update(id_.hex() for id_ in ids)
        self.accepted.append(Incoming(without_prefix(frame, skip), tuple(fresh)))
