"""Rows of a report and of its findings in the review queue, made anew from the folded subject."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, delete

from server.reports.review import headline_of, severity_of, state_of
from server.reports.tables import ReportRow, ReviewRow
from shared.reports import Report, Version, findings_of
from shared.values import is_hash, moment_of


def report(session: Session, state: Report) -> None:
    """Replaces the report's rows."""
    session.execute(delete(ReviewRow).where(col(ReviewRow.report) == state.id))
    session.execute(delete(ReportRow).where(col(ReportRow.id) == state.id))
    current = state.current
    if current is None or state.parent is None:
        return
    session.add(_report(state, current))
    if state.submitted:
        session.add_all(_review(state))
    session.flush()


def _report(state: Report, current: Version) -> ReportRow:
    stands = [signature.stand for signature in current.signatures.values()]
    return ReportRow(
        id=state.id, visit=_visit(state), stage=state.stage, version=current.body.version,
        sha256=current.body.sha256,
        signed=len(stands), reservations=stands.count("reservation"), dissents=stands.count("dissent"),
        unsigned=len(state.unsigned()), submitted_at=_moment(state.submitted_at),
        accepted_at=_moment(state.accepted_at),
    )  # fmt: skip


def _review(state: Report) -> list[ReviewRow]:
    rows = []
    for place, (id_, finding) in enumerate(findings_of(state).items(), 1):
        if not is_hash(id_):
            continue
        half = state.half_accepted.get(id_)
        rows.append(
            ReviewRow(
                report=state.id, finding=id_, visit=_visit(state), place=place,
                severity=severity_of(finding),
                urgent=finding.get("urgent") is True, state=state_of(state, id_),
                first_officer=half[0] if half else None, headline=headline_of(finding),
                submitted_at=_moment(state.submitted_at),
            )
        )  # fmt: skip
    return rows


def _visit(state: Report) -> str:
    """The visit by the report's place in the ledger; what a later body claims moves nothing."""
    return state.parent.id if state.parent else state.visit


def _moment(text: str) -> datetime | None:
    try:
        return moment_of(text) if text else None
    except ValueError:
        return None
