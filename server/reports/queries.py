"""Reading the review queue and reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from server.office import Reader
from server.reports.review import OPEN
from server.reports.tables import ReportRow, ReviewRow
from server.visits.tables import VisitOfficerRow, VisitRow
from shared.values import OperationId, PersonId, SubjectId


@dataclass(frozen=True)
class QueueLine:
    """A finding in the queue. `institution` is a register key; `severity` 1 to 4."""

    report: SubjectId
    finding: OperationId
    visit: SubjectId
    institution: str
    place: int
    severity: int
    urgent: bool
    state: str
    headline: str
    first_officer: PersonId
    submitted_at: datetime | None


def queue(session: Session, reader: Reader, states: tuple[str, ...] = OPEN) -> list[QueueLine]:
    """Findings of reports this officer reviews: urgent first, then the worst, then the longest waiting.

    A critical finding the officer accepted already waits for somebody else and is left out of what is open.
    """
    rows = session.exec(
        select(ReviewRow, VisitRow.institution)
        .join(VisitRow, col(VisitRow.id) == col(ReviewRow.visit))
        .join(VisitOfficerRow, col(VisitOfficerRow.visit) == col(ReviewRow.visit))
        .where(VisitOfficerRow.person == reader.person, col(ReviewRow.state).in_(states))
        .order_by(
            col(ReviewRow.urgent).desc(), col(ReviewRow.severity).desc(), col(ReviewRow.submitted_at),
            col(ReviewRow.report), col(ReviewRow.place),
        )
    )  # fmt: skip
    lines = [
        QueueLine(
            SubjectId(row.report), OperationId(row.finding), SubjectId(row.visit), institution, row.place,
            row.severity, row.urgent, row.state, row.headline, PersonId(row.first_officer or ""), row.submitted_at,
        )
        for row, institution in rows
    ]  # fmt: skip
    return [line for line in lines if not (line.state == "half" and line.first_officer == reader.person)]


def waiting_for_second(session: Session, reader: Reader) -> int:
    """Critical findings this officer accepted that wait for a second one."""
    rows = session.exec(
        select(ReviewRow.finding)
        .join(VisitOfficerRow, col(VisitOfficerRow.visit) == col(ReviewRow.visit))
        .where(
            VisitOfficerRow.person == reader.person, ReviewRow.state == "half",
            ReviewRow.first_officer == reader.person,
        )
    )  # fmt: skip
    return len(rows.all())


def after(lines: list[QueueLine], report: str, finding: str) -> QueueLine | None:
    """The item that opens by itself after this one was decided: the next in the queue, else the first other one."""
    others = [line for line in lines if (line.report, line.finding) != (report, finding)]
    places = {(line.report, line.finding): at for at, line in enumerate(lines)}
    here = places.get((SubjectId(report), OperationId(finding)))
    if not others:
        return None
    return others[here % len(others)] if here is not None and here < len(others) else others[0]


@dataclass(frozen=True)
class ReportLine:
    """A report in a list of visits."""

    id: SubjectId
    stage: str
    submitted_at: datetime | None


def report_of(session: Session, visit: str) -> ReportLine | None:
    """The report of a visit."""
    row = session.exec(select(ReportRow).where(ReportRow.visit == visit).order_by(col(ReportRow.id))).first()
    return ReportLine(SubjectId(row.id), row.stage, row.submitted_at) if row else None


def findings_count(session: Session, visit: str) -> int:
    """Number of findings in the submitted report of a visit."""
    return len(session.exec(select(ReviewRow.finding).where(ReviewRow.visit == visit)).all())
