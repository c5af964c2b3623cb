"""A visit: planned, group formed, conflicts cleared, mandate issued, started, closed.

Where it goes stays sealed until the door opens: the institution appears with `visit_started`. Decides when a group is
ready to go and who is in it. Source: domain sections 6.1-6.3, SETTLED decisions 14, 16, 17, 53.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shared.errors import RuleBroken
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold, Subject, Words
from shared.values import DeviceId, InstitutionKey, PersonId, SubjectId
from shared.visit_requests import VisitKind

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters of a group's tablets; I and O look like digits. Source: SETTLED decision 17."""


class VisitPlanned(Body, frozen=True):
    """A visit is to be made; sealed words: institution (register key), from_on, to_on (yyyy-mm-dd), reason.

    Made by the office from an approved request, or by a member on the spot (`visit_kind` unplanned: flagged).
    """

    KIND = "visit_planned"
    visit_kind: VisitKind
    key: str
    sealed: str
    request: SubjectId = SubjectId("")
    photos_allowed: bool = False


class GroupFormed(Body, frozen=True):
    """The Council forms the group and names its leader; a later one replaces it."""

    KIND = "group_formed"
    members: tuple[PersonId, ...]
    leader: PersonId
    least: int


class ConflictDeclared(Body, frozen=True):
    """A member says whether something casts doubt on his or her impartiality. sealed words: what."""

    KIND = "conflict_declared"
    conflict: bool
    key: str = ""
    sealed: str = ""


class MandateIssued(Body, frozen=True):
    """The paper shown at the gate: number, [person, name as printed] with the leader first, first and last day
    (yyyy-mm-dd), signed QR text."""

    KIND = "mandate_issued"
    number: str
    names: tuple[tuple[PersonId, str], ...]
    valid_from: str
    valid_until: str
    code: str


class MandateWithdrawn(Body, frozen=True):
    """The mandate with this number no longer holds."""

    KIND = "mandate_withdrawn"
    number: str
    reason: str


class OfficerAssigned(Body, frozen=True):
    """An officer of the National Centre reviews this visit."""

    KIND = "officer_assigned"
    person: PersonId


class VisitStarted(Body, frozen=True):
    """The group stands at the gate: the institution is named from here on."""

    KIND = "visit_started"
    institution: InstitutionKey
    arrived_at: str


class EntryRecorded(Body, frozen=True):
    """When the group was let in and how many people were held that day. sealed words: official, reason."""

    KIND = "entry_recorded"
    admitted_at: str
    held_count: int = 0
    delay_minutes: int = 0
    key: str = ""
    sealed: str = ""


class VisitClosed(Body, frozen=True):
    """The group has left."""

    KIND = "visit_closed"
    left_at: str


Stage = Literal["planned", "group_formed", "conflicts_cleared", "mandate_issued", "started", "closed"]


@dataclass
class Visit(Subject):
    """State of a visit."""

    visit_kind: VisitKind = "special"
    planned_by: PersonId = PersonId("")
    planned_at: str = ""
    request: SubjectId = SubjectId("")
    photos_allowed: bool = False
    plan: Words | None = None
    members: tuple[PersonId, ...] = ()
    leader: PersonId = PersonId("")
    ever_members: set[PersonId] = field(default_factory=set)
    conflicts: dict[PersonId, bool] = field(default_factory=dict)
    mandate: MandateIssued | None = None
    mandate_at: str = ""
    mandates: list[tuple[str, MandateIssued]] = field(default_factory=list)
    officers: set[PersonId] = field(default_factory=set)
    institution: InstitutionKey | None = None
    started_at: str = ""
    started_by: PersonId = PersonId("")
    entry: EntryRecorded | None = None
    closed_at: str = ""
    history: list[tuple[str, str, PersonId]] = field(default_factory=list)

    @property
    def stage(self) -> Stage:
        """How far the visit is."""
        if self.closed_at:
            return "closed"
        if self.institution:
            return "started"
        if self.mandate:
            return "mandate_issued"
        if self.members and self.conflicts_cleared:
            return "conflicts_cleared"
        return "group_formed" if self.members else "planned"

    @property
    def conflicts_cleared(self) -> bool:
        """Whether every member of the group declared that there is no conflict of interest."""
        return bool(self.members) and all(self.conflicts.get(person) is False for person in self.members)

    def letter_of(self, person: PersonId) -> str:
        """The letter of a member's tablet in the group; the first when the person opened the visit alone."""
        order = self.members or (self.planned_by,)
        return LETTERS[order.index(person) % len(LETTERS)] if person in order else "X"


def _note(state: Visit, operation: Operation) -> None:
    state.history.append((operation.at, operation.kind, operation.author))


def check_group(members: tuple[PersonId, ...], leader: PersonId, least: int) -> None:
    """Raises RuleBroken when this cannot be a group: too small, a member twice, leader not in it.

    least  fewest members by the rule visit.group.min_size
    """
    if len(set(members)) != len(members):
        raise RuleBroken("member_twice", "visit.group.min_size")
    if len(members) < least:
        raise RuleBroken("group_too_small", "visit.group.min_size", members=len(members), least=least)
    if leader not in members:
        raise RuleBroken("leader_not_in_group", "visit.group.leader_appointer")


def in_group(state: Visit, person: PersonId) -> bool:
    """Whether the person makes this visit: a member of the group, or whoever opened an unplanned one."""
    return person in state.members or (state.visit_kind == "unplanned" and person == state.planned_by)


def _require_group(state: Visit, person: PersonId) -> None:
    if not in_group(state, person):
        raise RuleBroken("not_in_group", "visit.group.former")


def require_outside(state: Visit, person: PersonId) -> None:
    """Raises RuleBroken when the person is or was of this group: what the office decides about a visit, nobody decides
    about the own one. So nothing a group's tablet sends can stand for the office. Source: SECURITY D."""
    if person in state.ever_members:
        raise RuleBroken("not_allowed", "SECURITY D")


def _planned(state: Visit, operation: Operation, body: VisitPlanned) -> None:
    if state.plan:
        raise RuleBroken("already_decided", "visit.plan.approver")
    state.visit_kind, state.planned_by, state.planned_at = body.visit_kind, operation.author, operation.at
    state.request, state.photos_allowed = body.request, body.photos_allowed
    state.plan = Words(operation.id, operation.kind, body.key, body.sealed)
    if body.visit_kind == "unplanned":
        state.ever_members.add(operation.author)
    _note(state, operation)


def _group_formed(state: Visit, operation: Operation, body: GroupFormed) -> None:
    require_outside(state, operation.author)
    # The office names somebody while the group sets out without a network: this does not change the group any more, but
    # what was recorded in good faith until that was known is taken in.
    state.ever_members |= set(body.members)
    if state.institution and state.visit_kind != "unplanned":
        raise RuleBroken("visit_started", "visit.group.former")
    check_group(body.members, body.leader, body.least)
    state.members, state.leader = body.members, body.leader
    state.mandate = None
    _note(state, operation)


def _conflict(state: Visit, operation: Operation, body: ConflictDeclared) -> None:
    _require_group(state, operation.author)
    state.conflicts[operation.author] = body.conflict
    if body.conflict:
        state.mandate = None
    _note(state, operation)


def _mandate(state: Visit, operation: Operation, body: MandateIssued) -> None:
    require_outside(state, operation.author)
    if not state.conflicts_cleared:
        raise RuleBroken("conflict_undeclared", "visit.recusal")
    if state.mandate:
        raise RuleBroken("mandate_standing", "visit.mandate.document", number=state.mandate.number)
    state.mandate, state.mandate_at = body, operation.at
    state.mandates.append((operation.at, body))
    _note(state, operation)


def _mandate_withdrawn(state: Visit, operation: Operation, body: MandateWithdrawn) -> None:
    require_outside(state, operation.author)
    if state.mandate is None or state.mandate.number != body.number:
        raise RuleBroken("mandate_missing", "visit.mandate.document")
    state.mandate = None
    _note(state, operation)


def _officer(state: Visit, operation: Operation, body: OfficerAssigned) -> None:
    require_outside(state, operation.author)
    state.officers.add(body.person)
    _note(state, operation)


def _started(state: Visit, operation: Operation, body: VisitStarted) -> None:
    _require_group(state, operation.author)
    if state.institution:
        raise RuleBroken("visit_started", "domain E-3")
    state.institution, state.started_at, state.started_by = body.institution, body.arrived_at, operation.author
    _note(state, operation)


def _entry(state: Visit, operation: Operation, body: EntryRecorded) -> None:
    _require_group(state, operation.author)
    state.entry = body
    _note(state, operation)


def _closed(state: Visit, operation: Operation, body: VisitClosed) -> None:
    _require_group(state, operation.author)
    if not state.institution:
        raise RuleBroken("visit_not_started", "domain E-3")
    if state.closed_at:
        raise RuleBroken("visit_closed", "domain E-3")
    state.closed_at = body.left_at
    _note(state, operation)


VISIT = Fold(
    "visit",
    lambda subject, parent: Visit(subject),
    {
        VisitPlanned: _planned,
        GroupFormed: _group_formed,
        ConflictDeclared: _conflict,
        MandateIssued: _mandate,
        MandateWithdrawn: _mandate_withdrawn,
        OfficerAssigned: _officer,
        VisitStarted: _started,
        EntryRecorded: _entry,
        VisitClosed: _closed,
    },
)


def mandate_text(number: str, names: list[str], valid_from: str, valid_until: str, device: DeviceId) -> str:
    """The text the server signs into the QR code: never the institution. Source: SETTLED decision 53, domain E-1."""
    return "|".join((number, valid_from, valid_until, device, *names))
