"""Visits as JSON: the same verbs as the pages, under the same matrix."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from server.console.web import allowed, needs, now, office, reader
from server.ledger import queries as ledger
from server.visits import actions, queries
from server.visits.pages import KINDS, STAGES, visit_state
from shared.values import PersonId, SubjectId, is_id
from shared.visits import Visit

blueprint = Blueprint("visits_api", __name__, url_prefix="/api/visits", description="Visits, groups and mandates")

_TEXT = validate.Length(max=4000)


class ListSchema(Schema):
    """What a list of visits is narrowed to."""

    stage = fields.String(load_default="", validate=validate.OneOf(("", *STAGES)))
    kind = fields.String(load_default="", validate=validate.OneOf(("", *KINDS)))
    page = fields.Integer(load_default=1, validate=validate.Range(1, 1_000_000))


class LineSchema(Schema):
    """A visit in a list; `institution` is empty until it starts."""

    id = fields.String()
    visit_kind = fields.String()
    stage = fields.String()
    institution = fields.String()
    mandate = fields.String()
    planned_at = fields.DateTime(allow_none=True)
    started_at = fields.DateTime(allow_none=True)
    closed_at = fields.DateTime(allow_none=True)
    leader = fields.String()
    members = fields.List(fields.String())


class VisitSchema(Schema):
    """A visit as it stands: the group as person ids, declared conflicts, mandate number, officers. Never its plan."""

    id = fields.String()
    visit_kind = fields.String()
    stage = fields.String()
    institution = fields.String()
    members = fields.List(fields.String())
    leader = fields.String()
    conflicts = fields.Dict(keys=fields.String(), values=fields.Boolean())
    mandate = fields.String()
    officers = fields.List(fields.String())
    photos_allowed = fields.Boolean()
    started_at = fields.String()
    closed_at = fields.String()


class OrderSchema(Schema):
    """The approved request a visit is made of."""

    request = fields.UUID(required=True)


class GroupSchema(Schema):
    """A group and its leader."""

    members = fields.List(fields.UUID(), required=True, validate=validate.Length(1, 30))
    leader = fields.UUID(required=True)


class ConflictSchema(Schema):
    """A declaration; with a conflict it says which."""

    conflict = fields.Boolean(required=True)
    what = fields.String(load_default="", validate=_TEXT)


class MandateSchema(Schema):
    """First and last day of a mandate."""

    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)


class MandateReasonSchema(Schema):
    """A reason in words."""

    reason = fields.String(required=True, validate=_TEXT)


class OfficerSchema(Schema):
    """An officer of the National Centre."""

    person = fields.UUID(required=True)


def _shown(state: Visit) -> dict[str, Any]:
    return {
        "id": state.id, "visit_kind": state.visit_kind, "stage": state.stage, "institution": state.institution or "",
        "members": list(state.members), "leader": state.leader, "conflicts": dict(state.conflicts),
        "mandate": state.mandate.number if state.mandate else "", "officers": sorted(state.officers),
        "photos_allowed": state.photos_allowed, "started_at": state.started_at, "closed_at": state.closed_at,
    }  # fmt: skip


@blueprint.get("")
@needs("visit.read")
@blueprint.arguments(ListSchema, location="query")
@blueprint.response(200, LineSchema(many=True))
def visits(wanted: dict[str, Any]) -> list[queries.VisitLine]:
    """The visits the reader may see, newest first, 50 a page."""
    with office().database.read() as session:
        return queries.listed(session, reader(), wanted["stage"], wanted["kind"], wanted["page"]).lines


@blueprint.post("")
@needs("visit.form_group")
@blueprint.arguments(OrderSchema)
@blueprint.response(201, VisitSchema)
def order(given: dict[str, Any]) -> dict[str, Any]:
    """Makes the visit of an approved request."""
    with office().database.write() as session:
        wanted = str(given["request"])
        state: Any = ledger.state(session, SubjectId(wanted)) if is_id(wanted) else None
        allowed("request.read", state)
        visit = actions.order_visit(session, office(), reader(), state, now())
        return _shown(ledger.state(session, visit))


@blueprint.get("/<string:visit>")
@needs("visit.read")
@blueprint.response(200, VisitSchema)
def visit(visit: str) -> dict[str, Any]:
    """One visit."""
    with office().database.read() as session:
        return _shown(visit_state(session, visit))


@blueprint.put("/<string:visit>/group")
@needs("visit.form_group")
@blueprint.arguments(GroupSchema)
@blueprint.response(200, VisitSchema)
def group(given: dict[str, Any], visit: str) -> dict[str, Any]:
    """Forms the group, or forms it anew."""
    members = [PersonId(str(each)) for each in given["members"]]
    with office().database.write() as session:
        state = visit_state(session, visit, "visit.form_group")
        leader = PersonId(str(given["leader"]))
        return _shown(actions.form_group(session, office(), reader().person, state.id, members, leader, now()))


@blueprint.post("/<string:visit>/conflict")
@needs("visit.declare_conflict")
@blueprint.arguments(ConflictSchema)
@blueprint.response(200, VisitSchema)
def conflict(given: dict[str, Any], visit: str) -> dict[str, Any]:
    """A member's own declaration."""
    with office().database.write() as session:
        state = visit_state(session, visit, "visit.declare_conflict")
        return _shown(
            actions.declare_conflict(session, office(), reader().person, state, given["conflict"], given["what"], now())
        )


@blueprint.post("/<string:visit>/mandate")
@needs("visit.issue_mandate")
@blueprint.arguments(MandateSchema)
@blueprint.response(201, VisitSchema)
def mandate(given: dict[str, Any], visit: str) -> dict[str, Any]:
    """Issues the mandate."""
    with office().database.write() as session:
        state = visit_state(session, visit, "visit.issue_mandate")
        return _shown(
            actions.issue_mandate(
                session, office(), reader().person, state.id, given["valid_from"], given["valid_until"], now()
            )
        )


@blueprint.post("/<string:visit>/mandate/withdrawal")
@needs("visit.issue_mandate")
@blueprint.arguments(MandateReasonSchema)
@blueprint.response(200, VisitSchema)
def withdrawal(given: dict[str, Any], visit: str) -> dict[str, Any]:
    """Withdraws the mandate that stands."""
    with office().database.write() as session:
        state = visit_state(session, visit, "visit.issue_mandate")
        return _shown(actions.withdraw_mandate(session, office(), reader().person, state, given["reason"], now()))


@blueprint.post("/<string:visit>/officers")
@needs("visit.assign_officer")
@blueprint.arguments(OfficerSchema)
@blueprint.response(201, VisitSchema)
def officers(given: dict[str, Any], visit: str) -> dict[str, Any]:
    """Assigns an officer."""
    with office().database.write() as session:
        state = visit_state(session, visit, "visit.assign_officer")
        person = PersonId(str(given["person"]))
        return _shown(actions.assign_officer(session, office(), reader().person, state.id, person, now()))
