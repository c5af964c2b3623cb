"""C6: elections as a list of steps, from the call to the protocol; the ballot; seating those elected."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from flask import Blueprint, Response, make_response, request
from sqlmodel import Session

from server.accounts import queries as people
from server.console.web import (
    allowed,
    can,
    error_sentence,
    language,
    needs,
    now,
    office,
    page,
    reader,
    see_other,
    show_moment,
    t,
    today,
    words,
)
from server.documents.paper import pdf_of
from server.elections import actions, queries, shown
from server.errors import status_of
from server.law.queries import office_law
from shared.candidacies import Election, may_vote_in
from shared.eligibility import BARS, BarAnswer
from shared.errors import RuleBroken
from shared.texts import Language, Texts, texts
from shared.values import PersonId, as_typed, moment_of
from shared.votes import Choice

blueprint = Blueprint("elections", __name__, url_prefix="/elections", template_folder="templates")

DONE = (
    "called", "entered", "checked", "opened", "voted", "recused", "counted", "decided", "closed", "seated", "withdrew",
)  # fmt: skip


@blueprint.get("")
@needs("election.read")
def all_() -> Response:
    """Every election, newest first."""
    with office().database.read() as session:
        found = [line for line in queries.lines(session) if allowed_line(session, line.id)]
    return page("elections/list.html", lines=found, regions=shown.region_names(language()))


def allowed_line(session: Session, election: str) -> bool:
    """A member sees the election the member stands in, the others all of them."""
    return can("election.call") or can("election.read", queries.election_state(session, election))


@blueprint.get("/new")
@needs("election.call")
def new() -> Response:
    """The form of a call."""
    return _new([])


def _new(errors: list[dict[str, str]], status: int = 200) -> Response:
    regions = shown.region_names(language())
    return page("elections/new.html", status, regions=regions, errors=errors, form=request.form)


@blueprint.post("")
@needs("election.call")
def call() -> Response:
    """Calls an election."""
    seats, term_from = request.form.get("seats", ""), _day(request.form.get("term_from", ""))
    region = request.form.get("region", "")
    errors = []
    if not (seats.isascii() and seats.isdigit() and 1 <= int(seats[:4]) <= 200):
        errors.append({"field": "seats", "text": t("elections_page.error.seats")})
    if term_from is None or term_from < today():
        errors.append({"field": "term_from", "text": t("elections_page.error.term_from")})
    if errors or term_from is None:
        return _new(errors, 422)
    region = region if region in shown.region_names(language()) else ""
    with office().database.write() as session:
        made = actions.call_election(session, office(), reader().person, int(seats), region, term_from, now())
    return see_other("elections.one", id_=made, done="called")


def _day(text: str) -> date | None:
    parts = text.strip().split(".")
    try:
        return date(int(parts[2]), int(parts[1]), int(parts[0])) if len(parts) == 3 else None
    except ValueError:
        return None


@blueprint.get("/<id_>")
@needs("election.read")
def one(id_: str) -> Response:
    """An election: its steps, what to do next, candidates, rounds with their counts."""
    return _one(id_)


def _one(id_: str, errors: list[dict[str, str]] | None = None, status: int = 200) -> Response:
    with office().database.read() as session:
        state = queries.election_state(session, id_)
        allowed("election.read", state)
        values = _values(session, state, words())
    done = request.args.get("done", "")
    return page(
        "elections/one.html", status, errors=errors or [], form=request.form,
        done=t(f"elections_page.done.{done}") if done in DONE else "", **values,
    )  # fmt: skip


def _values(session: Session, state: Election, said: Texts) -> dict[str, Any]:
    law = office_law(session, office(), today())
    names = people.names(session) | {each.id: each.name for each in state.candidates.values()}
    step = queries.stage(state, today(), law)
    last = state.rounds[-1] if state.rounds else None
    me = reader().person
    return {
        "state": state, "step": step, "code": shown.code_of(state.id), "names": names, "title": _title(state, said),
        "steps": shown.steps(state, step, said), "rounds": shown.rounds(session, office(), state, names, said),
        "candidates": queries.standing(state), "backgrounds": actions.BACKGROUNDS,
        "verdict": shown.verdict(state, step, names, said), "tied": queries.tied(state),
        "open_seats": queries.open_seats(state), "round": state.open_round,
        "may_vote": can("election.vote", state) and state.open_round is not None and me not in state.open_round.recused,
        "has_voted": state.open_round is not None and me in state.open_round.ballots,
        "may_count": state.open_round is not None
        and queries.may_close(state.open_round, now() > moment_of(state.open_round.opened.closes_at)),
        "is_chair": last is not None and me == last.opened.chair,
        "seated": {each: actions.is_seated(session, state, each) for each in state.elected},
    }  # fmt: skip


def _title(state: Election, said: Texts) -> str:
    region = state.called.region if state.called else ""
    if not region:
        return said("elections_page.title_all")
    return said("elections_page.title", region=shown.region_names(said.language).get(region, region))


def _do(id_: str, done: str, act: Any) -> Response:
    """One action on an election, then its page with what was done, or with the sentence of the rule."""
    try:
        with office().database.write() as session:
            state = queries.election_state(session, id_)
            allowed("election.read", state)
            act(session, state)
    except RuleBroken as broken:
        if broken.code == "not_found":
            raise
        return _one(id_, [{"field": "", "text": _sentence(broken)}], status_of(broken.code))
    return see_other("elections.one", id_=id_, done=done)


def _sentence(broken: RuleBroken) -> str:
    facts = {name: show_moment(str(value)) for name, value in broken.facts.items() if name.endswith("_at")}
    return error_sentence(RuleBroken(broken.code, broken.source, **{**broken.facts, **facts}))


# ── candidates ──────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/<id_>/candidates")
@needs("election.candidate")
def enter(id_: str) -> Response:
    """Enters a candidate with what was handed in."""
    papers = tuple(line for each in request.form.get("papers", "")[:4000].splitlines() if (line := as_typed(each)))
    given = actions.Application(
        request.form.get("name", "")[:200], request.form.get("background", ""), papers,
        request.form.get("remarks", "")[:4000],
    )  # fmt: skip
    if not as_typed(given.name) or given.background not in actions.BACKGROUNDS:
        errors = [] if as_typed(given.name) else [{"field": "name", "text": t("elections_page.error.name")}]
        if given.background not in actions.BACKGROUNDS:
            errors.append({"field": "background", "text": t("elections_page.error.background")})
        return _one(id_, errors, 422)
    return _do(
        id_, "entered",
        lambda session, state: actions.enter_candidate(session, office(), reader().person, state.id, given, now()),
    )  # fmt: skip


@blueprint.get("/<id_>/candidates/<candidate>")
@needs("election.check")
def candidate(id_: str, candidate: str) -> Response:
    """The ten bars of a candidate."""
    with office().database.read() as session:
        state = queries.election_state(session, id_)
        allowed("election.read", state)
    found = state.candidates.get(PersonId(candidate))
    if found is None:
        raise RuleBroken("candidate_unknown")
    bars = [
        {
            "key": bar.key, "words": t(f"law.bar.{bar.key}"), "paper": t(f"law.bar.{bar.key}.paper"),
            "answer": found.bars.get(bar.key, ""),
        }
        for bar in BARS
    ]  # fmt: skip
    return page(
        "elections/candidate.html", state=state, candidate=found, bars=bars, title=_title(state, words()),
        answers=[(each, t(f"law.bar_answer.{each}")) for each in ("clear", "barred", "unknown")],
    )  # fmt: skip


@blueprint.post("/<id_>/candidates/<candidate>")
@needs("election.check")
def check(id_: str, candidate: str) -> Response:
    """Records the result of the check."""
    answers = {bar.key: request.form.get(bar.key, "unknown") for bar in BARS}
    plain = {key: cast(BarAnswer, each) for key, each in answers.items() if each in ("clear", "barred", "unknown")}
    return _do(
        id_, "checked",
        lambda session, state: actions.check_candidate(
            session, office(), reader().person, state.id, PersonId(candidate), plain, now()
        ),
    )  # fmt: skip


@blueprint.post("/<id_>/candidates/<candidate>/withdraw")
@needs("election.candidate")
def withdraw(id_: str, candidate: str) -> Response:
    """The candidate no longer stands."""
    return _do(
        id_, "withdrew",
        lambda session, state: actions.withdraw_candidate(
            session, office(), reader().person, state.id, PersonId(candidate), now()
        ),
    )  # fmt: skip


# ── rounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/<id_>/rounds")
@needs("election.round")
def open_round(id_: str) -> Response:
    """Opens the ballot of the next round."""
    return _do(
        id_, "opened", lambda session, state: actions.open_round(session, office(), reader().person, state.id, now())
    )


@blueprint.get("/<id_>/ballot")
@needs("election.vote")
def ballot(id_: str) -> Response:
    """The reader's ballot: one question for each candidate, in an order of the reader's own."""
    return _ballot(id_, [])


def _ballot(id_: str, errors: list[dict[str, str]], status: int = 200) -> Response:
    with office().database.read() as session:
        state = queries.election_state(session, id_)
    allowed("election.vote", state)
    round_ = may_vote_in(state, reader().person)
    cast_before = round_.ballots.get(reader().person, {})
    rows = [
        {
            "id": each, "name": state.candidates[each].name,
            "background": t(f"elections_page.background.{state.candidates[each].background}"),
            "chosen": request.form.get(f"c-{each}", cast_before.get(each, "")),
            "is_me": each == reader().person,
        }
        for each in queries.ballot_order(round_, state.id, reader().person)
    ]  # fmt: skip
    choices = [(each, t(f"votes.choice.{each}")) for each in ("for", "against", "abstain")]
    return page(
        "elections/ballot.html", status, state=state, round=round_, rows=rows, choices=choices,
        title=_title(state, words()), errors=errors,
        wrong={each["field"]: each["text"] for each in errors}, has_voted=bool(cast_before),
    )  # fmt: skip


@blueprint.post("/<id_>/ballot")
@needs("election.vote")
def vote(id_: str) -> Response:
    """Records the ballot, or that the reader takes no part."""
    if request.form.get("recuse"):
        return _do(
            id_, "recused",
            lambda session, state: actions.recuse_voter(session, office(), reader().person, state.id, now()),
        )  # fmt: skip
    with office().database.read() as session:
        state = queries.election_state(session, id_)
    allowed("election.vote", state)
    round_ = may_vote_in(state, reader().person)
    chosen = {each: request.form.get(f"c-{each}", "") for each in round_.opened.candidates}
    errors = [
        {"field": f"c-{each}", "text": t("elections_page.error.choice", name=state.candidates[each].name)}
        for each in queries.ballot_order(round_, state.id, reader().person)
        if chosen[each] not in ("for", "against", "abstain")
    ]
    if errors:
        return _ballot(id_, errors, 422)
    choices = {each: cast(Choice, choice) for each, choice in chosen.items()}
    return _do(
        id_, "voted",
        lambda session, state: actions.cast_ballot(session, office(), reader().person, state.id, choices, now()),
    )  # fmt: skip


@blueprint.post("/<id_>/count")
@needs("election.round")
def count(id_: str) -> Response:
    """Counts the open round."""
    return _do(
        id_, "counted", lambda session, state: actions.close_round(session, office(), reader().person, state.id, now())
    )


@blueprint.post("/<id_>/tie")
@needs("election.tie")
def tie(id_: str) -> Response:
    """The chair fills the last seats among those tied again."""
    chosen = [PersonId(each) for each in request.form.getlist("elected")]
    minutes = request.form.get("minutes", "")[:4000]
    return _do(
        id_, "decided",
        lambda session, state: actions.decide_tie(
            session, office(), reader().person, state.id, chosen, minutes, now()
        ),
    )  # fmt: skip


@blueprint.post("/<id_>/close")
@needs("election.round")
def close(id_: str) -> Response:
    """Records the result."""
    return _do(
        id_, "closed",
        lambda session, state: actions.close_election(session, office(), reader().person, state.id, now()),
    )  # fmt: skip


@blueprint.get("/<id_>/protocol.pdf")
@needs("election.read")
def protocol(id_: str) -> Response:
    """The protocol on paper with every total, in Kazakh or Russian."""
    said: Language = "kk" if language() == "kk" else "ru"
    with office().database.read() as session:
        state = queries.election_state(session, id_)
        allowed("election.read", state)
        values = _values(session, state, texts(said))
    data = pdf_of("election.html", said, values, now())
    reply = make_response(data)
    reply.headers["Content-Type"] = "application/pdf"
    reply.headers["Content-Disposition"] = f'inline; filename="election-{values["code"]}.pdf"'
    return reply


@blueprint.post("/<id_>/seats/<candidate>")
@needs("person.add")
def seat(id_: str, candidate: str) -> Response:
    """Begins to make somebody elected a member; a second officer confirms the role on the page of people."""
    with office().database.write() as session:
        state = queries.election_state(session, id_)
        actions.seat_elected(session, office(), reader().person, state.id, PersonId(candidate), language(), now())
    return see_other("elections.seats", done="seated")


@blueprint.get("/seats")
@needs("person.add")
def seats() -> Response:
    """Those elected who are no members yet, for the admin: names and terms, no votes."""
    with office().database.read() as session:
        waiting = [
            {
                "election": state.id, "id": each, "name": state.candidates[each].name,
                "since": state.called.term_from if state.called else "",
                "until": state.called.term_until if state.called else "",
            }
            for line in queries.lines(session)
            if line.is_closed
            for state in [queries.election_state(session, line.id)]
            for each in state.elected
            if not actions.is_seated(session, state, each)
        ]  # fmt: skip
    done = t("elections_page.done.seated") if request.args.get("done") == "seated" else ""
    return page("elections/seats.html", waiting=waiting, done=done)
