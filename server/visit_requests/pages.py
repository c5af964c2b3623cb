"""C2 and C3: the inbox of requests, one request with its ballot, the decision sheet, and the secretary's buttons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, cast
from urllib.parse import urlencode

from flask import Blueprint, Response, request
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
    tn,
    words,
)
from server.errors import status_of
from server.institutions import queries as institutions
from server.law.queries import office_law
from server.visit_requests import actions, bulk, opened, queries, shown
from server.visit_requests.queries import Filters, Line
from server.visits.actions import order_visit
from shared.accounts import COUNCIL, Role
from shared.ballots import Vote
from shared.errors import RuleBroken
from shared.values import PersonId, SubjectId
from shared.visit_requests import VisitKind, VisitRequest
from shared.votes import Choice, count_votes

blueprint = Blueprint("requests", __name__, url_prefix="/requests", template_folder="templates")

PAGE = 50
KINDS = ("special", "intermediate", "periodic")
DUE = ("late", "today", "week")
DONE = ("voted", "recused", "put", "closed", "undone", "filed", "withdrawn")


# ── C2 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("")
@needs("request.read")
def inbox() -> Response:
    """The requests of a tab by the end of their term; filters and page stand in the address."""
    filters = _filters(request.args)
    asked = request.args.get("from", "")
    first = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
    with office().database.write() as session:  # opening the sealed names writes the read log
        found = queries.inbox(session, office(), reader(), filters, now())
        lines = found[first : first + PAGE]
        texts = opened.of_requests(session, office(), reader(), [line.id for line in lines], "inbox", now())
        places = institutions.names(session, [each.get("institution", "") for each in texts.values()], language())
        values: dict[str, Any] = {
            "rows": [_row(line, texts[line.id], places) for line in lines],
            "tabs": _tabs(filters, queries.counts(session, office(), reader(), now())),
            "next_due": queries.next_due(session, office(), reader(), now()),
        }
    return page(
        "requests/inbox.html", filters=filters, found=len(found), pages=_pager(first, len(found)),
        chips=_chips(filters), reset=_address(Filters(tab=filters.tab)), choices=_choices(), **values,
    )  # fmt: skip


def _filters(args: Any) -> Filters:
    tab = args.get("tab", "waiting")
    return Filters(
        tab=tab if tab in ("waiting", "mine", "decided") else "waiting",
        kinds=frozenset(args.getlist("kind")) & frozenset(KINDS),
        urgency=args.get("urgency", "") if args.get("urgency") in ("urgent", "normal") else "",
        due=args.get("due", "") if args.get("due") in DUE else "",
    )


def _address(filters: Filters, first: int = 0) -> str:
    pairs = [("tab", filters.tab)] + [("kind", kind) for kind in sorted(filters.kinds)]
    pairs += [(name, value) for name, value in (("urgency", filters.urgency), ("due", filters.due)) if value]
    pairs += [("from", str(first))] if first else []
    return "/requests?" + urlencode(pairs)


def _tabs(filters: Filters, counts: dict[str, int]) -> list[dict[str, Any]]:
    names = ["waiting", "mine", "decided"] if reader().hat in COUNCIL else ["waiting", "decided"]
    return [
        {
            "url": _address(Filters(tab=tab)), "label": t(f"requests.tab.{tab}"), "count": counts[tab],
            "is_here": filters.tab == tab,
        }
        for tab in names
    ]  # fmt: skip


def _chips(filters: Filters) -> list[dict[str, str]]:
    chips = [
        {
            "label": t(f"requests.kind.{kind}"),
            "url": _address(Filters(filters.tab, filters.kinds - {kind}, filters.urgency, filters.due)),
        }
        for kind in sorted(filters.kinds)
    ]
    if filters.urgency:
        url = _address(Filters(filters.tab, filters.kinds, "", filters.due))
        chips.append({"label": t(f"requests.urgency.{filters.urgency}"), "url": url})
    if filters.due:
        url = _address(Filters(filters.tab, filters.kinds, filters.urgency, ""))
        chips.append({"label": t(f"requests.due.{filters.due}"), "url": url})
    return chips


def _choices() -> dict[str, list[tuple[str, str]]]:
    anything = ("", t("console.filters.any"))
    return {
        "kind": [anything, *((kind, t(f"requests.kind.{kind}")) for kind in KINDS)],
        "urgency": [anything, *((each, t(f"requests.urgency.{each}")) for each in ("urgent", "normal"))],
        "due": [anything, *((each, t(f"requests.due.{each}")) for each in DUE)],
    }


def _pager(first: int, found: int) -> dict[str, str] | None:
    if found <= PAGE:
        return None
    filters = _filters(request.args)
    last = min(first + PAGE, found)
    return {
        "shown": t("console.pager.shown", first=first + 1, last=last, all=found),
        "previous": _address(filters, max(0, first - PAGE)) if first else "",
        "next": _address(filters, last) if last < found else "",
    }


def _row(line: Line, texts: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    row = line.row
    counted = line.arithmetic
    return {
        "id": row.id, "line": line, "title": _title(row.id, texts, places), "reason": _short(texts.get("reason", "")),
        "code": shown.code_of(row.id), "kind": t(f"requests.kind.{row.visit_kind}"),
        "is_special": row.visit_kind == "special", "left": _left(line), "is_late": _days_left(line) <= 0,
        "places": shown.places(counted) if counted else [], "votes": _votes(line), "mine": _mine(line),
        "locked": t(f"requests.locked.{line.locked}") if line.locked else "",
    }  # fmt: skip


def _title(id_: str, texts: dict[str, Any], places: dict[str, str]) -> str:
    key = texts.get("institution", "")
    return places.get(key) or key or t("requests.number", code=shown.code_of(id_))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else line[:90].rsplit(" ", 1)[0] + " …"


def _days_left(line: Line) -> int:
    return (line.due.on - office().calendar.day_of(now())).days


def _left(line: Line) -> str:
    days = _days_left(line)
    if line.due.at < now():
        return t("requests.left.late", moment=show_moment(line.due.at))
    if days == 0:
        return t("requests.left.today", moment=show_moment(line.due.at))
    return tn("requests.left.days", days)


def _votes(line: Line) -> str:
    if line.arithmetic is None:
        return t("votes_page.not_put")
    tally = line.arithmetic.tally
    if not tally.voted:
        return t("votes_page.none")
    return t("votes_page.for_of", votes_for=tally.votes_for, needed=tally.needed_for)


def _mine(line: Line) -> str:
    if line.mine:
        return t(f"votes_page.mine.{line.mine}")
    if line.seats and reader().person in line.seats.count.recused and reader().hat in COUNCIL:
        return t("votes_page.mine.recused")
    return ""


# ── a bulk ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/selected")
@needs("vote.cast")
def selected() -> Response:
    """What a bulk would do, with exact numbers, before anything is done."""
    filters = _filters(request.form)
    with office().database.write() as session:
        ids = request.form.getlist("id")
        if request.form.get("all"):
            ids = [line.row.id for line in queries.inbox(session, office(), reader(), filters, now())]
        plan = bulk.preview(session, office(), reader(), ids, now())
        everything = [*plan.voted, *(line for line, _ in plan.left_out)]
        titles = _titles(session, [line.id for line in everything])
    return page(
        "requests/selected.html", voted=plan.voted, left_out=plan.left_out, titles=titles, back=_address(filters),
        code_of=shown.code_of,
    )  # fmt: skip


def _titles(session: Session, ids: list[SubjectId]) -> dict[str, str]:
    texts = opened.of_requests(session, office(), reader(), ids, "bulk", now())
    places = institutions.names(session, [each.get("institution", "") for each in texts.values()], language())
    return {id_: _title(id_, texts[id_], places) for id_ in ids}


@blueprint.post("/bulk")
@needs("vote.cast")
def vote_for_all() -> Response:
    """Casts the votes of a bulk and shows what came of it."""
    with office().database.write() as session:
        made = bulk.vote_for_all(session, office(), reader(), request.form.getlist("id"), now())
    return see_other("requests.bulk_result", id_=made, back=request.form.get("back", ""))


@blueprint.get("/bulk/<id_>")
@needs("vote.cast")
def bulk_result(id_: str) -> Response:
    """How many votes a bulk cast, what it left out and why, and the undo while there is time."""
    with office().database.write() as session:
        rows = queries.bulk_rows(session, id_, reader().person)
        titles = _titles(session, [SubjectId(row.request) for row in rows])
        until = bulk.undo_until(rows)
        values = {
            "voted": [row for row in rows if not row.left_out],
            "left_out": [row for row in rows if row.left_out],
            "undone": [row for row in rows if row.undone == "yes"],
            "kept": [row for row in rows if row.undone == "no"],
        }
        back = request.args.get("back", "")
        return page(
            "requests/bulk.html", id_=id_, titles=titles, code_of=shown.code_of, until=until,
            may_undo=now() <= until and not any(row.undone for row in rows),
            back=back if back.startswith("/requests?") else "/requests", **values,
        )  # fmt: skip


@blueprint.post("/bulk/<id_>/undo")
@needs("vote.cast")
def undo_bulk(id_: str) -> Response:
    """Takes the votes of a bulk back."""
    with office().database.write() as session:
        bulk.undo(session, office(), reader(), id_, now())
    return see_other("requests.bulk_result", id_=id_, back=request.form.get("back", ""))


# ── a member files ──────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/new")
@needs("request.file")
def new() -> Response:
    """The form of a request."""
    return _new([])


def _new(errors: list[dict[str, str]], status: int = 200) -> Response:
    with office().database.read() as session:
        members = people.persons_with(session, {Role.NPM_MEMBER}, office().calendar.day_of(now()))
        names = people.names(session)
    return page(
        "requests/new.html", status, errors=errors, form=request.form, chosen=request.form.getlist("members"),
        wrong={each["field"]: each["text"] for each in errors}, members=[(each, names[each]) for each in members],
        kinds=[(kind, t(f"requests.kind.{kind}")) for kind in KINDS],
    )  # fmt: skip


@blueprint.post("")
@needs("request.file")
def file_request() -> Response:
    """Files a request; what is missing is said above the form, which keeps its answers."""
    form, errors = request.form, []
    with office().database.write() as session:
        place = _place(session, form.get("institution", ""))
        first, last = _day(form.get("from_on", "")), _day(form.get("to_on", ""))
        known = people.persons_with(session, {Role.NPM_MEMBER}, office().calendar.day_of(now()))
        wrong = (
            (not place, "institution", "institution"),
            (not form.get("reason", "").strip(), "reason", "reason"),
            (first is None, "from_on", "from"),
            (last is None or (first is not None and last < first), "to_on", "to"),
        )
        errors = [{"field": name, "text": t(f"requests.new.error.{key}")} for is_wrong, name, key in wrong if is_wrong]
        if not errors and first and last:
            leader = PersonId(form.get("leader", ""))
            wish = actions.Wish(
                cast(VisitKind, form.get("visit_kind") if form.get("visit_kind") in KINDS else "special"),
                "urgent" if form.get("urgent") == "yes" else "normal", place, form["reason"][:4000], first, last,
                [each for each in known if each in form.getlist("members")], leader if leader in known else PersonId(""),
            )  # fmt: skip
            made = actions.file_request(session, office(), reader().person, wish, now())
    return _new(errors, 422) if errors else see_other("requests.one", id_=made, done="filed")


def _place(session: Session, text: str) -> str:
    """The key of the institution somebody typed: a key, or a name that fits one institution only."""
    text = text.strip()[:300]
    if not text:
        return ""
    if institutions.institution(session, text):
        return text
    found = institutions.search(session, text, None, None, 2)
    return str(found[0].key) if len(found) == 1 else ""


def _day(text: str) -> date | None:
    parts = text.strip().split(".")
    try:
        return date(int(parts[2]), int(parts[1]), int(parts[0])) if len(parts) == 3 else None
    except ValueError:
        return None


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


# ── C3 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


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
        values["title"] = _title(id_, texts, places)
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
    counted = count_votes(queries.count_of(vote), law)
    as_closed = count_votes(replace(queries.count_of(vote), is_open=False), law)
    me = reader().person
    is_over = now() > actions.moment_of(vote.closes_at)
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
        "chair": names.get(vote.chair, ""), "tally": None, "secretary": _secretary(session),
    }  # fmt: skip


def _secretary(session: Session) -> str:
    found = people.persons_with(session, {Role.COUNCIL_SECRETARY}, office().calendar.day_of(now()))
    return people.name_of(session, found[0]) if found else ""


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
    if conflict != "yes" and choice == "against" and not reason.strip():
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
