"""A member files a request in the console and takes it back."""

from __future__ import annotations

from datetime import date
from typing import cast

from flask import Response, request
from sqlmodel import Session

from server.accounts import queries as people
from server.console.web import (
    needs,
    now,
    office,
    page,
    reader,
    see_other,
    t,
)
from server.institutions import queries as institutions
from server.visit_requests import actions
from server.visit_requests.site import KINDS, blueprint
from shared.accounts import Role
from shared.values import PersonId, as_typed
from shared.visit_requests import VisitKind


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
            (not as_typed(form.get("reason", "")), "reason", "reason"),
            (first is None, "from_on", "from"),
            (last is None or (first is not None and last < first), "to_on", "to"),
        )
        errors = [{"field": name, "text": t(f"requests.new.error.{key}")} for is_wrong, name, key in wrong if is_wrong]
        if not errors and first and last:
            leader = PersonId(form.get("leader", ""))
            wish = actions.Wish(
                cast(VisitKind, form.get("visit_kind") if form.get("visit_kind") in KINDS else "special"),
                "urgent" if form.get("urgent") == "yes" else "normal", place, form["reason"][:4000], first, last,
                [each for each in known if each in form.getlist("members")],
                leader if leader in known else PersonId(""),
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
