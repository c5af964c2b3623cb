"""Rows of a visit, its group, its officers and its mandates, made anew from the folded subject."""

from __future__ import annotations

import re
from datetime import datetime

from sqlmodel import Session, col, delete

from server.visits.tables import MandateRow, VisitMemberRow, VisitOfficerRow, VisitRow
from shared.values import InstitutionKey, is_id, moment_of
from shared.visits import Visit

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def visit(session: Session, state: Visit) -> None:
    """Replaces all rows of the visit."""
    for table in (VisitMemberRow, VisitOfficerRow, MandateRow):
        session.execute(delete(table).where(col(table.visit) == state.id))
    session.merge(
        VisitRow(
            id=state.id, visit_kind=state.visit_kind, stage=state.stage, planned_by=state.planned_by or state.id,
            planned_at=_moment(state.planned_at), photos_allowed=state.photos_allowed,
            request=state.request if is_id(state.request) else None,
            institution=_key(state.institution), started_at=_moment(state.started_at),
            closed_at=_moment(state.closed_at), mandate=state.mandate.number if state.mandate else "",
        )
    )  # fmt: skip
    session.add_all(
        VisitMemberRow(
            visit=state.id, person=person, place=place, leads=person == state.leader,
            conflict=state.conflicts.get(person),
        )
        for place, person in enumerate(state.members)
    )  # fmt: skip
    session.add_all(VisitOfficerRow(visit=state.id, person=person) for person in sorted(state.officers))
    standing = state.mandate.number if state.mandate else ""
    rows = {
        body.number: MandateRow(
            number=body.number, visit=state.id, issued_at=moment_of(at), stands=body.number == standing
        )
        for at, body in state.mandates
    }
    session.add_all(rows.values())
    session.flush()


def _key(institution: InstitutionKey | None) -> str:
    """A register key as a tablet sent it; empty for what can be none."""
    return institution if institution and _KEY.fullmatch(institution) else ""


def _moment(text: str) -> datetime | None:
    """The moment a tablet or the office wrote; None for none, or for a text that is no moment."""
    try:
        return moment_of(text) if text else None
    except ValueError:
        return None
