"""When the screen goes blank and when the tablet locks by itself. Pure: seconds come in from a clock that only rises.

Source: SETTLED decision 38: blank after 30 s, lock after 2 min (1 to 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BLANK_SECONDS = 30.0
Due = Literal["", "blank", "lock"]


@dataclass
class Idle:
    """Since when nobody touched anything."""

    touched_at: float
    lock_minutes: int = 2

    def touched(self, seconds: float) -> None:
        """A touch or a key."""
        self.touched_at = seconds

    def due(self, seconds: float) -> Due:
        """What is to happen now; asked about once a second."""
        idle = seconds - self.touched_at
        if idle >= 60 * self.lock_minutes:
            return "lock"
        return "blank" if idle >= BLANK_SECONDS else ""
