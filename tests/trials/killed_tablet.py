"""A tablet's process killed with SIGKILL at random moments while it records: nothing acknowledged is ever missing.

Each seed is one life of four kills on one folder, a real process and real files; at its end everything goes to the
office. `tests/faults/test_tablet.py` kills at every write point in turn.
"""

from __future__ import annotations

import json
import random
from typing import Any

from tests.faults.yard import the_yard
from tests.trials.trial import Ground, Trial

KILLS = 4


def run(seed: int, ground: Ground) -> None:
    chance, yard = random.Random(seed), the_yard()
    place = ground.folder / "world"
    yard.run("tablet_acts:begun", folder=place).well()
    promised: list[dict[str, Any]] = []
    for kill in range(KILLS):
        ran = yard.run(
            "tablet_acts:recording", root=place / "leader", folder=place, first=kill * 1000,
            kill_at_mark=chance.randint(1, 14), kill_after=chance.uniform(0, 0.02),
        )  # fmt: skip
        assert ran.ended == "killed", ran.error
        assert ran.marks
        promised += [json.loads(mark) for mark in ran.marks]
        last = kill == KILLS - 1
        looked = yard.run("tablet_acts:holds", folder=place, promised=promised, send=last)
        assert looked.ended == "done", f"kill {kill + 1}: {looked.error}"


TRIAL = Trial(
    "killed_tablet",
    traps=("B.17", "R2"),
    says="A tablet killed at any moment keeps everything it called saved, and brings it to the office once.",
    per_commit=50,
    release=250,
    run=run,
)
