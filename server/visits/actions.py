"""What the office does to a visit: order it, form its group, issue and withdraw the mandate, assign who reviews it.

Called by pages, routes and the command line; each action takes the session it works in and never commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, func, select

from server.accounts import queries as people
from server.law.queries import office_law
from server.ledger import opening
from server.ledger import queries as ledger
from server.ledger.actions import record
from server.ledger.tables import CounterRow, SubjectRow
from server.office import Office, Reader, new_subject
from server.visits.mandate import signed_code
from server.visits.tables import MandateRow
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.ledger.operation import Body
from shared.values import PersonId, SubjectId, as_typed
from shared.visit_requests import VisitOrdered, VisitRequest
from shared.visits import (
    ConflictDeclared,
    GroupFormed,
    MandateIssued,
    MandateWithdrawn,
    OfficerAssigned,
    Visit,
    VisitPlanned,
    check_group,
)

PLAN = ("institution", "from_on", "to_on", "reason")
"""Words of a request that the plan of its visit takes over."""


def order_visit(session: Session, office: Office, reader: Reader, request: VisitRequest, now: datetime) -> SubjectId:
    """Makes the visit an approved request asks for; its plan is sealed again, for the review key alone so far.

    The tablets of the group get the key when the group is formed. Photos are allowed only as the decision says.

    Raises RuleBroken("already_decided") unless the request is approved and no visit was ordered yet,
    RuleBroken("not_found") when the reader may not read the request, RuleBroken("key_missing") when its words cannot
    be opened.
    """
    if request.state != "approved" or request.words is None or request.decision is None:
        raise RuleBroken("already_decided", "visit.plan.approver")
    found = opening.open_words(session, office, reader, "request.read", request, [request.words], "visit_ordered", now)
    words = found[0]
    if words is None:
        raise RuleBroken("key_missing", "SETTLED 33")
    visit = new_subject(now)
    sealer = opening.Sealer(session, office, visit, None, [])
    plan = {name: words[name] for name in PLAN if words.get(name)}
    key, sealed = sealer.seal(VisitPlanned.KIND, plan)
    planned = VisitPlanned(
        visit_kind=request.visit_kind, key=key, sealed=sealed, request=request.id,
        photos_allowed=request.decision.body.photos_allowed,
    )  # fmt: skip
    record(session, office, visit, reader.person, [*sealer.bodies(), planned], now)
    record(session, office, request.id, reader.person, [VisitOrdered(visit=visit)], now)
    return visit


def proposed_group(
    session: Session, office: Office, reader: Reader, visit: Visit, now: datetime
) -> tuple[tuple[PersonId, ...], PersonId]:
    """Members and leader the request asked for, to fill the form with; nothing when there was no request."""
    request = ledger.state(session, visit.request) if visit.request else None
    if not isinstance(request, VisitRequest) or request.words is None:
        return (), PersonId("")
    words = opening.open_words(session, office, reader, "request.read", request, [request.words], "group_formed", now)[
        0
    ]
    members = tuple(PersonId(each) for each in (words or {}).get("members", ()) if isinstance(each, str))
    return members, PersonId((words or {}).get("leader", "") or request.leader)


def form_group(
    session: Session, office: Office, author: PersonId, visit: SubjectId, members: Sequence[PersonId],
    leader: PersonId, now: datetime,
) -> Visit:  # fmt: skip
    """Forms the group or forms it anew; the tablets of its members get the keys of the visit and its record.

    Raises RuleBroken: group_too_small, leader_not_in_group, member_twice; not_a_member for somebody who is no NPM
    member today; whatever the visit itself does not allow.
    """
    today = office.calendar.day_of(now)
    least = office_law(session, office, today).whole("visit.group.min_size")
    check_group(tuple(members), leader, least)
    known = people.persons_with(session, {Role.NPM_MEMBER}, today)
    for person in members:
        if person not in known:
            raise RuleBroken("not_a_member", "visit.group.former", name=people.name_of(session, person))
    body = GroupFormed(members=tuple(members), leader=leader, least=least)
    state: Visit = record(session, office, visit, author, [body], now)
    return hand_keys(session, office, author, state, now)


def hand_keys(session: Session, office: Office, author: PersonId, visit: Visit, now: datetime) -> Visit:
    """Wraps the keys of the visit and its record to tablets of the group that lack them; interviews stay with their
    authors."""
    subjects: list[Any] = [visit]
    subjects += [ledger.state(session, child) for child in ledger.children(session, visit.id, "record")]
    for state in subjects:
        wraps = opening.wrapped_for_newcomers(session, office, state, visit.members)
        if wraps:
            record(session, office, state.id, author, wraps, now)
    fresh: Visit = ledger.state(session, visit.id)
    return fresh


def declare_conflict(
    session: Session, office: Office, member: PersonId, visit: Visit, conflict: bool, words: str, now: datetime
) -> Visit:
    """A member of the group declares in the console whether something casts doubt on the own impartiality.

    words  what it is; sealed for the group and the review key

    Raises RuleBroken("no_reason") when there is a conflict and no words say which.
    """
    what = as_typed(words)
    if conflict and not what:
        raise RuleBroken("no_reason", "visit.recusal")
    bodies: list[Body] = []
    key = sealed = ""
    if what:
        sealer = opening.Sealer(session, office, visit.id, visit, visit.members)
        key, sealed = sealer.seal(ConflictDeclared.KIND, {"what": what})
        bodies += sealer.bodies()
    bodies.append(ConflictDeclared(conflict=conflict, key=key, sealed=sealed))
    state: Visit = record(session, office, visit.id, member, bodies, now)
    return state


def issue_mandate(
    session: Session, office: Office, author: PersonId, visit: SubjectId, valid_from: date, valid_until: date,
    now: datetime,
) -> Visit:  # fmt: skip
    """Issues the mandate: next number of the year, names of the group with the leader first, signed QR text.

    Raises RuleBroken: conflict_undeclared, mandate_standing; body_wrong when it would end before it begins or today.
    """
    if valid_until < max(valid_from, office.calendar.day_of(now)):
        raise RuleBroken("body_wrong", "visit.mandate.document")
    session.get(SubjectRow, visit, with_for_update=True)
    session.get(CounterRow, 1, with_for_update=True)
    state: Visit = ledger.state(session, visit)
    number = next_number(session, office.calendar.day_of(now).year)
    order = sorted(state.members, key=lambda person: (person != state.leader, state.members.index(person)))
    names = {person: people.name_of(session, person) for person in order}
    code = signed_code(
        number, list(names.values()), valid_from, valid_until, office.keys.device, office.keys.sign_secret
    )
    body = MandateIssued(
        number=number, names=tuple(names.items()),
        valid_from=valid_from.isoformat(), valid_until=valid_until.isoformat(), code=code,
    )  # fmt: skip
    issued: Visit = record(session, office, visit, author, [body], now)
    return issued


def next_number(session: Session, year: int) -> str:
    """The next number of the year's series: "2026-0007"."""
    last = session.exec(
        select(func.max(MandateRow.number)).where(col(MandateRow.number).like(f"{year}-____"))
    ).one()  # fmt: skip
    return f"{year}-{int(last[5:]) + 1 if last else 1:04d}"


def withdraw_mandate(
    session: Session, office: Office, author: PersonId, visit: Visit, reason: str, now: datetime
) -> Visit:
    """The standing mandate no longer holds. Raises RuleBroken: mandate_missing, no_reason."""
    if visit.mandate is None:
        raise RuleBroken("mandate_missing", "visit.mandate.document")
    said = as_typed(reason)
    if not said:
        raise RuleBroken("no_reason", "visit.mandate.document")
    body = MandateWithdrawn(number=visit.mandate.number, reason=said)
    state: Visit = record(session, office, visit.id, author, [body], now)
    return state


def assign_officer(
    session: Session, office: Office, author: PersonId, visit: SubjectId, person: PersonId, now: datetime
) -> Visit:
    """Assigns an officer of the National Centre. Raises RuleBroken: not_found for somebody who is none today,
    already_assigned, not_allowed for a member of the group."""
    if person not in people.persons_with(session, {Role.CENTRE_OFFICER}, office.calendar.day_of(now)):
        raise RuleBroken("not_found", "SECURITY D")
    state: Visit = ledger.state(session, visit)
    if person in state.officers:
        raise RuleBroken("already_assigned", "SECURITY D")
    if person in state.ever_members:
        raise RuleBroken("not_allowed", "SECURITY D")
    assigned: Visit = record(session, office, visit, author, [OfficerAssigned(person=person)], now)
    return assigned
