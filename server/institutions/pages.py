"""The register of institutions: search in any spelling, and one institution with the visits made to it (C10)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from server.console.web import language, needs, now, office, page, reader, words
from server.institutions import places
from server.institutions.places import institution_of, region_name, register_of, type_name
from server.law.queries import office_law
from server.ledger import queries as ledger
from server.reports import queries as reports
from server.visits import queries as visits
from server.visits.queries import VisitLine
from shared.deadlines import add_months
from shared.errors import RuleBroken
from shared.law.law import Law, RuleUnknown
from shared.law.words import value_of
from shared.permissions import may

pages = Blueprint("institutions", __name__, template_folder="templates")

PAGE = 50
MOST = 100_000


@pages.get("/institutions")
@needs("institution.read")
def institution_list() -> ResponseReturnValue:
    """The register, searched and filtered by the address of the page, 50 rows a page."""
    query = request.args.get("q", "").strip()[:120]
    region = request.args.get("region", "") if request.args.get("region") in places.regions() else ""
    number = max(1, min(request.args.get("page", 1, type=int), 10_000))
    with office().database.read() as session:
        register = register_of(session)
        kinds = sorted({row.type for row in register.institutions}, key=lambda key: type_name(key, language()))
        kind = request.args.get("type", "") if request.args.get("type") in kinds else ""
        found = register.search(query, region or None, kind or None, MOST)
        visited = visits.visits_made(session)
        synthetic = places.is_synthetic(session)
    first = (number - 1) * PAGE
    return page(
        "institutions/list.html", query=query, region=region, kind=kind, number=number, total=len(found),
        in_register=len(register), rows=found[first : first + PAGE], visited=visited, per_page=PAGE,
        synthetic=synthetic, region_name=_region, type_name=_type,
        regions=[(iso, _region(iso)) for iso in sorted(places.regions(), key=_region)],
        kinds=[(key, _type(key)) for key in kinds],
    )  # fmt: skip


def _region(iso: str) -> str:
    return region_name(iso, language())


def _type(key: str) -> str:
    return type_name(key, language())


@pages.get("/institutions/<key>")
@needs("institution.read")
def institution(key: str) -> ResponseReturnValue:
    """One institution: facts of the register, the visits made, when the next periodic one is due."""
    with office().database.read() as session:
        found = institution_of(session, key) if len(key) <= 64 and key.isprintable() else None
        if found is None:
            raise RuleBroken("institution_unknown")
        made = visits.of_institution(session, key)
        lines = [_line(session, row) for row in made]
        law = office_law(session, office(), office().calendar.day_of(now()))
        synthetic = places.is_synthetic(session)
    return page(
        "institutions/institution.html", institution=found, name=found.name(language()), lines=lines,
        region=_region(found.region_iso), kind=_type(found.type), due=_due(made, law), synthetic=synthetic,
        years=_years(made), ministry=_ministry(found.ministry),
    )  # fmt: skip


def _line(session: Session, row: VisitLine) -> dict[str, Any]:
    """A visit as the page lists it; a link only where the reader may open it."""
    state = ledger.state(session, row.id)
    report = reports.report_of(session, row.id)
    who = reader()
    return {
        "row": row, "open": may(who.person, who.hat, "visit.read", state),
        "report": report if report and report.submitted_at else None,
        "findings": reports.findings_count(session, row.id) if report and report.submitted_at else None,
    }  # fmt: skip


def _due(made: list[VisitLine], law: Law) -> dict[str, Any] | None:
    """The day by which the next periodic visit is due, with the rule; None when none was made or no rule holds."""
    last = next((row.started_at for row in made if row.visit_kind == "periodic" and row.started_at), None)
    try:
        rule = law.rule("visit.periodic.max_interval")
        years = law.whole("visit.periodic.max_interval")
    except (RuleUnknown, ValueError):
        return None
    if last is None:
        return None
    return {"day": add_months(office().calendar.day_of(last), 12 * years), "rule": value_of(rule, words())}


def _years(made: list[VisitLine]) -> list[tuple[int, int]]:
    """(year, number of visits) from the first year of a visit to this one."""
    days = [row.started_at.year for row in made if row.started_at]
    this: date = office().calendar.day_of(now())
    return [(year, days.count(year)) for year in range(min(days), this.year + 1)] if days else []


def _ministry(key: str) -> str:
    texts = words()
    return texts(f"register.ministry.{key}") if texts.has(f"register.ministry.{key}") else key
