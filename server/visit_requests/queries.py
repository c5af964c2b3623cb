"""Reading requests and votes: the inbox, one request with its ballot, what waits for whom. Opens nothing sealed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlmodel import Session, col, func, or_, select

from server.law.queries import office_book
from server.ledger import queries as ledger
from server.office import Office, Reader
from server.visit_requests.tables import BulkVoteRow, RequestRow, VoteRow, VoteSeatRow
from shared.accounts import COUNCIL, Role
from shared.ballots import Vote
from shared.deadlines import Due, due
from shared.errors import RuleBroken
from shared.law.law import Law
from shared.permissions import may
from shared.values import PersonId, SubjectId, is_id, moment_of
from shared.visit_requests import VisitRequest
from shared.votes import Arithmetic, Count, count_votes

WAITING = ("filed", "voting")
DECIDED = ("approved", "not_approved", "refused", "returned", "ordered", "withdrawn")
TERM = {"urgent": "visit.special.decision.urgent", "normal": "visit.special.decision.normal"}
"""Rules with the term of a decision. For kinds of visit the law sets no term for, the office keeps the same one."""

LawOn = Callable[[date], Law]
"""The law of a day, as `LawBook.on`."""


@dataclass(frozen=True)
class Seats:
    """The ballot of a row: who sits, who voted how, who is recused, who declared a conflict."""

    closes_at: datetime
    is_closed: bool
    count: Count
    conflicts: frozenset[PersonId]


@dataclass(frozen=True)
class Request:
    """A request as its row holds it; see RequestRow."""

    id: SubjectId
    state: str
    visit_kind: str
    urgency: str
    filer: str
    leader: str
    filed_at: datetime
    vote: SubjectId | None
    closes_at: datetime | None
    decided_at: datetime | None
    visit: str | None


@dataclass(frozen=True)
class Line:
    """A request in the inbox.

    due        end of the term of the decision
    seats      the ballot that decides or decided it; None before the first vote
    arithmetic its count as it stands; None without a ballot, or when a rule it needs is not known
    mine       the reader's own vote; empty when none
    may_vote   whether the reader is entitled and not recused and the count is open
    locked     why it is decided one by one only: urgent, special, disputed, conflict; empty when it may be in a bulk
    """

    row: Request
    due: Due
    seats: Seats | None
    arithmetic: Arithmetic | None
    mine: str
    may_vote: bool
    locked: str

    @property
    def id(self) -> SubjectId:
        """The request."""
        return self.row.id

    @property
    def needs_me(self) -> bool:
        """Whether the reader's vote is still missing."""
        return self.may_vote and not self.mine


@dataclass(frozen=True)
class Filters:
    """What the inbox is narrowed to; empty = all.

    tab   waiting, mine (the reader's vote is missing), decided
    due   late, today, week: by the end of the term
    """

    tab: str = "waiting"
    kinds: frozenset[str] = frozenset()
    urgency: str = ""
    due: str = ""


def request_state(session: Session, request: str) -> VisitRequest:
    """The folded request. Raises RuleBroken("not_found") for anything else."""
    state = ledger.state(session, SubjectId(request)) if is_id(request) else None
    if not isinstance(state, VisitRequest) or not state.filed:
        raise RuleBroken("not_found")
    return state


def request_states(session: Session, requests: Iterable[SubjectId]) -> list[VisitRequest]:
    """The folded requests, each id once. Raises RuleBroken("not_found") when one of them is anything else."""
    ids = list(dict.fromkeys(requests))
    states = ledger.states(session, [id_ for id_ in ids if is_id(id_)])
    found = [states.get(id_) for id_ in ids]
    known = [state for state in found if isinstance(state, VisitRequest) and state.filed]
    if len(known) != len(ids):
        raise RuleBroken("not_found")
    return known


def vote_state(session: Session, vote: str) -> Vote:
    """The folded ballot. Raises RuleBroken("not_found") for anything else."""
    state = ledger.state(session, SubjectId(vote)) if is_id(vote) else None
    if not isinstance(state, Vote) or not state.entitled:
        raise RuleBroken("not_found")
    return state


def term_end(filed_at: datetime, urgency: str, law_on: LawOn, office: Office) -> Due:
    """The end of the term for a decision that began with the filing. Raises RuleUnknown, RuleUnreadable."""
    amount = law_on(office.calendar.day_of(filed_at)).amount(TERM[urgency])
    return due(filed_at, amount.value, amount.unit, office.calendar)


def lines(session: Session, office: Office, reader: Reader, rows: Sequence[RequestRow], now: datetime) -> list[Line]:
    """The rows with term, ballot and what the reader may do."""
    law_on = cache(office_book(session, office).on)
    seats = seats_of(session, [row.vote for row in rows if row.vote])
    return [_line(_plain(row), seats.get(row.vote or ""), law_on, office, reader, now) for row in rows]


def _plain(row: RequestRow) -> Request:
    vote = SubjectId(row.vote) if row.vote else None
    return Request(
        SubjectId(row.id), row.state, row.visit_kind, row.urgency, row.filer, row.leader, row.filed_at, vote,
        row.closes_at, row.decided_at, row.visit,
    )  # fmt: skip


def _line(row: Request, seats: Seats | None, law_on: LawOn, office: Office, reader: Reader, now: datetime) -> Line:
    arithmetic = count_votes(seats.count, law_on(office.calendar.day_of(now))) if seats else None
    person = reader.person
    mine, entitled = "", False
    if seats and reader.hat in COUNCIL:
        mine = seats.count.votes.get(person, "")
        inside = person in seats.count.members and person not in seats.count.recused
        entitled = inside and not seats.is_closed and now <= seats.closes_at
    return Line(
        row, term_end(row.filed_at, row.urgency, law_on, office), seats, arithmetic, mine, entitled,
        _locked(row, seats, person),
    )  # fmt: skip


def _locked(row: Request, seats: Seats | None, person: PersonId) -> str:
    if row.urgency == "urgent":
        return "urgent"
    if row.visit_kind == "special":
        return "special"
    if seats and (seats.conflicts or person in seats.count.recused or person == row.leader):
        return "conflict"
    if seats and "against" in seats.count.votes.values():
        return "disputed"
    return ""


def seats_of(session: Session, votes: Iterable[str]) -> dict[str, Seats]:
    """The ballots with these ids, in two reads."""
    ids = list(dict.fromkeys(votes))
    by_vote: dict[str, list[VoteSeatRow]] = {}
    for seat in session.exec(select(VoteSeatRow).where(col(VoteSeatRow.vote).in_(ids))):
        by_vote.setdefault(seat.vote, []).append(seat)
    rows = session.exec(select(VoteRow).where(col(VoteRow.id).in_(ids)))
    return {row.id: _seats(row, by_vote.get(row.id, [])) for row in rows}


def _seats(row: VoteRow, seats: list[VoteSeatRow]) -> Seats:
    count = Count(
        members=frozenset(PersonId(seat.person) for seat in seats),
        votes={PersonId(seat.person): seat.choice for seat in seats if seat.choice},  # type: ignore[misc]
        recused=frozenset(PersonId(seat.person) for seat in seats if seat.recused),
        chair=PersonId(row.chair),
        is_open=row.closed_at is None,
    )
    conflicts = frozenset(PersonId(seat.person) for seat in seats if seat.conflict)
    return Seats(row.closes_at, row.closed_at is not None, count, conflicts)


# ── the inbox ───────────────────────────────────────────────────────────────────────────────────────────────────────


def waiting(session: Session, office: Office, reader: Reader, now: datetime) -> list[Line]:
    """Every request that waits for a decision and the reader may see, by the end of its term, then urgency."""
    query = select(RequestRow).where(_visible(reader), col(RequestRow.state).in_(WAITING))
    return sorted(lines(session, office, reader, list(session.exec(query)), now), key=_order)


def decided(session: Session, office: Office, reader: Reader, now: datetime) -> list[Line]:
    """Every request that is decided and the reader may see, newest first."""
    query = select(RequestRow).where(_visible(reader), col(RequestRow.state).in_(DECIDED))
    query = query.order_by(func.coalesce(RequestRow.decided_at, RequestRow.filed_at).desc(), col(RequestRow.id))
    return lines(session, office, reader, list(session.exec(query)), now)


def inbox(session: Session, office: Office, reader: Reader, filters: Filters, now: datetime) -> list[Line]:
    """The requests of a tab that fit the filters, in the order of `waiting` or `decided`."""
    of_tab = decided if filters.tab == "decided" else waiting
    return narrowed(of_tab(session, office, reader, now), filters, office, now)


def narrowed(found: Sequence[Line], filters: Filters, office: Office, now: datetime) -> list[Line]:
    """Of the lines of a tab the ones that fit the filters; waiting ones become those of the tab `mine`."""
    return [line for line in found if (filters.tab != "mine" or line.needs_me) and _fits(line, filters, office, now)]


def counts(session: Session, reader: Reader, of_waiting: Sequence[Line]) -> dict[str, int]:
    """How many requests each tab holds; `of_waiting` as `waiting` returned it."""
    of_decided = session.exec(
        select(func.count()).select_from(RequestRow).where(_visible(reader), col(RequestRow.state).in_(DECIDED))
    ).one()
    return {"waiting": len(of_waiting), "mine": sum(line.needs_me for line in of_waiting), "decided": of_decided}


def _visible(reader: Reader) -> Any:
    """What the matrix lets this hat see: the secretary all, the Council what is put to it, a member the own ones."""
    if reader.hat is Role.COUNCIL_SECRETARY:
        return col(RequestRow.state) != ""
    if reader.hat in COUNCIL:
        return col(RequestRow.state) != "filed"
    return or_(col(RequestRow.filer) == reader.person, col(RequestRow.leader) == reader.person)


def _fits(line: Line, filters: Filters, office: Office, now: datetime) -> bool:
    if filters.kinds and line.row.visit_kind not in filters.kinds:
        return False
    if filters.urgency and line.row.urgency != filters.urgency:
        return False
    left = (line.due.on - office.calendar.day_of(now)).days
    spans = {"late": line.due.at < now, "today": left <= 0, "week": left <= 7}
    return spans.get(filters.due, True)


def _order(line: Line) -> tuple[datetime, bool, str]:
    return line.due.at, line.row.urgency != "urgent", line.row.id


def may_read(session: Session, reader: Reader, request: str) -> VisitRequest:
    """The request, when the matrix lets the reader read it. Raises RuleBroken("not_found")."""
    state = request_state(session, request)
    if not may(reader.person, reader.hat, "request.read", state):
        raise RuleBroken("not_found")
    return state


# ── what waits, as numbers ──────────────────────────────────────────────────────────────────────────────────────────


def waiting_for(session: Session, person: PersonId, now: datetime) -> tuple[int, bool]:
    """Open ballots on which the person's vote is missing, and whether one of them closes within a day."""
    rows = session.exec(
        select(VoteRow.closes_at)
        .join(VoteSeatRow, col(VoteSeatRow.vote) == col(VoteRow.id))
        .where(
            col(VoteSeatRow.person) == person, col(VoteSeatRow.choice) == "", col(VoteSeatRow.recused).is_(False),
            col(VoteRow.closed_at).is_(None), col(VoteRow.closes_at) >= now,
        )
    ).all()  # fmt: skip
    return len(rows), any((closes_at - now).total_seconds() < 86_400 for closes_at in rows)


def waiting_for_secretary(session: Session, now: datetime) -> tuple[int, bool]:
    """Requests to be put to the vote, counts to be closed and approved ones without a group; and whether a count
    is over its time."""
    rows = session.exec(
        select(RequestRow.state, RequestRow.closes_at).where(col(RequestRow.state).in_(("filed", "voting", "approved")))
    ).all()
    over = [state for state, closes_at in rows if state == "voting" and closes_at and closes_at < now]
    waiting = sum(state != "voting" for state, _ in rows) + len(over)
    return waiting, bool(over) or any(state == "filed" for state, _ in rows)


# ── one request ─────────────────────────────────────────────────────────────────────────────────────────────────────


def votes_of(session: Session, request: SubjectId) -> list[Vote]:
    """Every ballot there was on a request, oldest first."""
    ids = session.exec(select(VoteRow.id).where(VoteRow.of == request).order_by(VoteRow.id))
    return [vote_state(session, id_) for id_ in ids]


def count_of(vote: Vote) -> Count:
    """What is counted of a ballot as it stands."""
    return Count(
        members=frozenset(vote.entitled), votes=vote.choices, recused=frozenset(vote.recused),
        chair=vote.chair, is_open=vote.closed is None,
    )  # fmt: skip


def bulk_rows(session: Session, bulk: str, person: PersonId) -> list[BulkVoteRow]:
    """What one bulk of this person did and left out. Raises RuleBroken("not_found")."""
    rows = list(session.exec(select(BulkVoteRow).where(BulkVoteRow.bulk == bulk, BulkVoteRow.person == person)))
    if not rows or not is_id(bulk):
        raise RuleBroken("not_found")
    return rows


def end_of_term(session: Session, office: Office, state: VisitRequest) -> Due:
    """The end of the term for the decision on a request."""
    return term_end(moment_of(state.filed_at), state.urgency, office_book(session, office).on, office)


def counted(session: Session, office: Office, vote: Vote) -> Arithmetic:
    """A ballot counted by the rules of the day it was opened."""
    return count_votes(count_of(vote), office_book(session, office).on(date.fromisoformat(vote.opened_on)))
