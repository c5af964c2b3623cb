"""Taking in what was kept aside, leaving it aside, letting a stopped tablet read again: one person proposes, a second
one answers, and the decision is an operation on the subject of the tablet's person.

Nothing is ever deleted. Who proposes and who may be the second is the access matrix's to say (SECURITY D, row
Quarantine): it is asked of both at the moment the second answers, whoever runs the machine.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, delete, select

from server.accounts import queries as people
from server.accounts.tables import DeviceRow
from server.ledger import contacts
from server.ledger import queries as ledger
from server.ledger.actions import record
from server.ledger.receive import take_in
from server.ledger.tables import ContactRow, HeldFrameRow, SubjectRow
from server.office import Office
from server.quarantine.decisions import carry, frame_in
from server.quarantine.tables import ProposalRow
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.ledger.merge import operations_of
from shared.ledger.operation import Operation
from shared.permissions import OFFICE_ACTS, TABLET_OPENS, may, plans_for_the_office
from shared.quarantine import CLOCK_TAKEN, NEVER, FrameKeptAside, FrameTakenIn, Outcome, ReadingRestored
from shared.registry import BODIES, kind_of_subject, strays, would_begin
from shared.values import DeviceId, PersonId, SubjectId, as_typed, is_hash, is_id

REASON_LETTERS = 500


def propose(session: Session, author: PersonId, head: str, outcome: Outcome, reason: str, now: datetime) -> int:
    """An officer proposes what becomes of a frame; an earlier proposal about it is replaced. Returns its number.

    Raises RuleBroken: not_found, frame_waits, frame_forged, frame_clock, frame_early, no_reason.
    """
    row = _held(session, head)
    said = _said(reason)
    if outcome == "taken_in":
        check_takable(session, row)
    session.execute(delete(ProposalRow).where(col(ProposalRow.head) == head))
    made = ProposalRow(device=row.device, head=head, outcome=outcome, reason=said, proposed_by=author, proposed_at=now)
    return _kept(session, made)


def propose_reading(session: Session, author: PersonId, device: DeviceId, reason: str, now: datetime) -> int:
    """Somebody proposes that a stopped tablet reads again. Returns the number of the proposal.

    Raises RuleBroken("not_found" | "no_reason").
    """
    row = session.get(ContactRow, device) if is_id(device) else None
    if row is None or not row.frozen:
        raise RuleBroken("not_found")
    said = _said(reason)
    session.execute(delete(ProposalRow).where(col(ProposalRow.device) == device, col(ProposalRow.head) == ""))
    made = ProposalRow(device=device, outcome="restored", reason=said, proposed_by=author, proposed_at=now)
    return _kept(session, made)


def _kept(session: Session, made: ProposalRow) -> int:
    session.add(made)
    session.flush()
    assert made.id is not None
    return made.id


def confirm(session: Session, office: Office, number: int, second: PersonId, now: datetime) -> None:
    """The second person stands behind a proposal: it is done, if both hold the roles for it on this day.

    Raises RuleBroken: same_person, not_found, proposer_gone, not_allowed, and what `decide` raises.
    """
    row = proposal(session, number)
    author = PersonId(row.proposed_by)
    _two(session, author, second)
    day = office.calendar.day_of(now)
    proposes, answers, state = "device.restore", "device.confirm", None
    if row.head:
        held = _held(session, row.head)
        proposes, answers = "quarantine.decide", "quarantine.confirm"
        state = state_about(session, held.subject, held.parent)
    if not _may(session, author, proposes, state, day):
        raise RuleBroken("proposer_gone", "SECURITY D, rule 1")
    if not _may(session, second, answers, state, day):
        raise RuleBroken("not_allowed", "SECURITY D, rule 1")
    if row.head:
        decide(session, office, row.head, row.outcome, author, second, row.reason, now)  # type: ignore[arg-type]
    else:
        restore_reading(session, office, DeviceId(row.device), author, second, row.reason, now)
    session.delete(row)


def state_about(session: Session, subject: str, parent: str | None) -> Any:
    """The subject a frame belongs to, or the visit it would belong to: what the matrix asks about."""
    for id_ in (subject, parent):
        state = ledger.state(session, SubjectId(id_)) if id_ else None
        if state is not None:
            return state
    return None


def _may(session: Session, person: PersonId, verb: str, state: Any, day: date) -> bool:
    """Whether one of the roles the person holds on this day has the right."""
    return any(may(person, Role(role), verb, state) for role in people.roles_on(session, person, day))


def decline(session: Session, number: int) -> None:
    """A proposal ends without effect; what it was about stays as it was."""
    session.delete(proposal(session, number))


def proposal(session: Session, number: int) -> ProposalRow:
    """The proposal with this number. Raises RuleBroken("not_found")."""
    row = session.get(ProposalRow, number) if 0 < number < 2**31 else None
    if row is None:
        raise RuleBroken("not_found")
    return row


def decide(
    session: Session, office: Office, head: str, outcome: Outcome, author: PersonId, second: PersonId, reason: str,
    now: datetime,
) -> None:  # fmt: skip
    """Writes the decision of two people and, when they took the frame in, takes it in at once.

    Raises RuleBroken: not_found, frame_waits, frame_forged, frame_clock, frame_early, no_reason, same_person,
    second_officer_needed.
    """
    row = _held(session, head)
    said = _said(reason)
    _two(session, author, second)
    if outcome == "taken_in":
        check_takable(session, row)
    kind = FrameTakenIn if outcome == "taken_in" else FrameKeptAside
    body = kind(
        device=DeviceId(row.device), subject=SubjectId(row.subject), first=row.first, count=row.count, head=head,
        held=row.reason, reason=said, second=second,
    )  # fmt: skip
    record(session, office, SubjectId(_person_of(session, row)), author, [body], now)
    if outcome == "taken_in":
        _settle(session, office, row, author, now)
    else:
        row.status = "kept_aside"
    session.flush()


def _settle(session: Session, office: Office, row: HeldFrameRow, author: PersonId, now: datetime) -> None:
    """The door sees the decision: the frame follows in its chain, waits for a gap, or is carried as a branch."""
    frame = frame_in(row)
    (item,) = take_in(session, DeviceId(row.carried_by), [frame], now)
    if item.verdict.status in ("accepted", "already"):
        _gone(session, row)
    elif item.verdict.reason == "fork":
        carry(session, office, frame, author, now)
        _gone(session, row)
    else:
        row.status, row.reason = item.verdict.status, item.verdict.reason


def _gone(session: Session, row: HeldFrameRow) -> None:
    """Its bytes stand in the ledger now; the decision says that they once waited."""
    session.execute(delete(HeldFrameRow).where(col(HeldFrameRow.id) == row.id))
    session.expunge(row)


def check_takable(session: Session, row: HeldFrameRow) -> None:
    """Whether two people may take this frame in at all. Raises RuleBroken. Source: PROTOCOL P35."""
    device = session.get(DeviceRow, row.device)
    if row.reason in NEVER or device is None:
        raise RuleBroken("frame_forged", "PROTOCOL P35")
    operations = operations_of(frame_in(row), BODIES)[0]
    known = session.get(SubjectRow, row.subject)
    kind = known.kind if known else kind_of_subject(operations)
    own_words = all(each.author == device.person and each.kind not in OFFICE_ACTS for each in operations)
    if not own_words or kind not in TABLET_OPENS or (known is None and plans_for_the_office(operations)):
        raise RuleBroken("frame_forged", "PROTOCOL P35")
    if _highest_clock(operations) > CLOCK_TAKEN:
        raise RuleBroken("frame_clock", "PROTOCOL P35")
    if known is not None and _would_begin(session, known, operations):
        raise RuleBroken("frame_early", "PROTOCOL P67")


def _would_begin(session: Session, row: SubjectRow, operations: list[Operation]) -> bool:
    strayed = strays(operations, row.kind, row.parent)
    return bool(strayed) and would_begin(strayed, ledger.operations(session, SubjectId(row.id)), row.kind, row.parent)


def _highest_clock(operations: list[Operation]) -> int:
    return max((each.clock for each in operations), default=0)


def restore_reading(
    session: Session, office: Office, device: DeviceId, author: PersonId, second: PersonId, reason: str, now: datetime
) -> None:
    """A stopped tablet reads again. Raises RuleBroken("not_found" | "no_reason" | "same_person" | …)."""
    said = _said(reason)
    _two(session, author, second)
    owner = session.get(DeviceRow, device) if is_id(device) else None
    why = contacts.let_read(session, device) if owner is not None else ""
    if owner is None or not why:
        raise RuleBroken("not_found")
    body = ReadingRestored(device=device, stopped=why, reason=said, second=second)
    record(session, office, SubjectId(owner.person), author, [body], now)


def _held(session: Session, head: str) -> HeldFrameRow:
    row = session.exec(select(HeldFrameRow).where(HeldFrameRow.last_id == head)).first() if is_hash(head) else None
    if row is None:
        raise RuleBroken("not_found")
    if row.status == "waiting":
        raise RuleBroken("frame_waits", "PROTOCOL P34")
    return row


def _person_of(session: Session, row: HeldFrameRow) -> str:
    """Whose subject takes the decision: the owner's, else the carrier's."""
    device = session.get(DeviceRow, row.device) or session.get(DeviceRow, row.carried_by)
    if device is None:
        raise RuleBroken("device_unknown")
    return device.person


def _said(reason: str) -> str:
    said = as_typed(reason)[:REASON_LETTERS]
    if not said:
        raise RuleBroken("no_reason")
    return said


def _two(session: Session, author: PersonId, second: PersonId) -> None:
    if author == second:
        raise RuleBroken("same_person", "SECURITY D, rule 1")
    if not second or not people.name_of(session, second):
        raise RuleBroken("second_officer_needed", "SECURITY D, rule 1")
