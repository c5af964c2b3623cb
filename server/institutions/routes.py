"""`GET /api/institutions`: the register, searched."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import RAISE

from server.console.web import needs, office
from server.institutions import queries
from server.institutions.schemas import InstitutionSchema, SearchSchema
from shared.errors import RuleBroken
from shared.institutions import Institution

blueprint = Blueprint("institutions_api", __name__, url_prefix="/api/institutions", description="The register")


@blueprint.get("")
@blueprint.arguments(SearchSchema, location="query", unknown=RAISE)
@blueprint.response(200, InstitutionSchema(many=True))  # type: ignore[no-untyped-call]
@needs("institution.read")
def institutions(search: dict[str, Any]) -> list[Institution]:
    """Institutions that hold every word, nearest first."""
    with office().database.read() as session:
        return queries.search(session, search["q"], search.get("region"), search.get("type"), search["limit"])


@blueprint.get("/<string:key>")
@blueprint.response(200, InstitutionSchema)
@needs("institution.read")
def institution(key: str) -> Institution:
    """One institution."""
    with office().database.read() as session:
        found = queries.institution(session, key) if len(key) <= 64 and "\x00" not in key else None
    if found is None:
        raise RuleBroken("institution_unknown")
    return found
