"""Pages of visits: the list, the group and mandate of one visit, and the public check of a mandate.

What was observed and reported is the dossier, in `server/reports/pages.py`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
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
    t,
    today,
)
from server.documents.mandate import mandate_pdf, qr_svg
from server.institutions.places import institution_of, region_name, register_of, type_name
from server.ledger import opening
from server.ledger import queries as ledger
from server.visits import actions, queries
from server.visits.advice import advice
from server.visits.mandate import read_code
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.texts import Language
from shared.values import PersonId, SubjectId, is_id
from shared.visits import Visit

pages = Blueprint("visits", __name__, template_folder="templates")

STAGES = ("planned", "group_formed", "conflicts_cleared", "mandate_issued", "started", "closed")
KINDS = ("periodic", "intermediate", "special", "unplanned")


def visit_state(session: Session, visit: str, verb: str = "visit.read") -> Visit:
    """The visit, when the reader may do the verb; else it is as if it were not there."""
    state = ledger.state(session, SubjectId(visit)) if is_id(visit) else None
    if not isinstance(state, Visit):
        raise RuleBroken("not_found")
    allowed(verb, state)
    return state


@pages.get("/visits")
@needs("visit.read")
def visit_list() -> ResponseReturnValue:
    """The visits the reader may see, newest first."""
    stage = request.args.get("stage", "")
    kind = request.args.get("kind", "")
    number = max(1, request.args.get("page", 1, type=int))
    with office().database.read() as session:
        found = queries.listed(
            session, reader(), stage if stage in STAGES else "", kind if kind in KINDS else "", number
        )
        register = register_of(session)
        names = {line.institution: institution_name(register.get(line.institution), line.institution)
                 for line in found.lines}  # fmt: skip
    return page(
        "visits/list.html", found=found, names=names, stage=stage, kind=kind, number=number, per_page=queries.PAGE,
        stages=STAGES, kinds=KINDS,
    )  # fmt: skip


def institution_name(institution: Any, key: str) -> str:
    """The name in the reader's language; the key for an institution that left the register."""
    return institution.name(language()) if institution else key


@pages.get("/visits/<visit>/group")
@needs("visit.read")
def group(visit: str) -> ResponseReturnValue:
    """Group, conflicts of interest, mandate and officers of a visit; the plan for those who may read it."""
    return group_page(visit)


def group_page(visit: str, errors: list[dict[str, str]] | None = None, given: dict[str, Any] | None = None) -> Response:
    """The page of the group, again with what was typed when something was wrong with it."""
    with office().database.write() as session:
        state = visit_state(session, visit)
        values = _group_values(session, state)
    return page("visits/group.html", 422 if errors else 200, errors=errors, **values, **(given or {}))


def _group_values(session: Session, state: Visit) -> dict[str, Any]:
    names = people.names(session)
    plan = _plan(session, state)
    proposed: tuple[tuple[PersonId, ...], PersonId] = ((), PersonId(""))
    if can("visit.form_group", state) and not state.members:
        proposed = actions.proposed_group(session, office(), reader(), state, now())
    institution = institution_of(session, state.institution or str((plan or {}).get("institution", "")))
    day = today()
    return {
        "visit": state, "names": names, "plan": plan, "institution": institution,
        "institution_name": institution_name(institution, state.institution or ""),
        "place": _place(institution), "members": people.persons_with(session, {Role.NPM_MEMBER}, day),
        "officers": people.persons_with(session, {Role.CENTRE_OFFICER}, day), "proposed": proposed,
        "advice": advice(state.visit_kind, institution.type if institution else ""), "today": day,
        "least": state_least(session), "qr": qr_svg(state.mandate.code, state.mandate.number) if state.mandate else "",
        "contacts": {each.person: each for each in queries.contacts(session, state.members)},
        "history": [(at, kind, names.get(person, "")) for at, kind, person in reversed(state.history)],
    }  # fmt: skip


def state_least(session: Session) -> int:
    """Fewest members of a group today."""
    from server.law.queries import office_law

    return office_law(session, office(), today()).whole("visit.group.min_size")


def _place(institution: Any) -> str:
    if institution is None:
        return ""
    return f"{region_name(institution.region_iso, language())}; {type_name(institution.type, language())}"


def _plan(session: Session, state: Visit) -> dict[str, Any] | None:
    """Where and when, for the one hat that prepares a visit; opening it leaves a line in the read log."""
    if state.plan is None or state.institution or not can("visit.plan_read", state):
        return None
    return opening.open_words(session, office(), reader(), "visit.plan_read", state, [state.plan], "group_page", now())[
        0
    ]


@pages.post("/visits/order")
@needs("visit.form_group")
def order() -> ResponseReturnValue:
    """Makes the visit of an approved request."""
    with office().database.write() as session:
        wanted = request.form.get("request", "")
        state: Any = ledger.state(session, SubjectId(wanted)) if is_id(wanted) else None
        allowed("request.read", state)
        visit = actions.order_visit(session, office(), reader(), state, now())
    return see_other("visits.group", visit=visit)


@pages.post("/visits/<visit>/group")
@needs("visit.form_group")
def form_group(visit: str) -> ResponseReturnValue:
    """Forms the group."""
    members = tuple(PersonId(each) for each in request.form.getlist("members"))
    leader = PersonId(request.form.get("leader", ""))
    try:
        with office().database.write() as session:
            state = visit_state(session, visit, "visit.form_group")
            actions.form_group(session, office(), reader().person, state.id, members, leader, now())
    except RuleBroken as broken:
        if broken.code == "not_found":
            raise
        field = "leader" if broken.code == "leader_not_in_group" else "members"
        return group_page(
            visit,
            [{"field": field, "text": error_sentence(broken)}],
            {"given_members": members, "given_leader": leader},
        )
    return see_other("visits.group", visit=visit)


@pages.post("/visits/<visit>/conflict")
@needs("visit.declare_conflict")
def conflict(visit: str) -> ResponseReturnValue:
    """A member's own declaration."""
    choice, what = request.form.get("conflict", ""), request.form.get("what", "")
    if choice not in ("yes", "no"):
        return group_page(visit, [{"field": "conflict", "text": t("visits.conflict.choose")}], {"given_what": what})
    try:
        with office().database.write() as session:
            state = visit_state(session, visit, "visit.declare_conflict")
            actions.declare_conflict(session, office(), reader().person, state, choice == "yes", what, now())
    except RuleBroken as broken:
        if broken.code == "not_found":
            raise
        return group_page(visit, [{"field": "what", "text": error_sentence(broken)}], {"given_conflict": choice})
    return see_other("visits.group", visit=visit)


@pages.post("/visits/<visit>/mandate")
@needs("visit.issue_mandate")
def issue(visit: str) -> ResponseReturnValue:
    """Issues the mandate for the days given."""
    first, last = _day("valid_from"), _day("valid_until")
    given = {"given_from": request.form.get("valid_from", ""), "given_until": request.form.get("valid_until", "")}
    errors = [
        {"field": field, "text": t("visits.mandate.date_wrong")}
        for field, day in (("valid_from", first), ("valid_until", last))
        if day is None
    ]
    if first and last and last < max(first, today()):
        errors = [{"field": "valid_until", "text": t("visits.mandate.dates_wrong")}]
    if errors or first is None or last is None:
        return group_page(visit, errors, given)
    try:
        with office().database.write() as session:
            state = visit_state(session, visit, "visit.issue_mandate")
            actions.issue_mandate(session, office(), reader().person, state.id, first, last, now())
    except RuleBroken as broken:
        if broken.code == "not_found":
            raise
        return group_page(visit, [{"field": "valid_from", "text": error_sentence(broken)}], given)
    return see_other("visits.group", visit=visit)


def _day(name: str) -> date | None:
    """A day as dd.mm.yyyy, or as a date field of a browser gives it."""
    text = request.form.get(name, "").strip()
    for shape in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, shape).date()
        except ValueError:
            continue
    return None


@pages.post("/visits/<visit>/mandate/withdraw")
@needs("visit.issue_mandate")
def withdraw(visit: str) -> ResponseReturnValue:
    """Withdraws the mandate that stands."""
    reason = request.form.get("reason", "")
    try:
        with office().database.write() as session:
            state = visit_state(session, visit, "visit.issue_mandate")
            actions.withdraw_mandate(session, office(), reader().person, state, reason, now())
    except RuleBroken as broken:
        if broken.code == "not_found":
            raise
        return group_page(visit, [{"field": "reason", "text": error_sentence(broken)}])
    return see_other("visits.group", visit=visit)


@pages.post("/visits/<visit>/officer")
@needs("visit.assign_officer")
def assign(visit: str) -> ResponseReturnValue:
    """Assigns an officer of the National Centre."""
    person = request.form.get("person", "")
    try:
        with office().database.write() as session:
            state = visit_state(session, visit, "visit.assign_officer")
            actions.assign_officer(session, office(), reader().person, state.id, PersonId(person), now())
    except RuleBroken as broken:
        if broken.code == "not_found" and not person:
            return group_page(visit, [{"field": "person", "text": t("visits.officer.choose")}])
        if broken.code == "not_found":
            raise
        return group_page(visit, [{"field": "person", "text": error_sentence(broken)}])
    return see_other("visits.group", visit=visit)


@pages.get("/visits/<visit>/mandate.<paper_language>.pdf")
@needs("visit.read")
def mandate_paper(visit: str, paper_language: str) -> ResponseReturnValue:
    """The mandate as PDF, in Kazakh or Russian."""
    chosen: Language = "kk" if paper_language == "kk" else "ru"
    if paper_language not in ("kk", "ru"):
        raise RuleBroken("not_found")
    with office().database.read() as session:
        state = visit_state(session, visit)
        name = ledger.the(session, "office").names.get(chosen, "")
    data = mandate_pdf(state, name, office().config.address, chosen, now())
    number = state.mandate.number if state.mandate else ""
    return pdf_answer(data, f"mandate-{number}-{chosen}.pdf")


def pdf_answer(data: bytes, name: str) -> Response:
    """A PDF shown in the browser under a name."""
    reply = Response(data, mimetype="application/pdf")
    reply.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return reply


@pages.get("/mandate")
def mandate_form() -> ResponseReturnValue:
    """Anybody may check a mandate: the code is typed or pasted here."""
    code = request.args.get("code", "").strip()
    return _checked(code) if code else page("visits/check.html", code="", shown=None, state="")


@pages.get("/mandate/<code>")
def mandate_check(code: str) -> ResponseReturnValue:
    """What a code says: number, names, dates, and whether the mandate holds today. Never the institution."""
    return _checked(code)


def _checked(code: str) -> Response:
    with office().database.read() as session:
        shown = read_code(code, ledger.the(session, "office").servers)
        stands = queries.mandate_stands(session, shown.number) if shown else None
    if shown is None or stands is None:
        return page("visits/check.html", code=code[:200], shown=None, state="unknown")
    if not stands:
        state = "withdrawn"
    elif today() < shown.valid_from:
        state = "early"
    else:
        state = "expired" if today() > shown.valid_until else "valid"
    return page("visits/check.html", code="", shown=shown, state=state)


@pages.app_context_processor
def names() -> dict[str, Any]:
    """What the templates of visits and reports put choices and field errors together with."""
    return {"visits_choices": _choices, "person_choices": _person_choices, "error_of": _error_of}


def _choices(prefix: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, t(prefix + value)) for value in values]


def _person_choices(persons: list[PersonId], names_by_id: dict[PersonId, str]) -> list[tuple[str, str]]:
    return [(person, names_by_id.get(person, "")) for person in persons]


def _error_of(errors: list[dict[str, str]] | None, field: str) -> str:
    return next((each["text"] for each in errors or () if each["field"] == field), "")
