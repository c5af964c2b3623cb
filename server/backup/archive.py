"""The file of a backup: one open line that says what it is, sealed records, and a footer that proves it whole.

    line 1   canonical JSON (Header), newline
    then     7 bytes and pieces of 64 KiB sealed with a key of this file alone: a zstd stream of records
    last     96 bytes: SHA-256 of all before, and the office's Ed25519 signature over it

A record is 4 bytes of length and a msgpack array. The file key is boxed to the backup key, so the office cannot open
its own backup; the footer shows anybody that no byte changed and that this office made it. Nothing here knows what the
records mean; nothing is held whole in memory. Source: SETTLED decision 10; decision 0014.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from shared.ledger.crypto import (
    CHUNK_BYTES,
    TAG_BYTES,
    SealBroken,
    box,
    is_signed,
    new_key,
    seal_chunks,
    sign,
    unbox,
    unseal_pieces,
)  # fmt: skip
from shared.ledger.operation import UNDECODABLE, canonical
from shared.values import is_hash

VERSION = 1
FOOTER = 32 + 64
HEADER_BYTES = 4096
RECORD_BYTES = 64 * 1024 * 1024
READ_BYTES = 1024 * 1024
FED_BYTES = 1024
UNPACKED_BYTES = 64 * 1024 * 1024
"""Most that so many packed bytes unpack to: zstd makes 128 KiB of three bytes, and a stranger may seal a file too."""
PACKING = 3
_PURPOSE = b"qorgan/backup/1"


class Header(msgspec.Struct, frozen=True):
    """What anybody may know of a backup.

    address   X25519 address (64 hex) whose private half opens it; box: the file key boxed to it, Base64
    epoch, position, head   of the ledger it holds
    schema    revision of the tables it was read from
    signer    Ed25519 key (64 hex) of the office that signed the footer
    """

    address: str
    backup: int
    box: str
    epoch: int
    head: str
    made_at: str
    position: int
    schema: str
    signer: str


class BackupUnreadable(Exception):
    """The file is no backup, or not whole any more. The message says what, in words."""


def new_header(
    address: str, *, epoch: int, position: int, head: str, made_at: str, schema: str, signer: str
) -> tuple[Header, bytes]:
    """A header and the fresh key of its file, which is boxed in it and kept nowhere else."""
    key = new_key()
    boxed = base64.b64encode(box(bytes.fromhex(address), key, _PURPOSE)).decode()
    header = Header(
        address=address, backup=VERSION, box=boxed, epoch=epoch, head=head, made_at=made_at, position=position,
        schema=schema, signer=signer,
    )  # fmt: skip
    return header, key


def file_key(header: Header, secret: bytes) -> bytes:
    """The key of the file for the owner of the backup key. Raises BackupUnreadable."""
    try:
        return unbox(secret, base64.b64decode(header.box, validate=True), _PURPOSE)
    except (SealBroken, binascii.Error) as error:
        raise BackupUnreadable("it was not sealed to this backup key") from error


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(path: Path, header: Header, key: bytes, sign_secret: bytes, records: Iterable[Any]) -> str:
    """Writes a backup, on the disk when this returns, and gives the SHA-256 (hex) of the file.

    Raises FileExistsError, OSError; then the caller removes what stands.
    """
    digest = hashlib.sha256()
    first = canonical(header) + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        for piece in chain((first,), seal_chunks(key, first, _in_chunks(_packed(records)))):
            file.write(piece)
            digest.update(piece)
        footer = digest.digest() + sign(sign_secret, _footer_message(digest.digest()))
        file.write(footer)
        digest.update(footer)
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return digest.hexdigest()


def _footer_message(digest: bytes) -> bytes:
    return b"qorgan/backup-footer/1\n" + digest


def _packed(records: Iterable[Any]) -> Iterator[bytes]:
    packer = zstandard.ZstdCompressor(level=PACKING, write_checksum=True).compressobj()
    encoder = msgspec.msgpack.Encoder()
    for record in records:
        data = encoder.encode(record)
        yield packer.compress(len(data).to_bytes(4, "big") + data)
    yield packer.flush()


def _in_chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    yield bytes(waiting)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_header(path: Path) -> Header:
    """The open line of a backup. Raises FileNotFoundError, BackupUnreadable."""
    with path.open("rb") as file:
        return _header(file.readline(HEADER_BYTES))


def _header(line: bytes) -> Header:
    try:
        header = msgspec.json.decode(line, type=Header)
    except UNDECODABLE as error:
        raise BackupUnreadable("its first line is not that of a backup") from error
    if header.backup != VERSION:
        raise BackupUnreadable(f"it is a backup of version {header.backup}; this program reads version {VERSION}")
    if not (is_hash(header.signer) and is_hash(header.head)):
        raise BackupUnreadable("its first line is not that of a backup")
    return header


def check_footer(path: Path, progress: Any = lambda done, of: None) -> tuple[Header, str]:
    """Proves without any key that no byte of the file changed since the office signed it; header and its SHA-256.

    Who `header.signer` is, the caller knows. Raises BackupUnreadable.
    """
    header, size = read_header(path), path.stat().st_size
    digest, left = hashlib.sha256(), size - FOOTER
    if left <= 0:
        raise BackupUnreadable("it is cut short")
    with path.open("rb") as file:
        while left:
            piece = file.read(min(READ_BYTES, left))
            if not piece:
                raise BackupUnreadable("it is cut short")
            digest.update(piece)
            left -= len(piece)
            progress(size - FOOTER - left, size - FOOTER)
        footer = file.read(FOOTER)
    if footer[:32] != digest.digest():
        raise BackupUnreadable("its bytes changed since it was written, or it is cut short")
    if not is_signed(bytes.fromhex(header.signer), _footer_message(footer[:32]), footer[32:]):
        raise BackupUnreadable("its signature is not that of the office it names")
    digest.update(footer)
    return header, digest.hexdigest()


def records(path: Path, key: bytes) -> Iterator[Any]:
    """The records of a backup, one after another. Raises BackupUnreadable as soon as something is not as written."""
    try:
        yield from _records(_plain(path, key))
    except SealBroken as error:
        raise BackupUnreadable("a sealed piece is changed, missing or moved") from error
    except (*UNDECODABLE, zstandard.ZstdError) as error:
        raise BackupUnreadable("a record cannot be read") from error


def _plain(path: Path, key: bytes) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    with path.open("rb") as file:
        first = file.readline(HEADER_BYTES)
        _header(first)
        prefix = file.read(7)
        left = path.stat().st_size - FOOTER - file.tell()
        for piece in unseal_pieces(key, first, prefix, _pieces(file, left)):
            for at in range(0, len(piece), FED_BYTES):
                yield unpacker.decompress(piece[at : at + FED_BYTES])
    if not unpacker.eof:
        raise BackupUnreadable("its records end too early")


def _pieces(file: Any, left: int) -> Iterator[bytes]:
    while left > 0:
        piece = file.read(min(CHUNK_BYTES + TAG_BYTES, left))
        if not piece:
            return
        left -= len(piece)
        yield piece


def _records(plain: Iterable[bytes]) -> Iterator[Any]:
    waiting = bytearray()
    for piece in plain:
        waiting += piece
        at = 0
        while len(waiting) - at >= 4:
            size = int.from_bytes(waiting[at : at + 4], "big")
            if size > RECORD_BYTES:
                raise BackupUnreadable("a record is larger than any record")
            if len(waiting) - at - 4 < size:
                break
            yield msgspec.msgpack.decode(waiting[at + 4 : at + 4 + size])
            at += 4 + size
        del waiting[:at]
    if waiting:
        raise BackupUnreadable("its last record is cut short")
