"""A frame: a run of one device's operations on one subject, vouched for by one seal.

Because each id takes in the one before it, the signature over the last id vouches for the whole chain up to it.
Frames are what travels, is stored and is signed. Source: SETTLED decisions 2, 3, 4.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from shared.ledger.crypto import is_signed, sign
from shared.ledger.operation import UNDECODABLE, Whole, canonical, chain, genesis, id_bytes
from shared.values import DeviceId, SubjectId, is_hash, is_id

FRAME_LINES = 500
FRAME_BYTES = 1024 * 1024
FRAME_VERSION = 1
CHAIN_LIMIT = 2**31 - 1
"""Longest chain: no tablet writes two thousand million operations, and every database holds the number."""


class FrameHeader(msgspec.Struct, frozen=True):
    """First line of a frame. `first` is the seq of its first operation, `prev` the id before it (64 hex)."""

    count: Whole
    device: DeviceId
    first: Whole
    frame: Whole
    prev: str
    seal: str
    subject: SubjectId


class Frame(msgspec.Struct, frozen=True, dict=True):
    """A frame as it travels: its header and its lines without newlines. The ids of its chain are made once."""

    header: FrameHeader
    lines: tuple[bytes, ...]

    @property
    def last(self) -> int:
        """Seq of the last operation."""
        return self.header.first + self.header.count - 1

    @cached_property
    def _ids(self) -> tuple[bytes, ...]:
        return tuple(chain(bytes.fromhex(self.header.prev), self.lines))

    def ids(self) -> tuple[bytes, ...]:
        """Ids of its operations, oldest first, as the chain gives them."""
        return self._ids

    def encoded(self) -> bytes:
        """The bytes on the wire: header line and operation lines, each with a newline."""
        return b"\n".join((canonical(self.header), *self.lines)) + b"\n"


class FrameUnreadable(Exception):
    """These lines are no frame. `reason` is a short code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _seal_message(device: str, subject: str, last: int, last_id: bytes) -> bytes:
    """What a seal vouches for: whose chain, on what, how long it is, and the id it ends with. Source: decision 0003."""
    return b"qorgan/seal/1\n" + id_bytes(device) + id_bytes(subject) + last.to_bytes(8, "big") + last_id


def cut(secret: bytes, device: DeviceId, subject: SubjectId, first: int, prev: bytes, lines: Sequence[bytes]) -> Frame:
    """A sealed frame over consecutive lines; `prev` is the id before the first, genesis for seq 1."""
    last_id = chain(prev, lines)[-1]
    seal = sign(secret, _seal_message(device, subject, first + len(lines) - 1, last_id))
    header = FrameHeader(
        count=len(lines), device=device, first=first, frame=FRAME_VERSION, prev=prev.hex(),
        seal=base64.b64encode(seal).decode(), subject=subject,
    )  # fmt: skip
    return Frame(header, tuple(lines))


def without_prefix(frame: Frame, skip: int) -> Frame:
    """The frame without its first `skip` lines; the same seal vouches for the rest."""
    if not skip:
        return frame
    prev = frame.ids()[skip - 1].hex()
    header = msgspec.structs.replace(
        frame.header, first=frame.header.first + skip, count=frame.header.count - skip, prev=prev
    )
    return Frame(header, frame.lines[skip:])


def pieces(lines: Iterable[bytes]) -> list[list[bytes]]:
    """Consecutive lines in runs that keep to the limits of a frame."""
    runs: list[list[bytes]] = []
    size = 0
    for line in lines:
        if not runs or len(runs[-1]) == FRAME_LINES or size + len(line) + 1 > FRAME_BYTES:
            runs.append([])
            size = 0
        runs[-1].append(line)
        size += len(line) + 1
    return runs


def is_sealed(frame: Frame, public: bytes, last_id: bytes = b"") -> bool:
    """Whether the seal is that of the device's key over this chain, this far.

    last_id  id of the last line where the caller has it from `ids` already
    """
    header = frame.header
    try:
        seal = base64.b64decode(header.seal, validate=True)
    except ValueError:
        return False
    return is_signed(public, _seal_message(header.device, header.subject, frame.last, last_id or frame.ids()[-1]), seal)


_header_decoder = msgspec.json.Decoder(FrameHeader)


def read_header(line: bytes) -> FrameHeader:
    """The header behind a line. Raises FrameUnreadable("header" | "version" | "too_large")."""
    try:
        header = _header_decoder.decode(line)
    except UNDECODABLE as error:
        raise FrameUnreadable("header") from error
    if header.frame != FRAME_VERSION:
        raise FrameUnreadable("version")
    if not (is_id(header.device) and is_id(header.subject) and is_hash(header.prev)):
        raise FrameUnreadable("header")
    if not 1 <= header.first <= CHAIN_LIMIT - FRAME_LINES:
        raise FrameUnreadable("header")
    if header.first == 1 and header.prev != genesis(header.device, header.subject).hex():
        raise FrameUnreadable("header")
    if not 1 <= header.count <= FRAME_LINES:
        raise FrameUnreadable("too_large")
    return header


def read_frames(lines: Sequence[bytes]) -> list[Frame]:
    """The frames behind consecutive lines. Raises FrameUnreadable, also when the last frame is cut short."""
    frames = []
    at = 0
    while at < len(lines):
        header = read_header(lines[at])
        body = tuple(lines[at + 1 : at + 1 + header.count])
        if len(body) != header.count:
            raise FrameUnreadable("cut")
        if sum(map(len, body)) + header.count > FRAME_BYTES:
            raise FrameUnreadable("too_large")
        frames.append(Frame(header, body))
        at += 1 + header.count
    return frames
