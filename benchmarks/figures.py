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
    """A measured value and what it is held against. `less` says which side of `must` and `aim` is the good one.

    name   unique in its benchmark: what was measured, in words
    unit   "x" for a ratio of one run; kB, B, MB; ms and s, which depend on the machine
    must   missing it fails the run where the unit may; None: nothing to hold it against
    aim    where it should go; missing it never fails
    """

    name: str
    value: float
    unit: str
    must: float | None = None
    less: bool = True
    note: str = ""
    aim: float | None = None

    @property
    def is_short(self) -> bool:
        """Whether the floor is missed."""
        if self.must is None:
            return False
        return self.value > self.must if self.less else self.value < self.must

    @property
    def may_fail(self) -> bool:
        """Whether missing it is a defect on any machine: ratios, bytes and memory, not times."""
        return self.unit in ("x", "kB", "B", "MB")

    def bound(self, value: float | None) -> str:
        """A floor in words: "≤ 4 x"; "-" where there is none."""
        return "-" if value is None else f"{'≤' if self.less else '≥'} {value:g} {self.unit}"

    def line(self) -> str:
        """One row for a terminal or a program: name, figure, must, aim, ok or short, with tabs between."""
        figure = f"{self.value:.3g}" if self.value < 100 else f"{self.value:.0f}"
        word = "short" if self.is_short else "ok"
        return "\t".join(
            (self.name.strip(), f"{figure} {self.unit}", self.bound(self.must), self.bound(self.aim), word)
        )


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
