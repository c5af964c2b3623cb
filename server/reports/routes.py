"""Reports and their review as JSON: the same verbs as the pages, under the same matrix."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from server.console.web import allowed, needs, now, office, reader
from server.ledger import queries as ledger
from server.reports import actions, queries
from server.reports.review import state_of
from shared.errors import RuleBroken
from shared.reports import Report, findings_of
from shared.values import OperationId, SubjectId, is_id

blueprint = Blueprint("reports_api", __name__, url_prefix="/api/reports", description="Reports and their review")

STATES = ("open", "returned", "accepted")


class QueueSchema(Schema):
    """Which part of the queue."""

    state = fields.String(load_default="open", validate=validate.OneOf(STATES))


class QueueLineSchema(Schema):
    """A finding in the queue; severity 1 to 4."""

    report = fields.String()
    finding = fields.String()
    visit = fields.String()
    institution = fields.String()
    place = fields.Integer()
    severity = fields.Integer()
    urgent = fields.Boolean()
    state = fields.String()
    headline = fields.String()


class ReportSchema(Schema):
    """A report: its stage, check code, frozen document, and where each finding stands in the review."""

    id = fields.String()
    visit = fields.String()
    stage = fields.String()
    version = fields.Integer()
    sha256 = fields.String()
    document = fields.Dict(keys=fields.String())
    signatures = fields.List(fields.Dict(keys=fields.String()))
    findings = fields.Dict(keys=fields.String(), values=fields.String())
    questions = fields.List(fields.Dict(keys=fields.String()))


class SeenSchema(Schema):
    """How many words about the finding the officer had seen; left out: not asked."""

    seen = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 1_000_000))


class QuestionSchema(SeenSchema):
    """A question to the group; an empty finding asks about the whole report."""

    finding = fields.String(load_default="", validate=validate.Regexp(r"\A([0-9a-f]{64})?\Z"))
    text = fields.String(required=True, validate=validate.Length(1, 4000))
    language = fields.String(load_default="ru", validate=validate.OneOf(("kk", "ru", "en")))


class ReopeningReasonSchema(Schema):
    """A reason in words."""

    reason = fields.String(required=True, validate=validate.Length(1, 4000))


def _report(session: Any, report: str, verb: str) -> Report:
    state = ledger.state(session, SubjectId(report)) if is_id(report) else None
    if not isinstance(state, Report):
        raise RuleBroken("not_found")
    allowed(verb, state)
    return state


def _shown(state: Report) -> dict[str, Any]:
    current = state.current
    return {
        "id": state.id, "visit": state.visit, "stage": state.stage,
        "version": current.body.version if current else 0, "sha256": current.body.sha256 if current else "",
        "document": current.document if current else {},
        "signatures": [
            {"person": each.person, "stand": each.stand, "text": each.text, "language": each.language, "at": each.at}
            for each in (current.signatures.values() if current else ())
        ],
        "findings": {id_: state_of(state, id_) for id_ in findings_of(state)} if state.submitted else {},
        "questions": [
            {"id": each.id, "finding": each.finding, "text": each.text, "at": each.at, "answer": each.answer}
            for each in state.questions.values()
        ],
    }  # fmt: skip


@blueprint.get("/queue")
@needs("report.review")
@blueprint.arguments(QueueSchema, location="query")
@blueprint.response(200, QueueLineSchema(many=True))
def queue(wanted: dict[str, Any]) -> list[queries.QueueLine]:
    """Findings of the reports this officer reviews: urgent first, then the worst."""
    with office().database.read() as session:
        if wanted["state"] == "open":
            return queries.queue(session, reader())
        return queries.queue(session, reader(), (wanted["state"],))


@blueprint.get("/<string:report>")
@needs("report.read")
@blueprint.response(200, ReportSchema)
def report(report: str) -> dict[str, Any]:
    """One report."""
    with office().database.read() as session:
        return _shown(_report(session, report, "report.read"))


@blueprint.post("/<string:report>/findings/<string:finding>/acceptance")
@needs("report.review")
@blueprint.arguments(SeenSchema)
@blueprint.response(201, ReportSchema)
def accept(given: dict[str, Any], report: str, finding: str) -> dict[str, Any]:
    """Accepts a finding; a critical one counts when two officers did. 409 when somebody decided meanwhile."""
    with office().database.write() as session:
        state = _report(session, report, "report.review")
        return _shown(_now_or_late(
            actions.accept_finding, session, office(), reader().person, state, OperationId(finding), now(),
            given["seen"],
        ))  # fmt: skip


@blueprint.post("/<string:report>/questions")
@needs("report.review")
@blueprint.arguments(QuestionSchema)
@blueprint.response(201, ReportSchema)
def ask(given: dict[str, Any], report: str) -> dict[str, Any]:
    """Returns a finding with a question, or asks about the whole report."""
    with office().database.write() as session:
        state = _report(session, report, "report.review")
        return _shown(_now_or_late(
            actions.return_finding, session, office(), reader().person, state, OperationId(given["finding"]),
            given["text"], given["language"], now(), given["seen"],
        ))  # fmt: skip


@blueprint.post("/<string:report>/findings/<string:finding>/reopening")
@needs("report.review")
@blueprint.arguments(ReopeningReasonSchema)
@blueprint.response(201, ReportSchema)
def reopen(given: dict[str, Any], report: str, finding: str) -> dict[str, Any]:
    """Takes an acceptance back."""
    with office().database.write() as session:
        state = _report(session, report, "report.review")
        return _shown(
            actions.reopen_finding(
                session, office(), reader().person, state, OperationId(finding), given["reason"], now()
            )
        )


def _now_or_late(action: Any, *arguments: Any) -> Report:
    """The action's result; RuleBroken("already_decided") when somebody else decided after the officer looked."""
    try:
        state: Report = action(*arguments)
    except actions.DecidedMeanwhile as meanwhile:
        raise RuleBroken("already_decided", "domain VR-6") from meanwhile
    return state
