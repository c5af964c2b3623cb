"""The frames of an ordinary request at the door: records of a visit that begin or go on, and nothing is odd.

Asks every question of the door and steps aside (`Extraordinary`) at the first thing that is not plainly in order; never
refuses, never writes. Source: SETTLED decisions 18-22, PROTOCOL P28, decision 0009.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.ledger.ordinary_rows import OrdinaryRows, Standing
from server.ledger.queries import Chain
from shared.ledger.door import clocks_hold
from shared.ledger.merge import heads_digest, heads_moved
from shared.ledger.messages import Hello
from shared.ledger.opened import Opened
from shared.ledger.operation import genesis
from shared.permissions import OFFICE_ACTS
from shared.registry import BODIES, PARENT_FIELD, subject_kind_of
from shared.values import PersonId, SubjectId, is_id

KIND, PARENT = "record", "visit"
"""The kind whose readers are those of the subject it belongs to, whatever is written in it."""
_OF_A_RECORD = frozenset({KIND, None})
_NAMES_ITS_VISIT = tuple(
    body for body in BODIES.values()
    if subject_kind_of(body.KIND) == KIND and PARENT_FIELD[KIND] in body.__struct_fields__
)  # fmt: skip


class Extraordinary(Exception):
    """Something is not as it mostly is: the exchange that decides in full takes over, and nothing was written."""


class Arrival:
    """The frames of one request at the door; steps aside at the first thing that is not plainly in order."""

    def __init__(self, rows: OrdinaryRows, connection: Any, hello: Hello, person: PersonId) -> None:
        self._rows = rows
        self._connection = connection
        self._device = hello.device
        self._person = person
        self.begun: dict[SubjectId, set[str]] = {}
        self.parents: dict[SubjectId, SubjectId] = {}
        self.chains: dict[SubjectId, Chain] = {}
        self.held: dict[SubjectId, Chain] = {}
        self.clocks: dict[SubjectId, int] = {}

    def judge(self, frames: Sequence[Opened]) -> None:
        """Finds a place for every frame: chains, rights and clocks as they are after it."""
        subjects = list(dict.fromkeys(each.frame.header.subject for each in frames))
        standing = self._locked(subjects, frames)
        if subjects and self._rows.waits_behind(self._connection, subjects):
            raise Extraordinary
        self.held = self._rows.chains(self._connection, self._device, subjects) if subjects else {}
        for subject in subjects:
            audiences = self._rows.audiences_of(self._connection, self.parents[subject])
            if self._person not in audiences:
                raise Extraordinary
            row = standing.get(subject)
            if row is None:
                self.begun[subject] = audiences
            self.clocks[subject] = row.clock if row else 0
            self.chains[subject] = self.held.get(subject) or Chain(0, genesis(self._device, subject).hex(), 0)
        for each in frames:
            self._place(each)

    def heads(self) -> str:
        """The digest over the device's chains as they are after it, kept until the end."""
        digest = self._rows.heads_digest(self._connection, self._device, lock=True)
        if not digest:
            ends = self._rows.heads(self._connection, self._device)
            begun = heads_digest((end.subject, end.seq, end.id) for end in ends)
            self._rows.begin_heads(self._connection, self._device, begun)
            digest = self._rows.heads_digest(self._connection, self._device, lock=True)
        for subject, chain in self.chains.items():
            before = self.held.get(subject)
            digest = heads_moved(digest, subject, before and before[:2], chain[:2])
        return digest

    def _locked(self, subjects: Sequence[SubjectId], frames: Sequence[Opened]) -> dict[SubjectId, Standing]:
        """Locks visits first, then their records. Every record stands, or says in these frames to which visit it
        belongs."""
        standing = self._rows.subjects(self._connection, subjects, lock=False)
        for subject in subjects:
            row = standing.get(subject)
            if row is not None and row.kind != KIND:
                raise Extraordinary
            said = _parents_said(subject, frames)
            if row is not None and said - {row.parent}:
                raise Extraordinary  # it names another visit than the record's own
            parent = row.parent if row else _the_one(said)
            if parent is None:
                raise Extraordinary
            self.parents[subject] = parent
        visits = self._rows.subjects(self._connection, set(self.parents.values()), lock=True)
        if any(visit.kind != PARENT for visit in visits.values()) or set(self.parents.values()) - visits.keys():
            raise Extraordinary
        now = self._rows.subjects(self._connection, subjects, lock=True)
        if now.keys() != standing.keys():
            raise Extraordinary
        return now

    def _place(self, each: Opened) -> None:
        header = each.frame.header
        subject, chain = header.subject, self.chains[header.subject]
        if header.first != chain.seq + 1 or header.prev != chain.head:
            raise Extraordinary
        fields = each.fields
        kinds = {one.kind for one in fields}
        if kinds & OFFICE_ACTS or not _OF_A_RECORD.issuperset(map(subject_kind_of, kinds)):
            raise Extraordinary
        if {one.author for one in fields} - {self._person}:
            raise Extraordinary
        if not clocks_hold(fields, chain.clock, self.clocks[subject]):
            raise Extraordinary
        clock = max((one.clock for one in fields), default=0)
        self.clocks[subject] = max(self.clocks[subject], clock)
        self.chains[subject] = Chain(each.frame.last, each.ids[-1].hex(), max(chain.clock, clock))


def _parents_said(subject: SubjectId, frames: Sequence[Opened]) -> set[str]:
    """The visits that the bodies of a record's frames name."""
    return {
        str(getattr(body, PARENT_FIELD[KIND]))
        for each in frames if each.frame.header.subject == subject
        for body in each.bodies if isinstance(body, _NAMES_ITS_VISIT)
    }  # fmt: skip


def _the_one(said: set[str]) -> SubjectId | None:
    """The visit a new record belongs to; None when its frames name none or two."""
    parent = next(iter(said)) if len(said) == 1 else ""
    return SubjectId(parent) if is_id(parent) else None
