"""A bundle: the messages of an exchange, frames, receipts and sealed files in one encrypted file, for cable or stick.

Line 1 says format, sender, office, receivers by the beginning of their key, and when it was made. The rest is sealed
in chunks of 64 KiB under a fresh key that is boxed to each receiver; inside stand the sender's signature over all of it
and the parts. What a part means is decided by whoever takes it in; nothing here knows a store.
Source: SETTLED decisions 10, 18-24; SECURITY B.26; PROTOCOL section on bundles.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Literal

import msgspec

from shared.errors import RuleBroken
from shared.ledger.crypto import (
    CHUNK_BYTES,
    TAG_BYTES,
    SealBroken,
    box,
    box_address,
    is_signed,
    new_key,
    seal_chunks,
    sha256,
    sign,
    unbox,
    unseal_chunks,
)
from shared.ledger.operation import UNDECODABLE, Whole, canonical
from shared.values import DeviceId, is_id

BUNDLE_VERSION = 1
BUNDLE_BYTES = 512 * 1024 * 1024
"""Largest bundle: a whole visit with its photos; it is held in memory."""
HEADER_BYTES = 64 * 1024
RECEIVERS_LIMIT = 64
SIGNATURE_BYTES = 64
PREFIX_BYTES = 7
"""Random bytes before the sealed pieces."""
HINT = 16
"""Hex digits of a key that say whose it is without saying who that is."""
SOURCE = "PROTOCOL bundles"

Short = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[ -~]*\Z")]
PartKind = Literal["request", "reply", "frames", "receipt", "file"]


class BundleHeader(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """First line of the file. boxes: [beginning of the receiver's X25519 key, the file's key boxed to it].

    office  beginning of the office's key: whose ledger this belongs to; size: bytes of what is sealed, unsealed
    """

    boxes: Annotated[tuple[tuple[Short, str], ...], msgspec.Meta(min_length=1, max_length=RECEIVERS_LIMIT)]
    bundle: Whole
    created: Short
    from_: DeviceId
    office: Short
    size: Whole


class PartHead(msgspec.Struct, frozen=True, omit_defaults=True):
    """First line of a part; `size` bytes follow.

    request   a plain body of an exchange; signature: of its device, Base64
    reply     a plain reply; answers: the nonce its request showed
    frames    frames one behind the other, of any device; position: of the ledger they were read at, 0 beside the office
    receipt   a receipt as it was signed; signature: the server's, Base64
    file      a sealed file of a photo or recording, named by its hash
    """

    part: str
    size: Whole
    answers: Short = ""
    position: Whole = 0
    sha256: Short = ""
    signature: Annotated[str, msgspec.Meta(max_length=128)] = ""


@dataclass(frozen=True)
class Part:
    """One part with its bytes."""

    head: PartHead
    data: bytes


@dataclass(frozen=True)
class Bundle:
    """A bundle opened: its header, its parts, and what its sender signed."""

    header: BundleHeader
    parts: tuple[Part, ...]
    signature: bytes
    message: bytes

    def of(self, kind: PartKind) -> list[Part]:
        """The parts of a kind, in their order."""
        return [part for part in self.parts if part.head.part == kind]

    def check_sender(self, public: str) -> None:
        """Raises RuleBroken("bundle_altered") unless the owner of this signing key (hex) made all of it."""
        if not is_signed(bytes.fromhex(public), self.message, self.signature):
            raise RuleBroken("bundle_altered", SOURCE)


def part(kind: PartKind, data: bytes, **more: str | int) -> Part:
    """A part of these bytes."""
    return Part(PartHead(part=kind, size=len(data), **more), data)  # type: ignore[arg-type]


def hint(address: bytes) -> str:
    """What names a key in the header."""
    return address.hex()[:HINT]


def _purpose(sender: str) -> bytes:
    return b"qorgan/bundle/1\n" + sender.encode()


def _message(line: bytes, inside: bytes) -> bytes:
    """What the sender signs: header and all parts."""
    return b"qorgan/bundle/1\n" + sha256(line) + sha256(inside)


def _chunks(data: bytes) -> Iterator[bytes]:
    for at in range(0, max(len(data), 1), CHUNK_BYTES):
        yield data[at : at + CHUNK_BYTES]


def seal_bundle(
    parts: Sequence[Part], sender: DeviceId, sign_secret: bytes, office: bytes, to: Sequence[bytes], created: str
) -> bytes:
    """The bytes of a bundle.

    office   X25519 key of the office whose ledger this is; to: keys of the receivers
    created  stamp of the sender's clock

    Raises RuleBroken("bundle_too_large").
    """
    inside = b"".join(canonical(each.head) + b"\n" + each.data for each in parts)
    if len(inside) > BUNDLE_BYTES:
        raise RuleBroken("bundle_too_large", SOURCE)
    key = new_key()
    boxes = tuple((hint(address), base64.b64encode(box(address, key, _purpose(sender))).decode()) for address in to)
    header = BundleHeader(
        boxes=boxes, bundle=BUNDLE_VERSION, created=created, from_=sender, office=hint(office),
        size=len(inside) + SIGNATURE_BYTES,
    )  # fmt: skip
    line = canonical(header)
    signed = sign(sign_secret, _message(line, inside)) + inside
    return line + b"\n" + b"".join(seal_chunks(key, line, _chunks(signed)))


_header = msgspec.json.Decoder(BundleHeader)
_head = msgspec.json.Decoder(PartHead)


def read_header(data: bytes) -> BundleHeader:
    """The first line. Raises RuleBroken("bundle_unreadable" | "bundle_version" | "bundle_too_large")."""
    line, mark, _ = data[:HEADER_BYTES].partition(b"\n")
    if not mark or b'"bundle":' not in line:
        raise RuleBroken("bundle_unreadable", SOURCE)
    try:
        header = _header.decode(line)
    except UNDECODABLE as error:
        raise RuleBroken("bundle_version" if _is_later(line) else "bundle_unreadable", SOURCE) from error
    if header.bundle != BUNDLE_VERSION:
        raise RuleBroken("bundle_version", SOURCE)
    if not is_id(header.from_) or header.size < SIGNATURE_BYTES:
        raise RuleBroken("bundle_unreadable", SOURCE)
    if header.size > BUNDLE_BYTES + SIGNATURE_BYTES:
        raise RuleBroken("bundle_too_large", SOURCE)
    return header


def read_file(file: BinaryIO) -> bytes:
    """The bytes of a bundle, of a file no more than its first line promises: whatever lies on a stick is no bundle yet.

    Raises RuleBroken as `read_header`, and "bundle_altered" when the file is longer; OSError.
    """
    start = file.read(HEADER_BYTES)
    size = read_header(start).size
    pieces = max(1, -(-size // CHUNK_BYTES))
    whole = len(start.partition(b"\n")[0]) + 1 + PREFIX_BYTES + size + pieces * TAG_BYTES
    data = start + file.read(max(0, whole + 1 - len(start)))
    if len(data) > whole:
        raise RuleBroken("bundle_altered", SOURCE)
    return data


def _is_later(line: bytes) -> bool:
    """Whether a line that cannot be read is the header of a later version of this format."""
    try:
        version = msgspec.json.decode(line).get("bundle")
    except (*UNDECODABLE, AttributeError):
        return False
    return isinstance(version, int) and version > BUNDLE_VERSION


def open_bundle(data: bytes, secret: bytes, office: bytes) -> Bundle:
    """The parts of a bundle; who made it is not checked yet (`Bundle.check_sender`).

    secret  X25519 secret of the reader; office: X25519 key of the reader's office

    Raises RuleBroken: bundle_unreadable, bundle_version, bundle_too_large, bundle_foreign (another office's),
    bundle_not_for_us, bundle_cut, bundle_altered.
    """
    header = read_header(data)
    line, _, sealed = data.partition(b"\n")
    if header.office != hint(office):
        raise RuleBroken("bundle_foreign", SOURCE)
    key = _file_key(header, secret)
    pieces = max(1, -(-header.size // CHUNK_BYTES))
    if len(sealed) < PREFIX_BYTES + header.size + TAG_BYTES * pieces:
        raise RuleBroken("bundle_cut", SOURCE)
    try:
        plain = unseal_chunks(key, line, sealed)
    except SealBroken as error:
        raise RuleBroken("bundle_altered", SOURCE) from error
    if len(plain) != header.size:
        raise RuleBroken("bundle_altered", SOURCE)
    inside = plain[SIGNATURE_BYTES:]
    return Bundle(header, tuple(_parts(inside)), plain[:SIGNATURE_BYTES], _message(line, inside))


def _file_key(header: BundleHeader, secret: bytes) -> bytes:
    mine = hint(box_address(secret))
    boxes = [boxed for whose, boxed in header.boxes if whose == mine]
    for boxed in boxes:
        try:
            return unbox(secret, base64.b64decode(boxed, validate=True), _purpose(header.from_))
        except (SealBroken, binascii.Error, ValueError):
            continue
    raise RuleBroken("bundle_altered" if boxes else "bundle_not_for_us", SOURCE)


def _parts(inside: bytes) -> Iterator[Part]:
    """The parts; of a kind this version does not know as well, which the reader passes over."""
    at = 0
    while at < len(inside):
        end = inside.find(b"\n", at)
        try:
            head = _head.decode(inside[at:end])
        except UNDECODABLE as error:
            raise RuleBroken("bundle_unreadable", SOURCE) from error
        if end < 0 or head.size < 0 or end + 1 + head.size > len(inside):
            raise RuleBroken("bundle_unreadable", SOURCE)
        yield Part(head, inside[end + 1 : end + 1 + head.size])
        at = end + 1 + head.size
