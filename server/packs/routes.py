"""`GET /api/packs/<sha256>`: whole files for tablets, resumable at the byte."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, send_file
from flask.typing import ResponseReturnValue

from server.console.web import office, tablet_view
from server.packs import queries
from shared.errors import RuleBroken
from shared.values import is_hash

blueprint = Blueprint("packs", __name__, url_prefix="/api/packs")


@blueprint.get("/<string:sha256>")
@tablet_view
def pack(sha256: str) -> ResponseReturnValue:
    """The bytes of a pack; they never change, so that a tablet may go on where it stopped."""
    data = None
    if is_hash(sha256):
        with office().database.read() as session:
            data = queries.pack(session, sha256)
    if data is None:
        raise RuleBroken("not_found")
    reply = send_file(BytesIO(data), mimetype="application/json", conditional=True, etag=sha256)
    reply.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return reply
