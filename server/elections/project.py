"""Folded elections → rows; replaces the rows of one subject whole and reads nothing sealed."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, delete

from server.elections.tables import ElectionRow, ElectionVoterRow
from shared.candidacies import Election
from shared.values import moment_of


def election(session: Session, state: Election) -> None:
    """The row of an election and the voters of its open round."""
    session.execute(delete(ElectionVoterRow).where(col(ElectionVoterRow.election) == state.id))
    session.execute(delete(ElectionRow).where(col(ElectionRow.id) == state.id))
    called_at = _moment(state.called_at)
    if state.called is None or called_at is None:
        return
    round_ = state.open_round
    session.add(
        ElectionRow(
            id=state.id, region=state.called.region, seats=state.called.seats, call_until=state.called.call_until,
            term_from=state.called.term_from, called_at=called_at, candidates=len(state.candidates),
            open_round=round_.opened.round if round_ else 0, elected=len(state.elected),
            closed_at=_moment(state.closed_at),
        )
    )  # fmt: skip
    if round_:
        session.add_all(
            ElectionVoterRow(
                election=state.id, person=person, voted=person in round_.ballots, recused=person in round_.recused
            )
            for person in round_.opened.entitled
        )
    session.flush()


def _moment(text: str) -> datetime | None:
    """The moment of a stamp; None for none, or for a text that is no moment."""
    try:
        return moment_of(text) if text else None
    except ValueError:
        return None
