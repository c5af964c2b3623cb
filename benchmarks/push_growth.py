"""What a push costs when ten thousand visits are stored, against a hundred.

Pushed one by one over HTTP to a running office on SQLite, before and after the ledger and every projected table were
filled through the exchange itself. Source: PERFORMANCE section 3, SETTLED decisions 22, 27.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks import limits
from benchmarks.clients import push_all
from benchmarks.figures import Figure
from benchmarks.ground import Ground
from benchmarks.push_load import seconds_until_projected, served

FEW, MANY = 100, 10_000
SINGLES = 72
WARM = 24


def single_ms(ground: Ground) -> tuple[float, float]:
    """Median milliseconds of a push alone, and of the floor taken beside it."""
    with served(ground) as (port, _):
        push_all(port, ground.requests(WARM), clients=1)
        requests = ground.requests(SINGLES)
        seconds_until_projected(ground)
        before = limits.accept_ms()
        burst = push_all(port, requests, clients=1)
        floor = (before + limits.accept_ms()) / 2
        ground.check(burst.answers)
        seconds_until_projected(ground)
    return statistics.median(burst.waits), floor


def figures() -> list[Figure]:
    """The cost of a push with many visits stored as a multiple of that with few, each against the floor beside it."""
    with tempfile.TemporaryDirectory(prefix="qorgan-growth-") as folder:
        ground = Ground(Path(folder))
        ground.fill(FEW)
        few, few_floor = single_ms(ground)
        ground.fill(MANY - FEW)
        many, many_floor = single_ms(ground)
        ground.office.database.engine.dispose()
    ratio = (many / many_floor) / (few / few_floor)
    note = f"{many:.2f} ms (floor {many_floor:.2f}) against {few:.2f} ms (floor {few_floor:.2f})"
    return [Figure("a push with 10,000 visits stored, against 100", ratio, "x", 1.2, note=note, aim=1.05)]


if __name__ == "__main__":
    for figure in figures():
        print(figure.line(), figure.note, sep="\t")
