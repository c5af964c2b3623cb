"""Folded requests and votes → rows; replaces the rows of one subject whole and reads nothing sealed."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, delete

from server.visit_requests.tables import RequestRow, VoteRow, VoteSeatRow
from shared.ballots import Vote
from shared.values import is_id, moment_of
from shared.visit_requests import VisitRequest


def visit_request(session: Session, state: VisitRequest) -> None:
    """The row of a request; none before it is filed."""
    session.execute(delete(RequestRow).where(col(RequestRow.id) == state.id))
    filed_at = _moment(state.filed_at)
    if not state.filed or filed_at is None:
        return
    decision = state.decision
    session.add(
        RequestRow(
            id=state.id, state=state.state, visit_kind=state.visit_kind, urgency=state.urgency, filer=state.filer,
            leader=state.leader if is_id(state.leader) else "", filed_at=filed_at, vote=state.vote,
            closes_at=_moment(state.closes_at),
            decided_at=_moment(decision.at) if decision else None, decision=decision.operation if decision else None,
            visit=state.visit,
        )
    )  # fmt: skip
    session.flush()


def vote(session: Session, state: Vote) -> None:
    """The row of a ballot and a row for each seat."""
    session.execute(delete(VoteSeatRow).where(col(VoteSeatRow.vote) == state.id))
    session.execute(delete(VoteRow).where(col(VoteRow.id) == state.id))
    closes_at = _moment(state.closes_at)
    if not state.entitled or closes_at is None:
        return
    session.add(
        VoteRow(
            id=state.id, of=state.of, chair=state.chair, opened_on=state.opened_on, closes_at=closes_at,
            closed_at=_moment(state.closed_at), result=state.closed.result if state.closed else "",
        )
    )  # fmt: skip
    declared = {author for _, kind, author, _ in state.history if kind == "member_recused"}
    choices = state.choices
    session.add_all(
        VoteSeatRow(
            vote=state.id, person=person, choice=choices.get(person, ""), recused=person in state.recused,
            conflict=person in declared,
        )
        for person in state.entitled
    )  # fmt: skip
    session.flush()


def _moment(text: str) -> datetime | None:
    """The moment a tablet or the office wrote; None for none, or for a text that is no moment."""
    try:
        return moment_of(text) if text else None
    except ValueError:
        return None
