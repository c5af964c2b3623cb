"""What is done to a request and to the ballot on it: file, put to the vote, vote, close, decide, undo.

Called by pages, routes and the command line; each takes the session first and never commits. A bulk lives in `bulk.py`.
Source: SETTLED decisions 15, 49, 50, 52; domain V-3 to V-5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from server.accounts import queries as people
from server.law.queries import office_book, office_law
from server.ledger.actions import lock_subject, record
from server.ledger.opening import Sealer
from server.office import Office, new_subject
from server.visit_requests import queries
from shared.accounts import COUNCIL, Role
from shared.ballots import MemberRecused, Vote, VoteCast, VoteClosed, VoteOpened, VoteTakenBack, may_vote
from shared.deadlines import due
from shared.errors import RuleBroken
from shared.ledger.operation import Body
from shared.values import PersonId, SubjectId, as_typed, moment_of, stamp
from shared.visit_requests import (
    DecisionWithdrawn,
    Outcome,
    RequestDecided,
    RequestFiled,
    RequestPutToVote,
    RequestWithdrawn,
    Urgency,
    VisitKind,
    VisitRequest,
)
from shared.votes import RULES_USED, Arithmetic, Choice, count_votes

UNDO = timedelta(minutes=10)
"""How long a decision or a bulk may be taken back. Source: SETTLED decision 52."""


@dataclass(frozen=True)
class Wish:
    """What a member asks for. institution: register key; members and leader: person ids."""

    visit_kind: VisitKind
    urgency: Urgency
    institution: str
    reason: str
    from_on: date
    to_on: date
    members: Sequence[PersonId] = ()
    leader: PersonId = PersonId("")


def file_request(session: Session, office: Office, filer: PersonId, wish: Wish, now: datetime) -> SubjectId:
    """A request with its words sealed to the filer's and leader's tablets and the review key.

    Raises RuleBroken("no_reason") without a reason, RuleBroken("body_wrong") for dates that run backwards.
    """
    reason = as_typed(wish.reason)
    if not reason:
        raise RuleBroken("no_reason", "domain V-3")
    if wish.to_on < wish.from_on or not wish.institution:
        raise RuleBroken("body_wrong", "domain V-3")
    request = new_subject(now)
    sealer = Sealer(session, office, request, None, {filer, wish.leader} - {PersonId("")})
    words = {
        "institution": wish.institution, "reason": reason, "from_on": wish.from_on.isoformat(),
        "to_on": wish.to_on.isoformat(), "members": list(wish.members), "leader": wish.leader,
    }  # fmt: skip
    key, sealed = sealer.seal(RequestFiled.KIND, {name: value for name, value in words.items() if value})
    filed = RequestFiled(visit_kind=wish.visit_kind, urgency=wish.urgency, key=key, sealed=sealed, leader=wish.leader)
    record(session, office, request, filer, [*sealer.bodies(), filed], now)
    return request


def withdraw_request(
    session: Session, office: Office, filer: PersonId, request: SubjectId, reason: str, now: datetime
) -> None:
    """The filer takes the request back before it is decided; an open ballot on it is closed by the secretary later."""
    record(session, office, request, filer, [RequestWithdrawn(reason=as_typed(reason))], now)


def put_to_vote(session: Session, office: Office, author: PersonId, request: SubjectId, now: datetime) -> SubjectId:
    """Opens the ballot: the Council in office today votes, the Commissioner chairs, the filer is recused.

    The count closes with the term of the decision; when that is over already, a fresh term runs from now.
    Raises RuleBroken("no_members") when nobody is in office, "already_decided" unless the request waits for it.
    """
    lock_subject(session, request, [])
    state = queries.request_state(session, request)
    today = office.calendar.day_of(now)
    members = people.persons_with(session, set(COUNCIL), today)
    chairs = people.persons_with(session, {Role.COMMISSIONER}, today)
    law = office_law(session, office, today)
    vote, closes_at = new_subject(now), stamp(_closes_at(session, office, state, now))
    opened = VoteOpened(
        of=request, entitled=tuple(members), chair=chairs[0] if chairs else PersonId(""), closes_at=closes_at,
        on=today.isoformat(), rules=tuple(law.used((*RULES_USED, queries.TERM[state.urgency]))),
        recused=tuple(person for person in members if person == state.filer),
    )  # fmt: skip
    record(session, office, vote, author, [opened], now)
    record(session, office, request, author, [RequestPutToVote(vote=vote, closes_at=closes_at)], now)
    return vote


def _closes_at(session: Session, office: Office, state: VisitRequest, now: datetime) -> datetime:
    book = office_book(session, office)
    end = queries.term_end(moment_of(state.filed_at), state.urgency, book.on, office).at
    if end > now:
        return end
    amount = book.on(office.calendar.day_of(now)).amount(queries.TERM[state.urgency])
    return due(now, amount.value, amount.unit, office.calendar).at


# ── voting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def cast_vote(
    session: Session, office: Office, voter: PersonId, vote: SubjectId, choice: Choice, reason: str, now: datetime
) -> Vote:
    """The voter's choice; replaces an earlier one until the close. The reason is sealed until the count closes.

    Raises RuleBroken: no_reason for a vote against without one, vote_closed with the time it closed, not_entitled,
    recused.
    """
    state = _open_ballot(session, vote, voter, now)
    said = as_typed(reason)
    if choice == "against" and not said:
        raise RuleBroken("no_reason", "domain V-5")
    bodies: list[Body] = []
    key = sealed = ""
    if said:
        sealer = Sealer(session, office, vote, state, [])
        key, sealed = sealer.seal(VoteCast.KIND, {"reason": said})
        bodies += sealer.bodies()
    return _as_vote(record(session, office, vote, voter, [*bodies, VoteCast(choice, key, sealed)], now))


def recuse(session: Session, office: Office, voter: PersonId, vote: SubjectId, reason: str, now: datetime) -> Vote:
    """The voter declares a conflict of interest and takes no part; an earlier vote no longer counts."""
    state = _open_ballot(session, vote, voter, now)
    bodies: list[Body] = []
    key = sealed = ""
    if said := as_typed(reason):
        sealer = Sealer(session, office, vote, state, [])
        key, sealed = sealer.seal(MemberRecused.KIND, {"reason": said})
        bodies += sealer.bodies()
    return _as_vote(record(session, office, vote, voter, [*bodies, MemberRecused(key, sealed)], now))


def take_back_vote(session: Session, office: Office, voter: PersonId, vote: SubjectId, now: datetime) -> Vote:
    """The voter's vote no longer stands. Raises as `cast_vote`."""
    _open_ballot(session, vote, voter, now)
    return _as_vote(record(session, office, vote, voter, [VoteTakenBack()], now))


def _open_ballot(session: Session, vote: SubjectId, voter: PersonId, now: datetime) -> Vote:
    """The ballot, locked, when this person may vote on it now. The fold knows no clock, so the time is checked here."""
    queries.vote_state(session, vote)
    lock_subject(session, vote, [])
    state = queries.vote_state(session, vote)
    if not state.closed and now > moment_of(state.closes_at):
        raise RuleBroken("vote_closed", "council.majority", closed_at=state.closes_at)
    may_vote(state, voter)
    return state


def _as_vote(state: object) -> Vote:
    assert isinstance(state, Vote)
    return state


# ── the decision ────────────────────────────────────────────────────────────────────────────────────────────────────


def may_close(vote: Vote, now: datetime) -> bool:
    """Whether the count may close: its time is over, or everybody who may vote has voted."""
    voters = set(vote.entitled) - set(vote.recused)
    return vote.closed is None and (now > moment_of(vote.closes_at) or voters <= set(vote.votes))


def close_vote(
    session: Session, office: Office, author: PersonId, vote: SubjectId, now: datetime, reason: str = "",
    photos_allowed: bool = False,
) -> Arithmetic:  # fmt: skip
    """Counts the ballot by the rules of the day it was opened and decides the request with the same numbers.

    reason          a majority against the request refuses it only with a written reason; without one it is not approved
    photos_allowed  members may take photos on the visit, when it is approved

    Raises RuleBroken("vote_open") before its time while votes are missing, "vote_closed", "already_decided".
    """
    lock_subject(session, queries.vote_state(session, vote).of, [])  # before the counter of the ledger, or two who
    lock_subject(session, vote, [])  # decide and withdraw at once wait for each other
    state = queries.vote_state(session, vote)
    if state.closed:
        raise RuleBroken("vote_closed", "council.majority", closed_at=state.closed_at)
    if not may_close(state, now):
        raise RuleBroken("vote_open", "council.majority", closes_at=state.closes_at)
    law = office_law(session, office, date.fromisoformat(state.opened_on))
    counted = count_votes(replace(queries.count_of(state), is_open=False), law)
    closed = VoteClosed(counted.result, counted.tally, counted.rules, counted.chair_decided)
    record(session, office, vote, author, [closed], now)
    request = queries.request_state(session, state.of)
    if request.state == "voting":
        decided = RequestDecided(
            outcome=outcome_of(counted, reason), vote=vote, counts=counted.tally, rules=counted.rules,
            reason=as_typed(reason) if outcome_of(counted, reason) == "refused" else "",
            chair_decided=counted.chair_decided,
            photos_allowed=photos_allowed and counted.result == "approved",
        )  # fmt: skip
        record(session, office, state.of, author, [decided], now)
    return counted


def outcome_of(counted: Arithmetic, reason: str) -> Outcome:
    """What the count says of the request. Nothing is refused by silence, by a missing quorum or without a reason."""
    if counted.result == "approved":
        return "approved"
    majority_against = counted.tally.quorum_met and counted.tally.against >= counted.tally.needed_for
    return "refused" if majority_against and as_typed(reason) else "not_approved"


def undo_until(request: VisitRequest) -> datetime | None:
    """Until when the standing decision may be taken back; None without one, or when the visit is ordered already."""
    decision = request.decision
    return moment_of(decision.at) + UNDO if decision and request.state != "ordered" else None


def withdraw_decision(
    session: Session, office: Office, author: PersonId, request: SubjectId, reason: str, now: datetime
) -> None:
    """Takes the decision back; the request waits again to be put to the vote.

    Raises RuleBroken("too_late_to_undo") more than ten minutes behind it or once the visit is ordered.
    """
    lock_subject(session, request, [])
    state = queries.request_state(session, request)
    until = undo_until(state)
    if until is None or now > until or state.decision is None:
        raise RuleBroken("too_late_to_undo", "SETTLED 52")
    said = as_typed(reason)
    if not said:
        raise RuleBroken("no_reason", "SETTLED 52")
    body = DecisionWithdrawn(decision=state.decision.operation, reason=said)
    record(session, office, request, author, [body], now)
