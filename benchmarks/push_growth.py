"""What a push costs when ten thousand visits are stored, against a hundred.

Two offices on SQLite, ledger and every projected table filled through the exchange itself; pushed to one by one over
HTTP, in turns, each turn against the floor taken beside it. Source: PERFORMANCE section 3, SETTLED decisions 22, 27.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from benchmarks import limits
from benchmarks.clients import push_all
from benchmarks.figures import Figure
from benchmarks.ground import Ground
from benchmarks.push_load import seconds_until_projected, served

FEW, MANY = 100, 10_000
TURNS = 5
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


def filled(folder: Path, visits: int) -> Ground:
    """An office with so many visits stored, all of it on the disk."""
    folder.mkdir()
    ground = Ground(folder)
    ground.fill(visits)
    os.sync()
    return ground


def figures() -> list[Figure]:
    """The cost of a push with many visits stored as a multiple of that with few, each against the floor beside it."""
    with tempfile.TemporaryDirectory(prefix="qorgan-growth-") as folder:
        few, many = filled(Path(folder) / "few", FEW), filled(Path(folder) / "many", MANY)
        turns = [(single_ms(few), single_ms(many)) for _ in range(TURNS)]
        for ground in (few, many):
            ground.office.database.engine.dispose()
    ratios = [(late / beside) / (early / floor) for (early, floor), (late, beside) in turns]
    told = "; ".join(
        f"{late:.2f} ms (floor {beside:.2f}) against {early:.2f} (floor {floor:.2f})"
        for (early, floor), (late, beside) in turns
    )
    name = "a push with 10,000 visits stored, against 100"
    return [Figure(name, statistics.median(ratios), "x", 1.2, note=f"in turns: {told}", aim=1.05)]


if __name__ == "__main__":
    for figure in figures():
        print(figure.line(), figure.note, sep="\t")
