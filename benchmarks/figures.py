"""One figure of a benchmark and what it is held against.

A floor with a `must` in the same unit may fail a run only when it is a ratio or a number of bytes: absolute times are
shown with the machine they were taken on. Source: SETTLED decision 71.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured value. `less` says which side of `must` is the good one; None: nothing to hold it against."""

    name: str
    value: float
    unit: str
    must: float | None = None
    less: bool = True
    note: str = ""

    @property
    def is_short(self) -> bool:
        """Whether the floor is missed."""
        if self.must is None:
            return False
        return self.value > self.must if self.less else self.value < self.must

    @property
    def may_fail(self) -> bool:
        """Whether missing it is a defect on any machine: ratios and bytes, not times."""
        return self.unit in ("x", "kB", "B")

    def line(self) -> str:
        """One line for a terminal."""
        floor = "" if self.must is None else f"{'≤' if self.less else '≥'} {self.must:g} {self.unit}"
        word = "" if self.must is None else ("SHORT" if self.is_short else "ok")
        return f"{self.name:58s} {self.value:10.3g} {self.unit:5s} {floor:14s} {word:6s}{self.note}"


def median_ms(work: Callable[[], object], seconds: float = 0.4, least: int = 5) -> float:
    """Median of milliseconds of one call, over at least `least` calls and about `seconds`."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def median_of_three(work: Callable[[], float]) -> float:
    """The median of three rounds of a measurement that times itself."""
    return statistics.median(work() for _ in range(3))
