"""What the office does with a submitted report: ask, accept, reopen, finish; and put it on paper.

The office corrects nothing: a question goes to the group's tablets by sync, the answer comes back the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from server.accounts import queries as people
from server.documents.paper import pdf_of
from server.institutions.places import institution_of
from server.ledger import queries as ledger
from server.ledger.actions import record
from server.office import Office, Reader
from server.reports.forms import forms_of, outside_lists
from server.reports.paper import report_values
from server.reports.review import decisions_about
from shared.errors import RuleBroken
from shared.ledger.operation import Body
from shared.permissions import may
from shared.reports import (
    FindingAccepted,
    FindingReopened,
    QuestionAsked,
    Report,
    ReportAccepted,
    findings_of,
)
from shared.texts import Language, texts
from shared.values import OperationId, PersonId, as_typed

TEXT_LENGTH = 4_000


class DecidedMeanwhile(Exception):
    """Somebody decided about the finding after the page was made: (moment, kind, person) of the last word."""

    def __init__(self, at: str, kind: str, person: str) -> None:
        super().__init__(kind)
        self.at, self.kind, self.person = at, kind, person


def _check_seen(report: Report, finding: OperationId, seen: int | None) -> None:
    """Raises DecidedMeanwhile when more was said about the finding than the reviewer saw."""
    said = decisions_about(report, finding)
    if seen is not None and len(said) > seen:
        raise DecidedMeanwhile(*said[-1])


def accept_finding(
    session: Session, office: Office, officer: PersonId, report: Report, finding: OperationId, now: datetime,
    seen: int | None = None,
) -> Report:  # fmt: skip
    """Takes the finding as it stands; the last one taken closes the review of the report.

    seen  how many words about the finding the officer had before the eyes; None: not asked

    Raises DecidedMeanwhile; RuleBroken: finding_unknown, question_open, already_decided, second_officer_needed.
    """
    _check_seen(report, finding, seen)
    state: Report = record(session, office, report.id, officer, [FindingAccepted(finding=finding)], now)
    return _close_when_done(session, office, officer, state, now)


def _close_when_done(session: Session, office: Office, officer: PersonId, state: Report, now: datetime) -> Report:
    is_done = set(findings_of(state)) == set(state.accepted_findings)
    if is_done and not any(each.is_open for each in state.questions.values()) and not state.accepted_at:
        closed: Report = record(session, office, state.id, officer, [ReportAccepted()], now)
        return closed
    return state


def accept_report(session: Session, office: Office, officer: PersonId, report: Report, now: datetime) -> Report:
    """Closes the review of a report without findings, or one whose last question was answered. Raises RuleBroken."""
    state: Report = record(session, office, report.id, officer, [ReportAccepted()], now)
    return state


def return_finding(
    session: Session, office: Office, officer: PersonId, report: Report, finding: OperationId, text: str,
    language: Language, now: datetime, seen: int | None = None,
) -> Report:  # fmt: skip
    """Sends the finding back with a question, or asks about the whole report (empty `finding`).

    Raises DecidedMeanwhile; RuleBroken: no_reason without a question, finding_unknown, already_decided.
    """
    if finding:
        _check_seen(report, finding, seen)
    words = as_typed(text)[:TEXT_LENGTH]
    if not words:
        raise RuleBroken("no_reason", "domain VR-6")
    bodies: Sequence[Body] = [QuestionAsked(finding=finding, text=words, language=language)]
    state: Report = record(session, office, report.id, officer, bodies, now)
    return state


def reopen_finding(
    session: Session, office: Office, officer: PersonId, report: Report, finding: OperationId, reason: str,
    now: datetime,
) -> Report:  # fmt: skip
    """Takes an acceptance back. Raises RuleBroken: no_reason, finding_unknown, already_decided."""
    body = FindingReopened(finding=finding, reason=as_typed(reason)[:TEXT_LENGTH])
    state: Report = record(session, office, report.id, officer, [body], now)
    return state


def report_pdf(
    session: Session, office: Office, reader: Reader, report: Report, language: Language, now: datetime
) -> bytes:
    """The report in Kazakh or Russian, made from the frozen document and the stands, never from tables.

    Raises RuleBroken: not_found when the reader may not read it, report_missing, report_changed.
    """
    if not may(reader.person, reader.hat, "report.read", report):
        raise RuleBroken("not_found")
    if report.current is None:
        raise RuleBroken("report_missing", "report.per_visit")
    key = str(report.current.document.get("visit", {}).get("institution", ""))
    values = report_values(
        report, people.names(session), texts(language), forms_of(session, report.current.document),
        outside_lists(session), institution_of(session, key), office.calendar.day_of(now),
    )  # fmt: skip
    named = ledger.the(session, "office").names
    return pdf_of("report.html", language, values | {"office_name": named.get(language, ""), "made_at": now}, now)
