"""C3: one request with its ballot, the vote, and the buttons of the secretary."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, cast

from flask import Response, request
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
    show_date,
    show_moment,
    t,
    words,
)
from server.errors import status_of
from server.institutions import queries as institutions
from server.law.queries import office_law
from server.visit_requests import actions, opened, queries, shown
from server.visit_requests.site import blueprint, title_of
from server.visits.actions import order_visit
from shared.ballots import Vote
from shared.errors import RuleBroken
from shared.values import PersonId, SubjectId, as_typed, moment_of
from shared.visit_requests import VisitRequest
from shared.votes import Choice, count_votes

DONE = ("voted", "recused", "put", "closed", "undone", "filed", "withdrawn")


@blueprint.get("/<id_>")
@needs("request.read")
def one(id_: str) -> Response:
    """A request: facts, how it is decided, the reader's vote, history."""
    return _one(id_)


def _one(id_: str, errors: list[dict[str, str]] | None = None, status: int = 200) -> Response:
    with office().database.write() as session:
        state = queries.may_read(session, reader(), id_)
        texts = opened.of_request(session, office(), reader(), state, "one", now())
        names = people.names(session)
        places = institutions.names(session, [texts.get("institution", "")], language())
        votes = queries.votes_of(session, state.id) if can("vote.read") else []
        values = _ballot(session, state, votes, names)
        values["facts"] = _facts(session, state, texts, names)
        values["title"] = title_of(id_, texts, places)
        values["history"] = shown.history(state, votes, names, words())
    done = request.args.get("done", "")
    return page(
        "requests/one.html", status, state=state, code=shown.code_of(id_), errors=errors or [], form=request.form,
        lede=_lede(state, values), done=t(f"requests.done.{done}") if done in DONE else "", words_opened=bool(texts),
        undo_until=actions.undo_until(state) if can("request.undo") else None, **values,
    )  # fmt: skip


def _facts(session: Session, state: VisitRequest, texts: dict[str, Any], names: Any) -> list[tuple[str, str]]:
    end = queries.end_of_term(session, office(), state)
    facts = [
        (t("requests.fact.kind"), t(f"requests.kind.{state.visit_kind}")),
        (
            t("requests.fact.due"),
            t(f"requests.fact.due.{state.urgency}", moment=show_moment(end.at)),
        ),
        (
            t("requests.fact.filer"),
            t("requests.fact.filed", name=names.get(state.filer, ""), moment=show_moment(state.filed_at)),
        ),
    ]
    if texts.get("reason"):
        facts.insert(0, (t("requests.fact.reason"), texts["reason"]))
    if texts.get("from_on"):
        span = t("requests.fact.span", first=show_date(texts["from_on"]), last=show_date(texts.get("to_on", "")))
        facts.append((t("requests.fact.dates"), span))
    members = [names.get(PersonId(each), "") for each in texts.get("members", ()) if isinstance(each, str)]
    if members:
        least = office_law(session, office(), office().calendar.day_of(now())).whole("visit.group.min_size")
        facts.append((t("requests.fact.group"), t("requests.fact.members", names=", ".join(members), least=least)))
    leader = texts.get("leader") or state.leader
    if leader:
        facts.append((t("requests.fact.leader"), names.get(PersonId(leader), "")))
    return facts


def _ballot(session: Session, state: VisitRequest, votes: list[Vote], names: Any) -> dict[str, Any]:
    """The ballot that stands, counted, and what the reader may do with it."""
    vote = next((each for each in votes if each.id == state.vote), None)
    if vote is None:
        return {"vote": None, "tally": state.decision.body if state.decision else None}
    law = office_law(session, office(), date.fromisoformat(vote.opened_on))
    opened_by = next(author for _, kind, author, _ in vote.history if kind == "vote_opened")
    counted = count_votes(queries.count_of(vote), law)
    as_closed = count_votes(replace(queries.count_of(vote), is_open=False), law)
    me = reader().person
    is_over = now() > moment_of(vote.closes_at)
    voter = can("vote.cast", vote) and vote.closed is None and not is_over
    reasons = opened.reasons(session, office(), reader(), vote, names, now()) if vote.closed else []
    return {
        "vote": vote, "counted": counted, "row": shown.seat_row(counted, names, words()),
        "calc": shown.calculation(counted, words(), vote.closed_at or now()),
        "verdict": shown.verdict(counted, words(), vote.closes_at), "reasons": reasons,
        "may_vote": voter and me not in vote.recused, "is_recused": me in vote.recused, "is_over": is_over,
        "mine": vote.choices.get(me, ""), "may_close": can("vote.close") and actions.may_close(vote, now()),
        "may_refuse": as_closed.tally.quorum_met and as_closed.tally.against >= as_closed.tally.needed_for,
        "would_approve": as_closed.outcome == "approved",
        "chair": names.get(vote.chair, ""), "tally": None, "secretary": names.get(opened_by, ""),
    }  # fmt: skip


def _lede(state: VisitRequest, values: dict[str, Any]) -> str:
    if state.state == "voting" and state.closes_at:
        return t("requests.lede.voting", moment=show_moment(state.closes_at))
    return t(f"requests.lede.{state.state}")


@blueprint.post("/<id_>/vote")
@needs("vote.cast")
def vote(id_: str) -> Response:
    """Records the reader's vote or recusal; what is missing is said above the form, which keeps its answers."""
    conflict, choice = request.form.get("conflict", ""), request.form.get("choice", "")
    reason = request.form.get("reason", "")[:4000]
    missing = _missing(conflict, choice, reason)
    if missing:
        return _one(id_, missing, 422)
    try:
        with office().database.write() as session:
            state = queries.may_read(session, reader(), id_)
            ballot = queries.vote_state(session, state.vote or "")
            allowed("vote.cast", ballot)
            if conflict == "yes":
                actions.recuse(session, office(), reader().person, ballot.id, reason, now())
            else:
                chosen = cast(Choice, choice)
                actions.cast_vote(session, office(), reader().person, ballot.id, chosen, reason, now())
    except RuleBroken as broken:
        return _refused(id_, broken)
    return see_other("requests.one", id_=id_, done="recused" if conflict == "yes" else "voted")


def _missing(conflict: str, choice: str, reason: str) -> list[dict[str, str]]:
    errors = []
    if conflict not in ("yes", "no"):
        errors.append({"field": "conflict", "text": t("votes_page.error.conflict")})
    if conflict != "yes" and choice not in ("for", "against", "abstain"):
        errors.append({"field": "choice", "text": t("votes_page.error.choice")})
    if conflict != "yes" and choice == "against" and not as_typed(reason):
        errors.append({"field": "reason", "text": t("votes_page.error.reason")})
    return errors


def _refused(id_: str, broken: RuleBroken) -> Response:
    """The page again with the sentence of the rule; a request that is not there answers as such."""
    if broken.code == "not_found":
        raise broken
    facts = {name: show_moment(str(value)) for name, value in broken.facts.items() if name.endswith("_at")}
    shown_as = RuleBroken(broken.code, broken.source, **{**broken.facts, **facts})
    return _one(id_, [{"field": "", "text": error_sentence(shown_as)}], status_of(broken.code))


# ── the secretary ───────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/<id_>/put-to-vote")
@needs("request.put_to_vote")
def put_to_vote(id_: str) -> Response:
    """Opens the ballot."""
    try:
        with office().database.write() as session:
            state = queries.may_read(session, reader(), id_)
            actions.put_to_vote(session, office(), reader().person, state.id, now())
    except RuleBroken as broken:
        return _refused(id_, broken)
    return see_other("requests.one", id_=id_, done="put")


@blueprint.post("/<id_>/close")
@needs("vote.close")
def close(id_: str) -> Response:
    """Counts the ballot and decides the request."""
    photos = request.form.get("photos") == "yes"
    try:
        with office().database.write() as session:
            state = queries.may_read(session, reader(), id_)
            vote = SubjectId(state.vote or "")
            reason = request.form.get("reason", "")[:4000]
            actions.close_vote(session, office(), reader().person, vote, now(), reason, photos)
    except RuleBroken as broken:
        return _refused(id_, broken)
    return see_other("requests.one", id_=id_, done="closed")


@blueprint.post("/<id_>/undo")
@needs("request.undo")
def undo(id_: str) -> Response:
    """Takes the decision back within ten minutes."""
    try:
        with office().database.write() as session:
            state = queries.may_read(session, reader(), id_)
            reason = request.form.get("undo_reason", "")[:1000]
            actions.withdraw_decision(session, office(), reader().person, state.id, reason, now())
    except RuleBroken as broken:
        return _refused(id_, broken)
    return see_other("requests.one", id_=id_, done="undone")


@blueprint.post("/<id_>/order")
@needs("visit.form_group")
def order(id_: str) -> Response:
    """Makes the visit of an approved request and goes on to forming its group."""
    try:
        with office().database.write() as session:
            state = queries.may_read(session, reader(), id_)
            visit = order_visit(session, office(), reader(), state, now())
    except RuleBroken as broken:
        return _refused(id_, broken)
    return see_other("visits.dossier", visit=visit)


@blueprint.post("/<id_>/withdraw")
@needs("request.file")
def withdraw(id_: str) -> Response:
    """The filer takes the request back."""
    try:
        with office().database.write() as session:
            state = queries.may_read(session, reader(), id_)
            reason = request.form.get("withdraw_reason", "")[:1000]
            actions.withdraw_request(session, office(), reader().person, state.id, reason, now())
    except RuleBroken as broken:
        return _refused(id_, broken)
    return see_other("requests.one", id_=id_, done="withdrawn")
