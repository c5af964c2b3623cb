"""The office's process killed with SIGKILL while a tablet pushes to it over HTTP: 0 lost, 0 double after the retry.

A process of its own answers on a real port and is killed at a write point drawn by the seed; the tablet, another
process, sees a dead line, and tries again once the office is back on its files.
"""

from __future__ import annotations

import random

from tests.faults.yard import KILL, the_yard
from tests.trials.trial import Ground, Trial

POINTS = 150
"""A push with a photo has about so many write points on SQLite; a kill behind the last one hits a serving office."""


def run(seed: int, ground: Ground) -> None:
    chance, yard = random.Random(seed), the_yard()
    place = ground.folder / "world"
    yard.run("tablet_acts:begun", folder=place).well()
    ran = yard.run(
        "office_acts:push_over_http", root=place / "office", folder=place, what=KILL, at=chance.randint(1, POINTS),
        count=chance.randint(1, 40),
    )  # fmt: skip
    assert ran.ended == "done", ran.error


TRIAL = Trial(
    "killed_server",
    traps=("B.4", "B.17", "B.27", "R3"),
    says="An office killed in the midst of a push loses nothing it gave a receipt for, and takes the retry once.",
    per_commit=30,
    release=500,
    run=run,
)
