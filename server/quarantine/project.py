"""Rows of decisions about frames and tablets, made anew from the folded subject of a person."""

from __future__ import annotations

from sqlmodel import Session, col, delete

from server.quarantine.tables import FrameDecisionRow, RestoredRow
from shared.accounts import Person
from shared.values import is_hash, is_id, moment_of

REASON_LETTERS = 500


def person(session: Session, state: Person) -> None:
    """What was decided of this person's frames and tablets."""
    session.execute(delete(FrameDecisionRow).where(col(FrameDecisionRow.person) == state.id))
    session.execute(delete(RestoredRow).where(col(RestoredRow.person) == state.id))
    for decision in state.frame_decisions.values():
        if is_hash(decision.head) and is_id(decision.device) and is_id(decision.subject):
            session.add(
                FrameDecisionRow(
                    head=decision.head, person=state.id, device=decision.device, subject=decision.subject,
                    first=decision.first, count=decision.count, outcome=decision.outcome, held=decision.held[:16],
                    reason=decision.reason[:REASON_LETTERS], author=decision.author, second=decision.second,
                    decided_at=moment_of(decision.at),
                )
            )  # fmt: skip
    session.add_all(
        RestoredRow(
            person=state.id, device=each.device, stopped=each.stopped[:16], reason=each.reason[:REASON_LETTERS],
            author=each.author, second=each.second, restored_at=moment_of(each.at),
        )
        for each in state.restored
    )  # fmt: skip
    session.flush()
