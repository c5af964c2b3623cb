"""Time that passes only when it is told to, and the wrong clock of a tablet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@dataclass
class Clock:
    """The true time of a world. Calling it gives the moment."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> datetime:
        """Time goes by: `pass_(minutes=5)`."""
        self.now += timedelta(**span)
        return self.now


@dataclass
class Skewed:
    """What a tablet believes the time is: the true one and an error of its own, kept within the years 1970 to 2099."""

    true: Clock
    error: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        believed = self.true.now + self.error
        return min(max(believed, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)), datetime(2099, 12, 31, tzinfo=UTC))

    def set_to(self, moment: datetime) -> None:
        """The tablet's clock is set to this moment and goes on from there."""
        self.error = moment - self.true.now
