"""tus 1.0.0 for media: core, creation (also with the first piece), checksum, termination.

The token of the last exchange says whose tablet it is. Works with any tus client; the file's hash is its address, so
that an upload goes on wherever it stopped. Source: SETTLED decision 61, decision 0016.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from contextlib import suppress
from datetime import datetime

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ContentRange
from werkzeug.exceptions import ClientDisconnected, RequestedRangeNotSatisfiable

from server.console.web import now, office, tablet, tablet_view
from server.media import folder, queries
from server.media.actions import (
    PIECE_BYTES,
    Piece,
    announce,
    arrived,
    check_whole_welcome,
    give_up,
    take_piece,
    take_whole,
)
from server.media.project import MEDIA_BYTES
from server.media.store import store_of
from shared.errors import RuleBroken
from shared.values import DeviceId, PersonId

VERSION = "1.0.0"
ALGORITHMS = ("sha256", "sha1")
PIECE_TYPE = "application/offset+octet-stream"
METADATA_BYTES = 1024
"""Most bytes of Upload-Metadata: the hash and a name are all anybody needs."""
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


@blueprint.errorhandler(folder.SumWrong)
def sum_wrong(error: folder.SumWrong) -> Response:
    return _reply(460, {"Upload-Offset": str(error.offset)})


@blueprint.after_request
def speaks_tus(reply: Response) -> Response:
    """Every answer names the version, refusals of other parts too."""
    reply.headers.setdefault("Tus-Resumable", VERSION)
    return reply


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
            "Tus-Version": VERSION, "Tus-Extension": "creation,creation-with-upload,checksum,termination",
            "Tus-Max-Size": str(MEDIA_BYTES),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        },
    )  # fmt: skip


@blueprint.post("")
@tablet_view
def create() -> ResponseReturnValue:
    """Announces a file; the metadata names its hash. Its first piece may come along: a whole photo in one request."""
    _spoken()
    size = _whole("Upload-Length")
    promised = _promised_sum() if request.mimetype == PIECE_TYPE else None
    sha256 = _metadata().get("sha256", "")
    whose, begun = tablet(), now()
    reply = {"Location": f"{office().config.address}/api/media/{sha256}"}
    if promised is None:
        with office().database.write() as session:
            announce(session, office(), *whose, sha256, size, now())
        return _reply(201, reply)
    check_whole_welcome(office(), *whose, sha256, size)
    return _reply(201, reply | {"Upload-Offset": str(_created(whose, sha256, size, _piece(0, promised), begun))})


def _created(whose: tuple[DeviceId, PersonId], sha256: str, size: int, came: Piece, begun: datetime) -> int:
    if len(came.data) == came.size == size:
        return take_whole(office(), whose[0], sha256, came, begun, now())
    with office().database.write() as session:
        announce(session, office(), *whose, sha256, size, begun)
    return take_piece(office(), *whose, sha256, came, now())


def _metadata() -> dict[str, str]:
    text = request.headers.get("Upload-Metadata", "")
    if len(text) > METADATA_BYTES:
        raise Unspoken(413)
    found = {}
    for pair in filter(None, (each.strip() for each in text.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Unspoken(400) from error
    return found


@blueprint.post("/<string:sha256>")
@tablet_view
def overridden(sha256: str) -> ResponseReturnValue:
    """For clients that may only POST: the header X-HTTP-Method-Override names what is meant."""
    meant = {"PATCH": piece, "DELETE": end}.get(request.headers.get("X-HTTP-Method-Override", "").upper())
    if meant is None:
        raise Unspoken(405)
    return meant(sha256)


@blueprint.route("/<string:sha256>", methods=["HEAD"])
@tablet_view
def progress(sha256: str) -> ResponseReturnValue:
    """How many bytes are here."""
    _spoken()
    found = arrived(office(), *tablet(), sha256, now())
    if found is None:
        return _reply(404, {})
    reached, size = found
    return _reply(200, {"Upload-Offset": str(reached), "Upload-Length": str(size)})


@blueprint.patch("/<string:sha256>")
@tablet_view
def piece(sha256: str) -> ResponseReturnValue:
    """The next piece, at most 8 MiB. Of one whose line breaks the bytes that came are kept."""
    _spoken()
    if request.mimetype != PIECE_TYPE:
        raise Unspoken(415)
    came = _piece(_whole("Upload-Offset"), _promised_sum())
    return _reply(204, {"Upload-Offset": str(take_piece(office(), *tablet(), sha256, came, now()))})


def _piece(at: int, promised: tuple[str, str]) -> Piece:
    """The body as far as it came. It is gathered first, so that a line that hangs holds no lock on the file."""
    said = request.content_length
    if (said or 0) > PIECE_BYTES:
        raise RuleBroken("media_too_large", "SETTLED 61")
    left = PIECE_BYTES + 1 if said is None else said
    stream = request.stream if said is None else request.environ["wsgi.input"]  # the former copies every byte twice
    pieces: list[bytes] = []
    with suppress(ClientDisconnected, OSError):
        while left and (more := stream.read(left)):
            pieces.append(more)
            left -= len(more)
    data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return Piece(at, data, len(data) if said is None else said, *promised)


def _promised_sum() -> tuple[str, str]:
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return "", ""
    algorithm, _, text = header.partition(" ")
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unspoken(400) from error
    if algorithm not in ALGORITHMS or len(digest) != hashlib.new(algorithm).digest_size:
        raise Unspoken(400)
    return algorithm, digest.hex()


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
        readable = queries.may_have(session, tablet()[1], sha256)
    store = store_of(office())
    size = store.size(sha256) if readable else None
    if size is None:
        raise RuleBroken("media_unknown")
    reply = Response(mimetype="application/octet-stream")
    reply.set_etag(sha256)
    reply.accept_ranges = "bytes"
    asked = request.range.range_for_length(size) if request.range is not None and request.if_range.etag in (
        None, sha256) else None  # fmt: skip
    if request.range is not None and asked is None:
        raise RequestedRangeNotSatisfiable(size)
    if sha256 in request.if_none_match:
        reply.status_code = 304
        return reply
    first, end_ = asked or (0, size)
    reply.status_code = 206 if asked else 200
    if asked:
        reply.content_range = ContentRange("bytes", first, end_, size)
    reply.content_length = end_ - first
    reply.response = store.read(sha256, first, end_ - 1)
    return reply
