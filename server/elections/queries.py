"""Reading elections: the list, one election with its stage, the count of a round, who has still to vote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlmodel import Session, col, func, select

from server.elections.tables import ElectionRow, ElectionVoterRow
from server.ledger import queries as ledger
from shared.candidacies import Candidate, Election, Round
from shared.elections import Poll, RoundResult, TieStep, count_round, tie_step
from shared.errors import RuleBroken
from shared.law.law import Law
from shared.ledger.crypto import sha256
from shared.values import PersonId, SubjectId, is_id

Stage = Literal["call", "check", "round", "ballot", "second_round", "chair", "result", "closed"]


@dataclass(frozen=True)
class Line:
    """An election in the list."""

    id: SubjectId
    region: str
    seats: int
    candidates: int
    elected: int
    call_until: str
    open_round: int
    is_closed: bool


def lines(session: Session) -> list[Line]:
    """All elections, newest first."""
    rows = session.exec(select(ElectionRow).order_by(col(ElectionRow.called_at).desc()))
    return [
        Line(
            SubjectId(row.id), row.region, row.seats, row.candidates, row.elected, row.call_until, row.open_round,
            row.closed_at is not None,
        )
        for row in rows
    ]  # fmt: skip


def open_ballots_of(session: Session, person: PersonId) -> int:
    """Open rounds in which the person has not voted yet."""
    query = select(func.count()).select_from(ElectionVoterRow)
    mine = (col(ElectionVoterRow.person) == person, col(ElectionVoterRow.voted).is_(False))
    return session.exec(query.where(*mine, col(ElectionVoterRow.recused).is_(False))).one()


def election_state(session: Session, election: str) -> Election:
    """The folded election. Raises RuleBroken("not_found") for anything else."""
    state = ledger.state(session, SubjectId(election)) if is_id(election) else None
    if not isinstance(state, Election) or state.called is None:
        raise RuleBroken("not_found")
    return state


def standing(state: Election) -> list[Candidate]:
    """Candidates who still stand, in the order they were entered."""
    return [candidate for candidate in state.candidates.values() if not candidate.withdrew]


def open_seats(state: Election) -> int:
    """Seats nobody holds yet."""
    return state.called.seats - len(state.elected) if state.called else 0


def tied(state: Election) -> tuple[PersonId, ...]:
    """Those tied for the last seats and not decided yet."""
    last = state.rounds[-1] if state.rounds else None
    if last is None or last.closed is None or last.tie:
        return ()
    return last.closed.tied


def tie_next(state: Election, law: Law) -> TieStep | None:
    """What decides between the tied; None without a tie."""
    return tie_step(len(state.rounds), False, law) if tied(state) else None


def stage(state: Election, today: date, law: Law) -> Stage:
    """Where the election stands: what somebody has to do next."""
    if state.closed:
        return "closed"
    if state.open_round:
        return "ballot"
    if state.rounds:
        step = tie_next(state, law)
        return "result" if step is None else "second_round" if step == "second_round" else "chair"
    if state.called and today.isoformat() <= state.called.call_until:
        return "call"
    unchecked = [candidate for candidate in standing(state) if is_unfinished(candidate)]
    return "check" if unchecked or not standing(state) else "round"


def is_unfinished(candidate: Candidate) -> bool:
    """Whether the bars were not checked yet, or some answer is still unknown."""
    return candidate.eligible is None or (not candidate.eligible and "unknown" in candidate.bars.values())


def poll_of(state: Election, round_: Round) -> Poll:
    """A round as it is counted. A member who stands does not vote on himself. Source: domain M-11."""
    opened = round_.opened
    return Poll(
        candidates=opened.candidates,
        seats=opened.seats,
        members=frozenset(opened.entitled),
        ballots=round_.ballots,
        number=opened.round,
        recused=frozenset(round_.recused),
        recused_for={each: frozenset({each}) for each in opened.candidates if each in opened.entitled},
    )


def result_of(state: Election, round_: Round, law: Law) -> RoundResult:
    """The count of a closed round, with every step."""
    return count_round(poll_of(state, round_), law)


def may_close(round_: Round, closes_at_is_over: bool) -> bool:
    """Whether a round may be counted: its time is over, or everybody who may vote has voted."""
    return closes_at_is_over or set(round_.opened.entitled) - set(round_.recused) <= set(round_.ballots)


def ballot_order(round_: Round, election: SubjectId, voter: PersonId) -> list[PersonId]:
    """The candidates as this voter sees them: the order of the call, turned by a place that differs from voter to
    voter and stays the same for one, so that nobody gains by standing first."""
    candidates = list(round_.opened.candidates)
    turn = int.from_bytes(sha256(f"{election}/{round_.opened.round}/{voter}".encode())[:8], "big") % len(candidates)
    return candidates[turn:] + candidates[:turn]
