"""The append-only copy of everything this tablet wrote itself, on the disk before the screen says *saved*.

A record is a mark, the number of its first body, its length, and the bodies of one save sealed as one, bound to store
and number: a save is there whole or not at all. Reading takes every record that is whole, also behind a hole, and says
what was lost. Source: SETTLED decision 36, SECURITY B.17, B.20.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from field_app.store.disk import sync_folder, write_whole
from shared.ledger.crypto import SealBroken, seal, unseal

_HEAD = struct.Struct(">4sQI")
_LENGTH = struct.Struct(">I")
_MARK = b"QRGN"
_LONGEST = 2 * 1024 * 1024
_FULL = 1024 * 1024
"""A record takes no further body beyond this; only what comes back from the office is ever so much."""
_DOUBTFUL = 2 * _LONGEST
"""So much of the end is written again where the last process did not end in good order."""


@dataclass
class Reading:
    """What a copy holds: bodies by number; byte ranges that held nothing whole; length of the good beginning."""

    bodies: dict[int, bytes] = field(default_factory=dict)
    lost: list[tuple[int, int]] = field(default_factory=list)
    good_bytes: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost."""
        return not self.lost


class Copy:
    """The file `copy` of a store's folder, open for appending."""

    def __init__(self, path: Path, key: bytes, store: str) -> None:
        self.path, self._key, self._store = path, key, store
        whole_anew = path.with_name(path.name + ".new")
        if not path.exists() and whole_anew.exists():  # `write_anew` was interrupted between its two last steps
            whole_anew.replace(path)
        fresh = not path.exists()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if fresh:
            sync_folder(path.parent)
        self.size = os.fstat(self._descriptor).st_size

    def _about(self, number: int) -> bytes:
        return f"{self._store}\ncopy\n{number}".encode()

    def _record(self, number: int, bodies: Sequence[bytes]) -> bytes:
        plain = b"".join(_LENGTH.pack(len(body)) + body for body in bodies)
        sealed = seal(self._key, plain, self._about(number))
        return _HEAD.pack(_MARK, number, len(sealed)) + sealed

    def append(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Adds (number, body) behind the last, numbers rising by one, and waits for the disk.

        On an error nothing was added: what may lie in the file's pages is cut off, and the next record is written over
        it. So no page that an fsync failed for is ever taken for written. Raises OSError.
        """
        data = b"".join(self._record(number, bodies) for number, bodies in _gathered(records))
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:], self.size + written)
            os.fsync(self._descriptor)
        except OSError:
            self.cut_back(self.size)
            raise
        self.size += len(data)

    def cut_back(self, size: int) -> None:
        """Takes back what was added beyond `size`; the next record is written there in any case."""
        self.size = size
        os.ftruncate(self._descriptor, size)

    def take_off(self, size: int) -> None:
        """Takes the torn end off; it stays as `copy.damaged` where there is room for it. Raises OSError."""
        torn = os.pread(self._descriptor, self.size - size, size)
        with contextlib.suppress(OSError):
            write_whole(self.path.with_name("copy.damaged"), torn)
        self.cut_back(size)

    def settle(self) -> None:
        """Writes the end of the file once more and waits for the disk.

        A process that died behind a failed fsync may have left bytes that can be read and are not on the disk: what
        follows them would hang in the air. Raises OSError.
        """
        begin = max(0, self.size - _DOUBTFUL)
        os.pwrite(self._descriptor, os.pread(self._descriptor, self.size - begin, begin), begin)
        os.fsync(self._descriptor)

    def read(self) -> Reading:
        """Every whole record of the file."""
        data = self.path.read_bytes()
        reading = Reading()
        at = 0
        while at < len(data):
            end = self._take(data, at, reading)
            if end:
                if not reading.lost:
                    reading.good_bytes = end
                at = end
                continue
            following = data.find(_MARK, at + 1)
            following = following if following != -1 else len(data)
            if reading.lost and reading.lost[-1][1] == at:
                reading.lost[-1] = (reading.lost[-1][0], following)
            else:
                reading.lost.append((at, following))
            at = following
        return reading

    def _take(self, data: bytes, at: int, reading: Reading) -> int:
        """Takes the record at this place in; the place behind it, or 0."""
        if at + _HEAD.size > len(data):
            return 0
        mark, number, length = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + int(length)
        if mark != _MARK or length > _LONGEST or end > len(data):
            return 0
        try:
            plain = unseal(self._key, data[at + _HEAD.size : end], self._about(number))
        except SealBroken:
            return 0
        reading.bodies.update(enumerate(_bodies(plain), number))
        return end

    def write_anew(self, records: Sequence[tuple[int, bytes]]) -> None:
        """The whole file from these records; the old one stays beside it as `copy.damaged` until the next time.

        Raises OSError; then the old one stands as it was.
        """
        fresh = self.path.with_name(self.path.name + ".new")
        write_whole(fresh, b"".join(self._record(number, [plain]) for number, plain in records))
        self.path.replace(self.path.with_name("copy.damaged"))
        fresh.replace(self.path)
        sync_folder(self.path.parent)
        os.close(self._descriptor)
        self._descriptor = os.open(self.path, os.O_RDWR, 0o600)
        self.size = os.fstat(self._descriptor).st_size

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._descriptor)


def _gathered(records: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, list[bytes]]]:
    """(number of the first, bodies) a record."""
    gathered: list[bytes] = []
    for number, body in records:
        gathered.append(body)
        if sum(map(len, gathered)) > _FULL or number == records[-1][0]:
            yield number - len(gathered) + 1, gathered
            gathered = []


def _bodies(plain: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(plain):
        (length,) = _LENGTH.unpack_from(plain, at)
        at += _LENGTH.size
        yield plain[at : at + length]
        at += length
