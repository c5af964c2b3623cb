"""Elections as JSON: the same verbs as the pages, under the same matrix."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from server.console.web import allowed, can, needs, now, office, reader, today
from server.elections import actions, queries
from server.elections.actions import BACKGROUNDS, Application
from server.law.queries import office_law
from shared.candidacies import Election
from shared.eligibility import BARS
from shared.values import PersonId

blueprint = Blueprint("elections_api", __name__, url_prefix="/api/elections", description="Elections of NPM members")

ANSWERS = ("clear", "barred", "unknown")


class CallSchema(Schema):
    """A call: how many seats, which region (empty: all), the first day of the term."""

    seats = fields.Integer(required=True, strict=True, validate=validate.Range(1, 200))
    region = fields.String(load_default="", validate=validate.Length(max=16))
    term_from = fields.Date(required=True)


class ApplicationSchema(Schema):
    """A candidate; papers and remarks are sealed at once."""

    name = fields.String(required=True, validate=validate.Length(1, 200))
    background = fields.String(required=True, validate=validate.OneOf(BACKGROUNDS))
    papers = fields.List(
        fields.String(validate=validate.Length(max=300)), load_default=list, validate=validate.Length(max=50)
    )
    remarks = fields.String(load_default="", validate=validate.Length(max=4000))


class CheckSchema(Schema):
    """Answers to the ten bars; one left out is unknown."""

    bars = fields.Dict(
        keys=fields.String(validate=validate.OneOf([bar.key for bar in BARS])),
        values=fields.String(validate=validate.OneOf(ANSWERS)), required=True,
    )  # fmt: skip


class BallotSchema(Schema):
    """A choice for each candidate of the round, by id."""

    choices = fields.Dict(
        keys=fields.UUID(), values=fields.String(validate=validate.OneOf(("for", "against", "abstain"))), required=True,
        validate=validate.Length(1, 200),
    )  # fmt: skip


class TieSchema(Schema):
    """Who the chair chose among the tied, and the words for the minutes."""

    elected = fields.List(fields.UUID(), required=True, validate=validate.Length(1, 200))
    minutes = fields.String(required=True, validate=validate.Length(1, 4000))


class CandidateSchema(Schema):
    """A candidate who stands; `eligible` is null before the check."""

    id = fields.String()
    name = fields.String()
    background = fields.String()
    eligible = fields.Boolean(allow_none=True)


class CountSchema(Schema):
    """What a candidate got in a round."""

    candidate = fields.String()
    votes_for = fields.Integer()
    against = fields.Integer()
    abstained = fields.Integer()
    needed_for = fields.Integer()


class RoundSchema(Schema):
    """A round; counts are there once it is closed."""

    round = fields.Integer()
    seats = fields.Integer()
    closes_at = fields.String()
    closed_at = fields.String()
    counts = fields.List(fields.Nested(CountSchema))
    elected = fields.List(fields.String())
    tied = fields.List(fields.String())


class ElectionSchema(Schema):
    """An election: what has to be done next, who stands, the rounds, who is elected."""

    id = fields.String()
    stage = fields.String()
    seats = fields.Integer()
    region = fields.String()
    call_until = fields.String()
    term_from = fields.String()
    term_until = fields.String()
    candidates = fields.List(fields.Nested(CandidateSchema))
    rounds = fields.List(fields.Nested(RoundSchema))
    elected = fields.List(fields.String())


def _shown(session: Any, election: object) -> dict[str, Any]:
    state = queries.election_state(session, str(election))
    called = state.called
    assert called is not None
    return {
        "id": state.id, "stage": queries.stage(state, today(), office_law(session, office(), today())),
        "seats": called.seats, "region": called.region, "call_until": called.call_until,
        "term_from": called.term_from, "term_until": called.term_until, "candidates": queries.standing(state),
        "rounds": [_round(round_) for round_ in state.rounds], "elected": list(state.elected),
    }  # fmt: skip


def _round(round_: Any) -> dict[str, Any]:
    closed = round_.closed
    tallies = closed.tallies if closed else ()
    return {
        "round": round_.opened.round, "seats": round_.opened.seats, "closes_at": round_.opened.closes_at,
        "closed_at": round_.closed_at, "elected": list(closed.elected) if closed else [],
        "tied": list(closed.tied) if closed else [],
        "counts": [
            {
                "candidate": candidate, "votes_for": tally.votes_for, "against": tally.against,
                "abstained": tally.abstained, "needed_for": tally.needed_for,
            }
            for candidate, tally in tallies
        ],
    }  # fmt: skip


def _readable(session: Any, election: object) -> Election:
    state = queries.election_state(session, str(election))
    allowed("election.read", state)
    return state


@blueprint.get("")
@needs("election.read")
@blueprint.response(200, ElectionSchema(many=True))
def elections() -> list[dict[str, Any]]:
    """Every election the reader may see, newest first."""

    with office().database.read() as session:
        ids = [line.id for line in queries.lines(session)]
        return [_shown(session, id_) for id_ in ids if can("election.read", queries.election_state(session, id_))]


@blueprint.post("")
@needs("election.call")
@blueprint.arguments(CallSchema)
@blueprint.response(201, ElectionSchema)
def call(given: dict[str, Any]) -> dict[str, Any]:
    """Calls an election."""
    with office().database.write() as session:
        made = actions.call_election(
            session, office(), reader().person, given["seats"], given["region"], given["term_from"], now()
        )
        return _shown(session, made)


@blueprint.get("/<uuid:election>")
@needs("election.read")
@blueprint.response(200, ElectionSchema)
def one(election: object) -> dict[str, Any]:
    """One election."""
    with office().database.read() as session:
        return _shown(session, _readable(session, election).id)


@blueprint.post("/<uuid:election>/candidates")
@needs("election.candidate")
@blueprint.arguments(ApplicationSchema)
@blueprint.response(201, ElectionSchema)
def enter(given: dict[str, Any], election: object) -> dict[str, Any]:
    """Enters a candidate."""
    application = Application(given["name"], given["background"], tuple(given["papers"]), given["remarks"])
    with office().database.write() as session:
        state = _readable(session, election)
        actions.enter_candidate(session, office(), reader().person, state.id, application, now())
        return _shown(session, state.id)


@blueprint.post("/<uuid:election>/candidates/<uuid:candidate>/check")
@needs("election.check")
@blueprint.arguments(CheckSchema)
@blueprint.response(200, ElectionSchema)
def check(given: dict[str, Any], election: object, candidate: object) -> dict[str, Any]:
    """Checks a candidate; which bar was met is not kept."""
    with office().database.write() as session:
        state = _readable(session, election)
        who = PersonId(str(candidate))
        actions.check_candidate(session, office(), reader().person, state.id, who, given["bars"], now())
        return _shown(session, state.id)


@blueprint.post("/<uuid:election>/rounds")
@needs("election.round")
@blueprint.response(201, ElectionSchema)
def open_round(election: object) -> dict[str, Any]:
    """Opens the next ballot."""
    with office().database.write() as session:
        state = _readable(session, election)
        actions.open_round(session, office(), reader().person, state.id, now())
        return _shown(session, state.id)


@blueprint.post("/<uuid:election>/ballot")
@needs("election.vote")
@blueprint.arguments(BallotSchema)
@blueprint.response(200, ElectionSchema)
def vote(given: dict[str, Any], election: object) -> dict[str, Any]:
    """Records or replaces the reader's ballot."""
    choices = {PersonId(str(each)): choice for each, choice in given["choices"].items()}
    with office().database.write() as session:
        state = _readable(session, election)
        allowed("election.vote", state)
        actions.cast_ballot(session, office(), reader().person, state.id, choices, now())
        return _shown(session, state.id)


@blueprint.post("/<uuid:election>/count")
@needs("election.round")
@blueprint.response(200, ElectionSchema)
def count(election: object) -> dict[str, Any]:
    """Counts the open round."""
    with office().database.write() as session:
        state = _readable(session, election)
        actions.close_round(session, office(), reader().person, state.id, now())
        return _shown(session, state.id)


@blueprint.post("/<uuid:election>/tie")
@needs("election.tie")
@blueprint.arguments(TieSchema)
@blueprint.response(200, ElectionSchema)
def tie(given: dict[str, Any], election: object) -> dict[str, Any]:
    """The chair fills the last seats among those tied a second time."""
    chosen = [PersonId(str(each)) for each in given["elected"]]
    with office().database.write() as session:
        state = _readable(session, election)
        actions.decide_tie(session, office(), reader().person, state.id, chosen, given["minutes"], now())
        return _shown(session, state.id)


@blueprint.post("/<uuid:election>/close")
@needs("election.round")
@blueprint.response(200, ElectionSchema)
def close(election: object) -> dict[str, Any]:
    """Records the result."""
    with office().database.write() as session:
        state = _readable(session, election)
        actions.close_election(session, office(), reader().person, state.id, now())
        return _shown(session, state.id)
