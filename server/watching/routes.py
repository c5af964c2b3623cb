"""`GET /api/health`: is the office well? `GET /api/metrics`: its numbers. Neither says content."""

from __future__ import annotations

import hmac
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from server.console.web import now, office
from server.ledger import queries as ledger
from server.watching import queries
from server.watching.metrics import CONTENT_TYPE, text
from server.watching.numbers import Numbers
from shared.errors import RuleBroken

blueprint = Blueprint("watching", __name__, url_prefix="/api")
LOOPBACK = ("127.0.0.1", "::1")


@blueprint.get("/health")
def health() -> Response:
    """200 when the office can do its work, 503 when it cannot; what was found as JSON."""
    found = standing()
    reply = jsonify(found)
    reply.status_code = 200 if found["well"] else 503
    return reply


def standing() -> dict[str, Any]:
    """What was found; `well` is false when the database is silent, tables lie far behind or room is short."""
    free = queries.disk_free(office())
    found: dict[str, Any] = {
        "database": False, "keys": bool(office().keys.sign_secret and office().keys.review_secret),
        "disk_free_bytes": free, "room": free >= queries.LEAST_ROOM,
    }  # fmt: skip
    try:
        with office().database.read(behind=True) as session:
            found["position"] = ledger.counter(session).value
            found["behind"] = queries.behind(session)
            found["lag"] = queries.lag(session)
            found["backup_age_seconds"] = queries.backup_age(session, now())
            found["database"] = True
    except (SQLAlchemyError, LookupError):
        found["database"] = False
    well = found["database"] and found["keys"] and found["room"] and found.get("lag", 0) <= queries.MOST_LAG
    return {"well": bool(well), **found}


@blueprint.get("/metrics")
def metrics() -> Response:
    """The OpenMetrics text, for who shows the token of the setting, or on this machine when none is set."""
    if not may_read():
        raise RuleBroken("not_found")
    numbers = cast(Numbers, current_app.extensions["qorgan_numbers"])
    with office().database.read(behind=True) as session:
        return Response(text(numbers, session, now()), content_type=CONTENT_TYPE)


def may_read() -> bool:
    """Behind a proxy everybody comes from this machine: there only the token counts."""
    token = office().config.metrics_token
    if token:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())
    forwarded = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-Ip"))
    return office().config.is_loopback and request.remote_addr in LOOPBACK and not forwarded
