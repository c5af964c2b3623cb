"""Reading what was kept aside and which tablets were stopped, as the page and the commands show it.

Opens nothing: of a frame only kinds and counts are told, never a word. Whose rows a reader sees the access matrix says,
for the folded subject the frame belongs to. Source: SECURITY D, row Quarantine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from server.accounts import queries as people
from server.accounts.tables import DeviceRow
from server.ledger import queries as ledger
from server.ledger.tables import ContactRow, FrameRow, HeldFrameRow, SubjectRow
from server.office import Reader
from server.quarantine.actions import check_takable, state_about
from server.quarantine.decisions import frame_in
from server.quarantine.tables import FrameDecisionRow, ProposalRow
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.ledger.frame import Frame
from shared.ledger.merge import operations_of
from shared.permissions import may
from shared.registry import BODIES, kind_of_subject
from shared.values import DeviceId, SubjectId, is_hash
from shared.visits import Visit

SHOWN = 100
"""Most frames on a page; the oldest first, so that deciding brings up the rest."""
SHOWS = {"open": ("quarantined",), "waiting": ("waiting",), "decided": ()}
SEES_TABLETS = frozenset({Role.ADMIN, Role.COMMISSIONER, Role.COUNCIL_SECRETARY, Role.AUDITOR, Role.CENTRE_OFFICER})
FAMILIES = {
    "answer": "answers", "non": "answers", "row": "answers", "value": "answers", "choice": "answers",
    "note": "notes", "loose": "notes", "photo": "photos", "finding": "findings", "interview": "interviews",
    "consent": "interviews", "visit": "visit", "conflict": "visit", "entry": "visit", "record": "visit",
    "request": "request", "report": "report", "question": "report", "draft": "report", "key": "keys",
}  # fmt: skip
"""First word of a kind of operation → what people call it: `quarantine.family.<name>`."""


@dataclass(frozen=True)
class Told:
    """What a frame holds, without a word of it: family → how many; `unreadable` lines stand for themselves."""

    families: dict[str, int]
    unreadable: int
    received_at: datetime


@dataclass(frozen=True)
class Proposed:
    """A proposal that waits for the second person."""

    number: int
    outcome: str
    reason: str
    by: str
    by_name: str
    at: datetime


@dataclass(frozen=True)
class Decided:
    """What two people decided."""

    outcome: str
    reason: str
    author: str
    second: str
    at: datetime


@dataclass
class Kept:
    """A frame kept aside (or one that was, with its decision).

    refusal  code of why nobody can take it in; "" when two people may
    others   for a fork: what stands at the same places of the chain
    """

    head: str
    status: str
    reason: str
    owner: str
    label: str
    carrier: str
    count: int
    subject: SubjectId
    subject_kind: str
    visit: str
    received_at: datetime | None = None
    told: Told | None = None
    others: tuple[Told, ...] = ()
    refusal: str = ""
    proposed: Proposed | None = None
    decided: Decided | None = None
    state: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class StoppedTablet:
    """A tablet whose reading was stopped."""

    device: DeviceId
    label: str
    owner: str
    why: str
    since: datetime | None
    seen_at: datetime
    proposed: Proposed | None


def counts(session: Session) -> dict[tuple[str, str], int]:
    """How many frames are held, by (status, reason): numbers alone."""
    rows = session.exec(
        select(HeldFrameRow.status, HeldFrameRow.reason, func.count()).group_by(
            HeldFrameRow.status, HeldFrameRow.reason
        )
    )
    return {(status, reason): int(count) for status, reason, count in rows}


def kept(session: Session, reader: Reader | None, show: str) -> list[Kept]:
    """Frames the reader may see (all of them for the command line), oldest first: to decide, waiting, or decided."""
    looking = _Looking(session)
    if show == "decided":
        rows = session.exec(
            select(FrameDecisionRow).order_by(col(FrameDecisionRow.decided_at).desc(), col(FrameDecisionRow.head))
        )
        found = (looking.decided(row) for row in rows)
    else:
        held = select(HeldFrameRow).where(col(HeldFrameRow.status).in_(SHOWS[show])).order_by(col(HeldFrameRow.id))
        found = (looking.held(row) for row in session.exec(held))
    seen: list[Kept] = []
    for each in found:
        if reader is None or may(reader.person, reader.hat, "quarantine.read", each.state):
            seen.append(each)
            if len(seen) == SHOWN:
                break
    return seen


def one(session: Session, head: str, reader: Reader | None = None) -> Kept:
    """One frame by the id of its last operation, with what it is told to hold. Without a reader: for the command line.

    Raises RuleBroken("not_found"), also for a reader who may not see it.
    """
    looking = _Looking(session)
    row = session.exec(select(HeldFrameRow).where(HeldFrameRow.last_id == head)).first() if is_hash(head) else None
    decision = session.get(FrameDecisionRow, head) if is_hash(head) else None
    if row is not None:
        found = looking.held(row, whole=True)
    elif decision is not None:
        found = looking.decided(decision)
    else:
        raise RuleBroken("not_found")
    if reader is not None and not may(reader.person, reader.hat, "quarantine.read", found.state):
        raise RuleBroken("not_found")
    return found


def by_short_name(session: Session, name: str) -> str:
    """The whole id of the one held frame that begins so (at least six digits). Raises RuleBroken("not_found")."""
    wanted = name.strip().lower()
    known = (*session.exec(select(HeldFrameRow.last_id)), *session.exec(select(FrameDecisionRow.head)))
    found: set[str] = {row for row in known if row.startswith(wanted)}
    if len(wanted) < 6 or len(found) != 1:
        raise RuleBroken("not_found")
    return found.pop()


class _Looking:
    """One look at many frames: names and states are asked once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names = people.names(session)
        self._devices = {row.id: row for row in session.exec(select(DeviceRow))}
        self._states: dict[tuple[str, str | None], Any] = {}
        self._proposals = {row.head: self.proposed(row) for row in session.exec(select(ProposalRow)) if row.head}

    def proposed(self, row: ProposalRow) -> Proposed:
        name = self._names.get(row.proposed_by, "")  # type: ignore[call-overload]
        return Proposed(row.id or 0, row.outcome, row.reason, row.proposed_by, name, row.proposed_at)

    def held(self, row: HeldFrameRow, *, whole: bool = False) -> Kept:
        frame = frame_in(row)
        operations = operations_of(frame, BODIES)[0]
        state = self._state(row.subject, row.parent)
        found = self._kept(row.last_id, row.status, row.reason, row.device, row.count, row.subject, state)
        found.subject_kind = found.subject_kind or kind_of_subject(operations) or ""
        found.carrier = self._owner(row.carried_by) if row.carried_by != row.device else ""
        found.received_at, found.told = row.received_at, _told(frame, row.received_at)
        found.proposed = self._proposals.get(row.last_id)
        if row.status != "waiting":
            found.refusal = _refusal(self._session, row)
        if whole and row.reason == "fork":
            found.others = self._others(frame)
        decision = self._session.get(FrameDecisionRow, row.last_id)
        found.decided = self._said(decision) if decision and row.status == "kept_aside" else None
        return found

    def decided(self, row: FrameDecisionRow) -> Kept:
        state = self._state(row.subject, None)
        found = self._kept(row.head, row.outcome, row.held, row.device, row.count, row.subject, state)
        found.decided = self._said(row)
        return found

    def _said(self, row: FrameDecisionRow) -> Decided:
        author, second = (self._names.get(who, "") for who in (row.author, row.second))  # type: ignore[call-overload]
        return Decided(row.outcome, row.reason, author, second, row.decided_at)

    def _kept(self, head: str, status: str, reason: str, device: str, count: int, subject: str, state: Any) -> Kept:
        row = self._devices.get(device)
        known = self._session.get(SubjectRow, subject)
        visit = state if isinstance(state, Visit) else getattr(state, "parent", None)
        return Kept(
            head, status, reason, self._owner(device), row.label if row else "", "", count, SubjectId(subject),
            known.kind if known else "",
            visit.id if isinstance(visit, Visit) else "", state=state,
        )  # fmt: skip

    def _owner(self, device: str) -> str:
        row = self._devices.get(device)
        return self._names.get(row.person, "") if row else ""  # type: ignore[call-overload]

    def _state(self, subject: str, parent: str | None) -> Any:
        if (subject, parent) not in self._states:
            self._states[subject, parent] = state_about(self._session, subject, parent)
        return self._states[subject, parent]

    def _others(self, frame: Frame) -> tuple[Told, ...]:
        header = frame.header
        rows = self._session.exec(
            select(FrameRow)
            .where(
                FrameRow.device == header.device, FrameRow.subject == header.subject,
                FrameRow.first <= frame.last, FrameRow.first + FrameRow.count > header.first,
            )
            .order_by(col(FrameRow.first))
        )  # fmt: skip
        return tuple(_told(ledger.frame_of(row), row.received_at) for row in rows)


def _told(frame: Frame, received_at: datetime) -> Told:
    operations, unreadable = operations_of(frame, BODIES)
    families = Counter(FAMILIES.get(operation.kind.split("_")[0], "other") for operation in operations)
    return Told(dict(sorted(families.items())), len(unreadable), received_at)


def _refusal(session: Session, row: HeldFrameRow) -> str:
    try:
        check_takable(session, row)
    except RuleBroken as broken:
        return broken.code
    return ""


def stopped_tablets(session: Session) -> list[StoppedTablet]:
    """Tablets whose reading was stopped, longest first."""
    looking = _Looking(session)
    proposals = {row.device: looking.proposed(row) for row in session.exec(select(ProposalRow)) if not row.head}
    names = people.names(session)
    rows = session.exec(
        select(ContactRow, DeviceRow)
        .join(DeviceRow, col(DeviceRow.id) == col(ContactRow.device))
        .where(col(ContactRow.frozen).is_(True), col(DeviceRow.revoked_at).is_(None))
        .order_by(col(ContactRow.frozen_at))
    )
    return [
        StoppedTablet(
            DeviceId(device.id), device.label, names.get(device.person, ""), contact.frozen_why or "twin",  # type: ignore[call-overload]
            contact.frozen_at, contact.seen_at, proposals.get(device.id),
        )
        for contact, device in rows
    ]  # fmt: skip
