"""What goes next, in pieces of what size, and how long to wait. Pure: time and chance are arguments.

Urgent text, text, thumbnails, derivatives, originals smallest first.
Source: SETTLED decision 61, decision 0016, UX T11, SECURITY B.15.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from field_app.store.kept import MediaKept

LEAST_PIECE = 16 * 1024
MOST_PIECE = 8 * 1024 * 1024
FIRST_PIECE = 64 * 1024
GOOD_SECONDS = 1.0
"""A piece that takes less than this may grow (eightfold where the next would still take less), one that takes four
times as long shrinks."""
FILES_SECONDS = 60.0
"""Files are left for one exchange after this long, so that what others wrote comes in while a photo goes out."""
STRIKES = 3
"""A file that broke off so often goes behind the others."""

FIRST_WAIT = 2.0
LONGEST_WAIT = 300.0
IDLE_WAIT = 60.0
_ORDER = {"thumbnail": 0, "derivative": 1, "original": 2}


def media_in_order(files: Iterable[MediaKept], broke_off: Mapping[str, int] = MappingProxyType({})) -> list[MediaKept]:
    """The files still to be sent: thumbnails, derivatives, originals; each smallest first. Failed ones come last.

    broke_off   hash → how often in a row the line broke while this file went
    """
    waiting = [file for file in files if not file.received and file.operation]
    return sorted(
        waiting,
        key=lambda file: (
            bool(file.failed) or broke_off.get(file.sha256, 0) >= STRIKES, _ORDER.get(file.role, 3), file.size,
            file.sha256,
        ),
    )  # fmt: skip


def next_piece(size: int, seconds: float, went_through: bool) -> int:
    """The size of the next piece, in bytes, after one of `size` took `seconds` or did not go through."""
    if not went_through or seconds > 4 * GOOD_SECONDS:
        return max(LEAST_PIECE, size // 2)
    if seconds >= GOOD_SECONDS:
        return size
    growth = 8 if seconds < GOOD_SECONDS / 8 else 2
    return min(MOST_PIECE, size * growth)


def wait_after(failures: int, chance: float) -> float:
    """Seconds to wait after so many failed rounds in a row; `chance` from 0 to 1 spreads many tablets apart."""
    if failures == 0:
        return IDLE_WAIT * (0.8 + 0.4 * chance)
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (min(failures, 12) - 1))
    return longest * (0.5 + 0.5 * chance)


def read_timeout(size: int) -> float:
    """Seconds a request of `size` bytes may take: half as long again as at 50 kB/s, never under 25."""
    return max(25.0, 1.5 * size / 50_000)
