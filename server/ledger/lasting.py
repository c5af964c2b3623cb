"""The last answer to each tablet that was committed and waited for, so that it can be given again without writing.

Only what a process of this office saw lasting stands here: what another left when it was killed before its fsync, or a
database when it came back, may be seen and not be on the disk. The table lies in memory that forked processes share;
nothing in it outlives them, and an entry half written by another does not hold its own hash and counts for nothing.
Source: PROTOCOL P69, decision 0009.
"""

from __future__ import annotations

import mmap
import struct
from datetime import datetime, timedelta

from shared.ledger.crypto import sha256
from shared.ledger.operation import id_bytes
from shared.values import DeviceId

SLOTS = 4096
"""Tablets remembered; two that share a slot take turns, which costs them a transaction and no more."""
FRESH = timedelta(minutes=5)
"""A token that is given again is good for so long at least: more than a tablet needs to use it."""
_ENTRY = struct.Struct("<32s64sd")
_ASKED = struct.Struct("<II")
"""Behind an entry: the minute in which it was asked for last, and how often."""
_SIZE = _ENTRY.size + _ASKED.size


class LastingAnswers:
    """By tablet: which frames were answered, with which nonce and which token."""

    def __init__(self) -> None:
        self._slots = mmap.mmap(-1, SLOTS * _SIZE)

    def note(self, device: DeviceId, frames: str, nonce: str, token: str, until: datetime) -> None:
        """An answer was committed and waited for.

        frames  name of the request's frames, 64 hex
        until   end of the token's life
        """
        ends, word = until.timestamp(), token.encode()
        _ENTRY.pack_into(self._slots, _place(device), _seal(device, frames, nonce, word, ends), word, ends)

    def again(self, device: DeviceId, frames: str, nonce: str, most: int, now: datetime) -> str:
        """The token that goes with the answer to these frames; "" when it was not seen lasting, when the token is
        nearly over, or when the tablet has asked for it more than `most` times within a minute."""
        place, minute = _place(device), int(now.timestamp()) // 60
        seal, word, ends = _ENTRY.unpack_from(self._slots, place)
        word = word.rstrip(b"\0")
        if ends < (now + FRESH).timestamp() or seal != _seal(device, frames, nonce, word, ends):
            return ""
        counted, count = _ASKED.unpack_from(self._slots, place + _ENTRY.size)
        count = count + 1 if counted == minute else 1
        if count > most:
            return ""
        _ASKED.pack_into(self._slots, place + _ENTRY.size, minute, count)
        return str(word.decode())

    def forget(self) -> None:
        """Knows nothing any more."""
        self._slots[:] = bytes(len(self._slots))


def _place(device: DeviceId) -> int:
    return int.from_bytes(id_bytes(device)[-4:], "big") % SLOTS * _SIZE


def _seal(device: DeviceId, frames: str, nonce: str, token: bytes, ends: float) -> bytes:
    return sha256(f"{device}\n{frames}\n{nonce}\n{ends!r}\n".encode() + token)
