"""One operation: a line of canonical JSON, its place in the chain of a device and a subject, and its body.

The line holds `at, author, body, clock, kind`; everything else follows from the chain: the id of operation n is
SHA-256(id of n-1 ‖ line), and the id before the first one binds device and subject. Bytes are hashed once and never
re-encoded. Source: SETTLED decisions 1, 5, 6, 9.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import msgspec

from shared.ledger.crypto import sha256, sha256_links
from shared.values import DeviceId, OperationId, PersonId, SubjectId, moment_of

LINE_BYTES = 256 * 1024
"""Longest line, newline not counted. Source: SETTLED decision 2."""

WHOLE_LIMIT = 2**53 - 1
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f]")
_KEY = re.compile(r"[a-z0-9_]+")


class Body(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What an operation says. Each kind is one subclass; its KIND is the name on the wire, a past fact.

    Bodies and operations are plain data that never points back, so the collector of cycles need not look at them.

    Fields absent on the wire take their default, fields unknown here stay in the line's bytes untouched.
    """

    KIND: ClassVar[str] = ""


class UnknownBody(Body, frozen=True):
    """A body of a kind this version does not know: kept, forwarded, shown as "needs an update"."""

    KIND: ClassVar[str] = ""


class Line(msgspec.Struct, frozen=True, gc=False):
    """The five fields of a line, body still as bytes."""

    at: str
    author: str
    body: msgspec.Raw
    clock: int
    kind: str


class Operation(msgspec.Struct, frozen=True, gc=False):
    """One operation with its place: what the fold sees."""

    id: OperationId
    subject: SubjectId
    device: DeviceId
    seq: int
    clock: int
    author: PersonId
    at: str
    kind: str
    body: Body

    @property
    def order(self) -> tuple[int, str, int, str]:
        """Total order of a subject's operations; wall time never decides."""
        return (self.clock, self.device, self.seq, self.id)


class LineUnreadable(Exception):
    """The line is not an operation of this version. `reason` is a short code, never content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotCanonical(ValueError):
    """A value has no canonical form: a float, a forbidden character, a number out of range, a strange key."""


UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for bytes that are not what was asked for, however strange they are."""

Whole = Annotated[int, msgspec.Meta(ge=0, le=WHOLE_LIMIT)]
"""A whole number of a header: what every database and every language holds exactly."""

_ONLY_DIGITS = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_LONG_NUMBER = b"0" * 16

_NO_FORM = (bytes, bytearray, datetime, time, timedelta, Decimal, uuid.UUID)
"""Types the encoder would silently write as text: left as they are, so that the check refuses them."""

_encoder = msgspec.json.Encoder(order="sorted")
_line_decoder = msgspec.json.Decoder(Line)


def _check(value: Any) -> None:
    match value:
        case str():
            if not value.isprintable() and _FORBIDDEN.search(value):
                raise NotCanonical("control character")
        case bool():
            return
        case int():
            if not -WHOLE_LIMIT <= value <= WHOLE_LIMIT:
                raise NotCanonical("integer out of range")
        case list() | tuple():
            for item in value:
                _check(item)
        case None:
            raise NotCanonical("null")
        case float():
            raise NotCanonical("float")
        case dict():
            for key, item in value.items():
                if not isinstance(key, str) or not _KEY.fullmatch(key):
                    raise NotCanonical("key")
                _check(item)
        case _:
            raise NotCanonical(type(value).__name__)


def canonical(value: Any) -> bytes:
    """The one spelling of a value made of dicts, lists, text, whole numbers and booleans, or of Structs of these.

    A calendar date is written yyyy-mm-dd. Raises NotCanonical.
    """
    plain = msgspec.to_builtins(value, builtin_types=_NO_FORM)
    try:
        _check(plain)
        return _encoder.encode(plain)
    except (UnicodeEncodeError, RecursionError) as error:
        raise NotCanonical(type(error).__name__) from error


def is_canonical(data: bytes) -> bool:
    """Whether re-encoding gives the same bytes; doubled keys, blanks and escapes do not."""
    try:
        return canonical(msgspec.json.decode(data)) == data
    except (*UNDECODABLE, NotCanonical):
        return False


def encode_line(body: Body, author: PersonId, at: str, clock: int) -> bytes:
    """The line of an operation, without its newline. Raises NotCanonical, ValueError when it is too large."""
    line = canonical({"at": at, "author": author, "body": body, "clock": clock, "kind": body.KIND})
    if len(line) > LINE_BYTES:
        raise ValueError("line too large")
    return line


def may_be_strange(line: bytes) -> bool:
    """Whether an escape or a long number stands in these bytes: only then may they say what no writer writes.

    Every digit becomes a zero, all else a blank: so the search is ten times quicker than a pattern on sealed text.
    """
    return b"\\" in line or _LONG_NUMBER in line.translate(_ONLY_DIGITS)


def decode_line(line: bytes, bodies: dict[str, type[Body]], *, plain: bool = False) -> tuple[Line, Body]:
    """Fields and body of a line. A kind not in `bodies` gives UnknownBody. Raises LineUnreadable.

    plain  the caller knows already that it `may_be_strange` not, because the bytes it came from are not
    """
    if len(line) > LINE_BYTES:
        raise LineUnreadable("too_large")
    try:
        fields = _line_decoder.decode(line)
        kind = bodies.get(fields.kind)
        body = _body_decoder(kind).decode(fields.body) if kind else UnknownBody()
        if not plain and may_be_strange(line):
            _check([fields.at, fields.author, fields.kind, msgspec.to_builtins(body)])
    except NotCanonical as error:
        raise LineUnreadable("wrong_body") from error
    except UNDECODABLE as error:
        raise LineUnreadable("not_json" if not isinstance(error, msgspec.ValidationError) else "wrong_body") from error
    if not 1 <= fields.clock <= WHOLE_LIMIT:
        raise LineUnreadable("wrong_clock")
    try:
        _check_moment(fields.at)
    except ValueError as error:
        raise LineUnreadable("wrong_time") from error
    return fields, body


def decode_lines(lines: Sequence[bytes], bodies: dict[str, type[Body]]) -> tuple[list[Line], list[Body]] | None:
    """Fields and bodies of lines of which each can be read, as `decode_line` reads them; None when one cannot.

    Quicker than one by one, because what most lines share is looked at once: whether anything strange stands in them,
    their kinds, their moments.
    """
    if any(len(line) > LINE_BYTES for line in lines):
        return None
    try:
        fields = list(map(_line_decoder.decode, lines))
        kinds = {one.kind for one in fields}
        decode = {kind: _body_decoder(bodies[kind]).decode if kind in bodies else _unknown for kind in kinds}
        said = [decode[one.kind](one.body) for one in fields]
        if may_be_strange(b"\n".join(lines)):
            for line, one, body in zip(lines, fields, said, strict=True):
                if may_be_strange(line):
                    _check([one.at, one.author, one.kind, msgspec.to_builtins(body)])
        for at in {one.at for one in fields}:
            _check_moment(at)
    except (NotCanonical, ValueError, *UNDECODABLE):
        return None
    if any(not 1 <= one.clock <= WHOLE_LIMIT for one in fields):
        return None
    return fields, said


def _unknown(body: msgspec.Raw) -> UnknownBody:
    return UnknownBody()


def _check_moment(at: str) -> None:
    """Raises ValueError for what `moment_of` cannot read. Only at the ends of the calendar an offset may lead out."""
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None or not 1 < moment.year < 9999:
        moment_of(at)


_decoders: dict[type[Body], msgspec.json.Decoder[Any]] = {}


def _body_decoder(kind: type[Body]) -> msgspec.json.Decoder[Any]:
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind)
    return _decoders[kind]


@lru_cache(maxsize=4096)
def id_bytes(text: str) -> bytes:
    """The 16 bytes of a subject, device or person id. Raises ValueError."""
    return uuid.UUID(text).bytes


def id_text(data: bytes) -> str:
    """The text of 16 id bytes."""
    digits = data.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def genesis(device: str, subject: str) -> bytes:
    """The id before a device's first operation on a subject."""
    return sha256(b"qorgan/chain/1\n" + id_bytes(device) + id_bytes(subject))


def next_id(before: bytes, line: bytes) -> bytes:
    """The id of the operation whose line follows the operation `before` in its chain."""
    return sha256(before + line)


def chain(before: bytes, lines: Iterable[bytes]) -> list[bytes]:
    """The ids of consecutive lines, oldest first."""
    return sha256_links(before, lines)
