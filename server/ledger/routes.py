"""`POST /api/sync`: bytes in, bytes out. Unpacks with a cap, hands down, packs the reply."""

from __future__ import annotations

from flask import Blueprint, Response, g, request
from isal import isal_zlib
from isal.igzip_lib import IsalError

from server.console.web import now, office
from server.ledger.exchange import exchange
from shared.errors import RuleBroken
from shared.ledger.messages import REQUEST_BYTES, SIGNATURE_HEADER

SYNC_TYPE = "application/x-qorgan-sync"
PACKING, GZIP = 2, 31
"""Level and form of a packed reply: a page of a megabyte takes 2 ms, a hundredth larger than the best of zlib in 22."""
blueprint = Blueprint("sync", __name__, url_prefix="/api")


@blueprint.post("/sync")
def sync() -> Response:
    """One exchange with a tablet."""
    data = request.get_data(cache=False)
    with office().database.exchanging:
        body = plain_body(data, request.headers.get("Content-Encoding", ""))
        reply = exchange(office(), body, request.headers.get(SIGNATURE_HEADER, ""), now())
    g.exchanged = reply
    return Response(
        isal_zlib.compress(reply, PACKING, wbits=GZIP), mimetype=SYNC_TYPE, headers={"Content-Encoding": "gzip"}
    )


def plain_body(data: bytes, encoding: str) -> bytes:
    """The plain request. Raises RuleBroken("request_too_large" | "request_unreadable"); holds no more than the cap."""
    if len(data) > REQUEST_BYTES:
        raise RuleBroken("request_too_large")
    if not encoding or encoding == "identity":
        return data
    if encoding != "gzip":
        raise RuleBroken("request_unreadable")
    unpack = isal_zlib.decompressobj(wbits=GZIP)
    try:
        plain = unpack.decompress(data, REQUEST_BYTES + 1)
    except IsalError as error:  # type: ignore[misc]  # the package says nothing of its types
        raise RuleBroken("request_unreadable") from error
    if len(plain) > REQUEST_BYTES:
        raise RuleBroken("request_too_large")
    if not unpack.eof or unpack.unused_data:
        raise RuleBroken("request_unreadable")
    return plain
