"""How the office stands among its backups: what is durable, which backups are proven, and every restore there was."""

from __future__ import annotations

from flask import Blueprint, Response

from server.backup import queries
from server.console.web import needs, now, office, page

blueprint = Blueprint("backups", __name__, url_prefix="/backups", template_folder="templates")


@blueprint.get("")
@needs("backup.read")
def listed() -> Response:
    """Position, epoch and the proven backups; nothing of what they hold."""
    with office().database.read() as session:
        standing = queries.standing(session)
    newest = standing.newest
    late = newest is None or (now() - newest.proven_at) > queries.LATE
    return page("backup/list.html", standing=standing, newest=newest, late=late)
