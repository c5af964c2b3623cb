"""tus 1.0.0 for media: core, creation, checksum, termination. The token of the last exchange says whose tablet it is.

Works with any tus client; the file's hash is its address, so that an upload goes on wherever it stopped.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from flask import Blueprint, Response, request, send_file
from flask.typing import ResponseReturnValue

from server.console.web import now, office, tablet, tablet_view
from server.media import folder, queries
from server.media.actions import PIECE_BYTES, announce, give_up, take_piece
from server.media.project import MEDIA_BYTES
from shared.errors import RuleBroken
from shared.ledger.crypto import same

VERSION = "1.0.0"
ALGORITHMS = ("sha256", "sha1")
blueprint = Blueprint("media", __name__, url_prefix="/api/media")


class Unspoken(Exception):
    """The request does not follow tus 1.0.0. `status` says how."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@blueprint.errorhandler(Unspoken)
def unspoken(error: Unspoken) -> Response:
    return _reply(error.status, {"Tus-Version": VERSION} if error.status == 412 else {})


@blueprint.errorhandler(folder.DiskFull)
def disk_full(error: folder.DiskFull) -> Response:
    return _reply(507, {"Retry-After": "600"})


@blueprint.errorhandler(folder.WrongOffset)
def wrong_offset(error: folder.WrongOffset) -> Response:
    return _reply(409, {"Upload-Offset": str(error.offset)})


def _reply(status: int, headers: dict[str, str]) -> Response:
    return Response(status=status, headers={"Tus-Resumable": VERSION, **headers})


def _spoken() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Unspoken(412)


def _whole(name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Unspoken(400)
    return int(text)


@blueprint.route("", methods=["OPTIONS"], provide_automatic_options=False)
@blueprint.route("/<string:sha256>", methods=["OPTIONS"], provide_automatic_options=False)
def capabilities(sha256: str = "") -> Response:
    """What of tus is spoken here."""
    return _reply(
        204,
        {
            "Tus-Version": VERSION, "Tus-Extension": "creation,checksum,termination", "Tus-Max-Size": str(MEDIA_BYTES),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        },
    )  # fmt: skip


@blueprint.post("")
@tablet_view
def create() -> ResponseReturnValue:
    """Announces a file; the metadata names its hash."""
    _spoken()
    size = _whole("Upload-Length")
    sha256 = _metadata().get("sha256", "")
    device, person = tablet()
    with office().database.write() as session:
        announce(session, office(), device, person, sha256, size, now())
    return _reply(201, {"Location": f"{office().config.address}/api/media/{sha256}"})


def _metadata() -> dict[str, str]:
    found = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Unspoken(400) from error
    return found


@blueprint.route("/<string:sha256>", methods=["HEAD"])
@tablet_view
def progress(sha256: str) -> ResponseReturnValue:
    """How many bytes are here."""
    _spoken()
    with office().database.read() as session:
        size = queries.upload_size(session, sha256)
    if size is None:
        return _reply(404, {})
    return _reply(200, {"Upload-Offset": str(folder.offset(office().media, sha256)), "Upload-Length": str(size)})


@blueprint.patch("/<string:sha256>")
@tablet_view
def piece(sha256: str) -> ResponseReturnValue:
    """The next piece, at most 1 MiB."""
    _spoken()
    if request.mimetype != "application/offset+octet-stream":
        raise Unspoken(415)
    at = _whole("Upload-Offset")
    if (request.content_length or 0) > PIECE_BYTES:
        raise RuleBroken("media_too_large", "SETTLED 61")
    data = request.stream.read(PIECE_BYTES + 1)
    _check_sum(data)
    return _reply(204, {"Upload-Offset": str(take_piece(office(), sha256, at, data, now()))})


def _check_sum(data: bytes) -> None:
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return
    algorithm, _, text = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Unspoken(400)
    try:
        wanted = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Unspoken(400) from error
    if not same(hashlib.new(algorithm, data).digest(), wanted):
        raise Unspoken(460)


@blueprint.delete("/<string:sha256>")
@tablet_view
def end(sha256: str) -> ResponseReturnValue:
    """Ends an upload; refused for evidence."""
    _spoken()
    with office().database.write() as session:
        give_up(session, office(), tablet()[0], sha256)
    return _reply(204, {})


@blueprint.route("/<string:sha256>", methods=["GET"])
@tablet_view
def media(sha256: str) -> ResponseReturnValue:
    """The whole ciphertext, for tablets that may hold a subject that names it; Range is answered."""
    with office().database.read() as session:
        path = queries.path_for(session, office(), tablet()[1], sha256)
    if path is None:
        raise RuleBroken("media_unknown")
    return send_file(path, mimetype="application/octet-stream", conditional=True, etag=sha256)
