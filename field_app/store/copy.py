"""The append-only copy of everything this tablet wrote itself, on the disk before the screen says *saved*.

A record is a mark, its number, its length and a sealed body bound to store and number. Reading takes every record that
is whole, also behind a hole, and says what was lost. Source: SETTLED decision 36, SECURITY B.17, B.20.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from field_app.store.disk import sync_folder, write_whole
from shared.ledger.crypto import SealBroken, seal, unseal

_HEAD = struct.Struct(">4sQI")
_MARK = b"QRGN"
_LONGEST = 2 * 1024 * 1024


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
        fresh = not path.exists()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if fresh:
            sync_folder(path.parent)
        self.size = os.fstat(self._descriptor).st_size

    def _about(self, number: int) -> bytes:
        return f"{self._store}\ncopy\n{number}".encode()

    def _record(self, number: int, plain: bytes) -> bytes:
        sealed = seal(self._key, plain, self._about(number))
        return _HEAD.pack(_MARK, number, len(sealed)) + sealed

    def append(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Adds (number, body) records behind the last and waits for the disk. On an error nothing was added.

        Raises OSError.
        """
        data = b"".join(self._record(number, plain) for number, plain in records)
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
            reading.bodies[number] = unseal(self._key, data[at + _HEAD.size : end], self._about(number))
        except SealBroken:
            return 0
        return end

    def write_anew(self, records: Sequence[tuple[int, bytes]]) -> None:
        """The whole file from these records; the old one stays beside it as `copy.damaged` until the next time."""
        os.close(self._descriptor)
        os.replace(self.path, self.path.with_name("copy.damaged"))
        write_whole(self.path, b"".join(self._record(number, plain) for number, plain in records))
        self._descriptor = os.open(self.path, os.O_RDWR, 0o600)
        self.size = os.fstat(self._descriptor).st_size

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._descriptor)
