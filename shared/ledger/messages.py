"""The messages of one exchange between a tablet and the office, as bytes.

Request: one line of Hello, then frames. Reply: the receipt's line, its signature's line, one line of PageHeader, then
frames. Status 200 whenever device and signature are good. Source: SETTLED decisions 18-20, 22-27.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec

from shared.ledger.crypto import is_signed, sha256, sign
from shared.ledger.frame import Frame, read_frames
from shared.ledger.operation import UNDECODABLE, Whole, canonical, id_bytes
from shared.values import DeviceId, SubjectId

PROTOCOL_VERSION = 1
REQUEST_BYTES = 1024 * 1024 + 256 * 1024
"""Largest plain request: frames of 1 MiB and room for the header lines."""
PAGE_BYTES = 1024 * 1024
LACKS_LIMIT = 500
"""Most own chains asked for in one exchange; the rest follow."""
NONCE_HEADER = "Qorgan-Nonce"
SIGNATURE_HEADER = "Qorgan-Signature"

ASKS_LIMIT = 200
"""Most frames asked about in one exchange."""
FrameStatus = Literal["accepted", "already", "waiting", "quarantined", "kept_aside"]
Stopped = Literal["", "revoked", "twin", "fork", "no_role"]
Reason = Literal[
    "", "gap", "bad_seal", "fork", "no_access", "revoked", "wrong_subject", "clock_leap", "too_large", "version"
]  # fmt: skip


class MessageUnreadable(Exception):
    """The bytes are no message of this protocol. `reason` is a short code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Short = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[ -~]*\Z")]
"""A code, a time or a number of the first line: nothing a receipt or a column could not hold."""


class ChainHead(msgspec.Struct, frozen=True, array_like=True):
    """How far a chain of this device is held: [subject, seq, id]."""

    subject: SubjectId
    seq: Whole
    id: str


class AskedFrame(msgspec.Struct, frozen=True, array_like=True):
    """An own frame whose fate is asked for: [subject, first, count, head]; head is the id of its last line."""

    subject: SubjectId
    first: Whole
    count: Whole
    head: Short


class Hello(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """First line of a request.

    epoch   the server epoch the tablet knows (0: none yet)
    from_   cursor of the next page, "epoch.position.cursor"; "" at the first exchange
    heads   digest over the heads of all own chains (merge.heads_digest)
    known   (position, head of the server's ledger) last seen: (0, "") at first
    nonce   the one the server showed last ("" at first)
    now     the tablet's clock with offset: a claim, never an order
    lacks   own chains of which the office said that it holds more: how far this tablet holds each
    asks    own frames that were quarantined: has somebody decided?
    differs subjects whose digest was not the office's: is it now?
    undelivered  (operations the office has not received, `at` of the oldest): a claim, for those who look after tablets
    """

    device: DeviceId
    epoch: Whole
    from_: Short
    heads: Short
    known: tuple[Whole, Short]
    nonce: Short
    now: Short
    v: Whole = PROTOCOL_VERSION
    lacks: Annotated[tuple[ChainHead, ...], msgspec.Meta(max_length=LACKS_LIMIT)] | msgspec.UnsetType = msgspec.UNSET
    asks: Annotated[tuple[AskedFrame, ...], msgspec.Meta(max_length=ASKS_LIMIT)] | msgspec.UnsetType = msgspec.UNSET
    differs: Annotated[tuple[SubjectId, ...], msgspec.Meta(max_length=LACKS_LIMIT)] | msgspec.UnsetType = msgspec.UNSET
    undelivered: tuple[Whole, Short] | msgspec.UnsetType = msgspec.UNSET


class FrameReceipt(msgspec.Struct, frozen=True, array_like=True):
    """What became of one frame: [subject, first, count, head, status, reason]; head is the id of its last line."""

    subject: SubjectId
    first: int
    count: int
    head: str
    status: FrameStatus
    reason: Reason


class LineReceipt(msgspec.Struct, frozen=True, array_like=True):
    """A line kept in its place that could not be read: [id, reason]."""

    id: str
    reason: str


class Receipt(msgspec.Struct, frozen=True):
    """The office's word for what it holds. `request` is SHA-256 (hex) over the frames part of the request.

    position, ledger_head   the ledger after this exchange; received_at, tablet_now give the drift of the clock
    """

    device: DeviceId
    epoch: int
    frames: tuple[FrameReceipt, ...]
    ledger_head: str
    lines: tuple[LineReceipt, ...]
    position: int
    received_at: str
    request: str
    tablet_now: str
    v: int = PROTOCOL_VERSION


class SubjectDigest(msgspec.Struct, frozen=True, array_like=True):
    """What the server holds of a subject, as merge.digest: [subject, digest]; "" where it was asked for one that the
    tablet's person may not hold."""

    subject: SubjectId
    digest: str


class PageHeader(msgspec.Struct, frozen=True, omit_defaults=True):
    """What follows the receipt.

    cursor      where the next page begins
    durable     ledger position that the last proven backup covers
    more        whether a further page waits
    next_nonce  to be shown at the next exchange
    revoked     this device may no longer read
    token       for media and packs, 15 minutes
    have        given when the heads of own chains differ: what the server holds of each
    digests     for the subjects of this exchange, on the last page: to be compared with one's own
    restored    the epoch changed: offer again what lies above this position
    stopped     why this device reads nothing: revoked; twin or fork, until a person has looked; no_role, its person
                holds no role that visits
    fates       of the frames asked about that were taken in or are kept aside for good
    fates_seal  the server's signature over them (fates_message), Base64
    """

    cursor: str
    durable: int
    more: bool
    next_nonce: str
    revoked: bool
    token: str
    have: tuple[ChainHead, ...] | None = None
    digests: tuple[SubjectDigest, ...] = ()
    restored: int | None = None
    stopped: Stopped = ""
    fates: tuple[FrameReceipt, ...] = ()
    fates_seal: str = ""


class Request(msgspec.Struct, frozen=True):
    """A request read: its first line, its frames, and the hash that names the frames part."""

    hello: Hello
    frames: tuple[Frame, ...]
    name: str


class Reply(msgspec.Struct, frozen=True):
    """A reply read: receipt (as signed bytes and as data), page header, frames."""

    receipt: Receipt
    receipt_bytes: bytes
    signature: bytes
    page: PageHeader
    frames: tuple[Frame, ...]


_hello = msgspec.json.Decoder(Hello)
_receipt = msgspec.json.Decoder(Receipt)
_page = msgspec.json.Decoder(PageHeader)


def _lines(data: bytes) -> list[bytes]:
    if not data.endswith(b"\n"):
        raise MessageUnreadable("cut")
    return data[:-1].split(b"\n")


def encode_request(hello: Hello, frames: Sequence[Frame]) -> bytes:
    """The plain body of a request."""
    return canonical(hello) + b"\n" + b"".join(frame.encoded() for frame in frames)


def request_message(body: bytes) -> bytes:
    """What the device signs to vouch for a whole plain body."""
    return b"qorgan/sync/1\n" + sha256(body)


def read_hello(body: bytes) -> Hello:
    """The first line of a request, enough to find the device. Raises MessageUnreadable."""
    end = body.find(b"\n")
    try:
        hello = _hello.decode(body if end < 0 else body[:end])
    except UNDECODABLE as error:
        raise MessageUnreadable("hello") from error
    if hello.v != PROTOCOL_VERSION:
        raise MessageUnreadable("version")
    return hello


def request_name(body: bytes) -> str:
    """SHA-256 (hex) of the frames part: what the same frames are known by. Raises MessageUnreadable."""
    end = body.find(b"\n")
    if end < 0:
        raise MessageUnreadable("cut")
    return sha256(body[end + 1 :]).hex()


def read_request(body: bytes) -> Request:
    """A whole request. Raises MessageUnreadable; FrameUnreadable when a frame's own lines are wrong."""
    return Request(read_hello(body), request_frames(body), request_name(body))


def request_frames(body: bytes) -> tuple[Frame, ...]:
    """The frames of a request. Raises as `read_request`."""
    return tuple(read_frames(_lines(body)[1:]))


def receipt_message(receipt: bytes) -> bytes:
    """What the server signs to vouch for a receipt."""
    return b"qorgan/receipt/1\n" + receipt


def fates_message(device: DeviceId, fates: Sequence[FrameReceipt]) -> bytes:
    """What the server signs to vouch for the fates it names to a device."""
    return b"qorgan/fates/1\n" + id_bytes(device) + canonical(list(fates))


def sealed_fates(secret: bytes, device: DeviceId, fates: Sequence[FrameReceipt]) -> str:
    """The signature over fates, Base64; "" when there are none."""
    return base64.b64encode(sign(secret, fates_message(device, fates))).decode() if fates else ""


def are_fates_sealed(server_key: bytes, device: DeviceId, page: PageHeader) -> bool:
    """Whether the fates of a page are the office's word to this device."""
    try:
        seal = base64.b64decode(page.fates_seal, validate=True)
    except ValueError:
        return False
    return is_signed(server_key, fates_message(device, page.fates), seal)


class _Answered(msgspec.Struct):
    frames: tuple[FrameReceipt, ...]


_answered = msgspec.json.Decoder(_Answered)


def subjects_answered(receipt: bytes) -> list[SubjectId]:
    """The subjects of a receipt's frames, each once, in their order."""
    return list(dict.fromkeys(frame.subject for frame in _answered.decode(receipt).frames))


def receipt_number(receipt: bytes) -> str:
    """The number people see: first 8 hex digits of the receipt's hash, upper case."""
    return sha256(receipt).hex()[:8].upper()


def encode_reply(receipt: bytes, secret: bytes, page: PageHeader, frames: Iterable[bytes]) -> bytes:
    """The plain body of a reply; `receipt` are its stored bytes, `frames` are handed on as they came."""
    signature = base64.b64encode(sign(secret, receipt_message(receipt)))
    return b"\n".join((receipt, signature, canonical(page))) + b"\n" + b"".join(frames)


def read_reply(body: bytes, server_key: bytes) -> Reply:
    """A whole reply, its receipt's signature checked. Raises MessageUnreadable("signature" | …), FrameUnreadable."""
    lines = _lines(body)
    if len(lines) < 3:
        raise MessageUnreadable("cut")
    try:
        signature = base64.b64decode(lines[1], validate=True)
        receipt, page = _receipt.decode(lines[0]), _page.decode(lines[2])
    except (*UNDECODABLE, ValueError) as error:
        raise MessageUnreadable("receipt") from error
    if not is_signed(server_key, receipt_message(lines[0]), signature):
        raise MessageUnreadable("signature")
    return Reply(receipt, lines[0], signature, page, tuple(read_frames(lines[3:])))


def next_ledger_head(before: bytes, last_id: bytes) -> bytes:
    """Head of the server's ledger after one more frame: SHA-256(before ‖ last id of the frame)."""
    return sha256(before + last_id)
