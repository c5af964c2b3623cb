"""The requests of the Council and the votes on them as JSON: the same verbs as the pages, under the same matrix."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from server.console.web import allowed, can, needs, now, office, reader
from server.visit_requests import actions, opened, queries
from server.visit_requests.actions import Wish
from server.visit_requests.queries import Filters
from shared.accounts import COUNCIL
from shared.ballots import Vote
from shared.values import PersonId
from shared.visit_requests import VisitRequest

blueprint = Blueprint("requests_api", __name__, url_prefix="/api", description="Requests for a visit and votes")

KINDS = ("special", "intermediate", "periodic", "unplanned")
CHOICES = ("for", "against", "abstain")
REASON = fields.String(load_default="", validate=validate.Length(max=4000))


class FilterSchema(Schema):
    """What a list of requests is narrowed to."""

    tab = fields.String(load_default="waiting", validate=validate.OneOf(("waiting", "mine", "decided")))
    first = fields.Integer(load_default=0, validate=validate.Range(0, 2**31 - 1))


class WishSchema(Schema):
    """A request as a member files it; institution, reason, dates and group are sealed at once."""

    visit_kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    urgency = fields.String(required=True, validate=validate.OneOf(("urgent", "normal")))
    institution = fields.String(required=True, validate=validate.Length(1, 64))
    reason = fields.String(required=True, validate=validate.Length(1, 4000))
    from_on = fields.Date(required=True)
    to_on = fields.Date(required=True)
    members = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=30))
    leader = fields.UUID(load_default=None, allow_none=True)


class RequestSchema(Schema):
    """A request as it stands. `words` holds the opened words in the answer about one request only."""

    id = fields.String()
    state = fields.String()
    visit_kind = fields.String()
    urgency = fields.String()
    filed_at = fields.String()
    due_on = fields.Date()
    vote = fields.String(allow_none=True)
    visit = fields.String(allow_none=True)
    words = fields.Dict(keys=fields.String())


class RequestReasonSchema(Schema):
    """A reason in words."""

    reason = REASON


class CloseSchema(RequestReasonSchema):
    """How a count is closed: the reason refuses when a majority is against."""

    photos_allowed = fields.Boolean(load_default=False)


class CastSchema(RequestReasonSchema):
    """A vote; one against needs its reason."""

    choice = fields.String(required=True, validate=validate.OneOf(CHOICES))


class SeatSchema(Schema):
    """A seat of the row: the member and where the vote stands."""

    member = fields.String()
    place = fields.String()


class StepSchema(Schema):
    """A line of the arithmetic. `rule` and `confidence` are empty for plain arithmetic."""

    name = fields.String()
    formula = fields.String()
    facts = fields.Dict(keys=fields.String())
    result = fields.Integer()
    rule = fields.String()
    confidence = fields.String()


class VoteSchema(Schema):
    """A ballot with its count as it stands, or as it closed."""

    id = fields.String()
    of = fields.String()
    closes_at = fields.String()
    closed_at = fields.String()
    outcome = fields.String()
    seats = fields.List(fields.Nested(SeatSchema))
    steps = fields.List(fields.Nested(StepSchema))


@blueprint.get("/requests")
@needs("request.read")
@blueprint.arguments(FilterSchema, location="query")
@blueprint.response(200, RequestSchema(many=True))
def requests(filters: dict[str, Any]) -> list[dict[str, Any]]:
    """Requests the reader may see, 50 at a time, without their sealed words."""
    with office().database.read() as session:
        found = queries.inbox(session, office(), reader(), Filters(tab=filters["tab"]), now())
    lines = found[filters["first"] : filters["first"] + 50]
    return [
        {
            "id": line.id, "state": line.row.state, "visit_kind": line.row.visit_kind, "urgency": line.row.urgency,
            "filed_at": line.row.filed_at.isoformat(), "due_on": line.due.on, "vote": line.row.vote,
            "visit": line.row.visit,
        }
        for line in lines
    ]  # fmt: skip


@blueprint.post("/requests")
@needs("request.file")
@blueprint.arguments(WishSchema)
@blueprint.response(201, RequestSchema)
def file_request(given: dict[str, Any]) -> dict[str, Any]:
    """Files a request."""
    wish = Wish(
        given["visit_kind"], given["urgency"], given["institution"], given["reason"], given["from_on"], given["to_on"],
        tuple(PersonId(str(each)) for each in given["members"]), PersonId(str(given["leader"] or "")),
    )  # fmt: skip
    with office().database.write() as session:
        made = actions.file_request(session, office(), reader().person, wish, now())
        return _request(session, queries.request_state(session, made))


@blueprint.get("/requests/<uuid:request>")
@needs("request.read")
@blueprint.response(200, RequestSchema)
def request(request: object) -> dict[str, Any]:
    """One request with its opened words; the opening is logged."""
    with office().database.write() as session:
        state = queries.may_read(session, reader(), str(request))
        words = opened.of_request(session, office(), reader(), state, "api", now())
        return _request(session, state) | {"words": words}


def _request(session: Any, state: VisitRequest) -> dict[str, Any]:
    return {
        "id": state.id, "state": state.state, "visit_kind": state.visit_kind, "urgency": state.urgency,
        "filed_at": state.filed_at, "due_on": queries.end_of_term(session, office(), state).on, "vote": state.vote,
        "visit": state.visit,
    }  # fmt: skip


@blueprint.post("/requests/<uuid:request>/put-to-vote")
@needs("request.put_to_vote")
@blueprint.response(201, VoteSchema)
def put_to_vote(request: object) -> dict[str, Any]:
    """Opens the ballot on a request."""
    with office().database.write() as session:
        state = queries.may_read(session, reader(), str(request))
        vote = actions.put_to_vote(session, office(), reader().person, state.id, now())
        return _vote(session, queries.vote_state(session, vote))


@blueprint.post("/requests/<uuid:request>/withdraw-decision")
@needs("request.undo")
@blueprint.arguments(RequestReasonSchema)
@blueprint.response(200, RequestSchema)
def withdraw_decision(given: dict[str, Any], request: object) -> dict[str, Any]:
    """Takes the decision back within ten minutes."""
    with office().database.write() as session:
        state = queries.may_read(session, reader(), str(request))
        actions.withdraw_decision(session, office(), reader().person, state.id, given["reason"], now())
        return _request(session, queries.request_state(session, state.id))


@blueprint.get("/votes/<uuid:vote>")
@needs("vote.read")
@blueprint.response(200, VoteSchema)
def vote(vote: object) -> dict[str, Any]:
    """A ballot with its arithmetic."""
    with office().database.read() as session:
        state = _readable(session, vote)
        return _vote(session, state)


def _readable(session: Any, vote: object) -> Vote:
    state = queries.vote_state(session, str(vote))
    allowed("vote.read", state)
    if reader().hat in COUNCIL or can("vote.close"):
        allowed("request.read", queries.request_state(session, state.of))
    return state


def _vote(session: Any, state: Vote) -> dict[str, Any]:
    counted = queries.counted(session, office(), state)
    return {
        "id": state.id, "of": state.of, "closes_at": state.closes_at, "closed_at": state.closed_at,
        "outcome": counted.outcome, "seats": [{"member": each.member, "place": each.place} for each in counted.seats],
        "steps": [
            {
                "name": step.name, "formula": step.formula, "facts": step.facts, "result": step.result,
                "rule": step.rule.key if step.rule else "", "confidence": step.confidence or "",
            }
            for step in counted.steps
        ],
    }  # fmt: skip


@blueprint.post("/votes/<uuid:vote>/cast")
@needs("vote.cast")
@blueprint.arguments(CastSchema)
@blueprint.response(200, VoteSchema)
def cast_vote(given: dict[str, Any], vote: object) -> dict[str, Any]:
    """Records or replaces the reader's vote."""
    with office().database.write() as session:
        state = _readable(session, vote)
        allowed("vote.cast", state)
        after = actions.cast_vote(session, office(), reader().person, state.id, given["choice"], given["reason"], now())
        return _vote(session, after)


@blueprint.post("/votes/<uuid:vote>/recuse")
@needs("vote.cast")
@blueprint.arguments(RequestReasonSchema)
@blueprint.response(200, VoteSchema)
def recuse(given: dict[str, Any], vote: object) -> dict[str, Any]:
    """The reader takes no part."""
    with office().database.write() as session:
        state = _readable(session, vote)
        allowed("vote.cast", state)
        after = actions.recuse(session, office(), reader().person, state.id, given["reason"], now())
        return _vote(session, after)


@blueprint.post("/votes/<uuid:vote>/close")
@needs("vote.close")
@blueprint.arguments(CloseSchema)
@blueprint.response(200, VoteSchema)
def close_vote(given: dict[str, Any], vote: object) -> dict[str, Any]:
    """Closes the count and decides the request."""
    with office().database.write() as session:
        state = _readable(session, vote)
        actions.close_vote(
            session, office(), reader().person, state.id, now(), given["reason"], given["photos_allowed"]
        )
        return _vote(session, queries.vote_state(session, state.id))
