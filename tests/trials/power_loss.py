"""The power goes at any moment of a tablet's or the office's work; of what was not waited for any part may be kept.

Each seed runs one act behind the shim and tries ten of the images its disk may hold, at moments and with parts drawn by
the seed. `tests/faults` goes through every moment of each act once.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.faults.disk import cuts, lay, read_log
from tests.faults.yard import the_yard
from tests.ground.founding import copy_tree
from tests.trials.trial import Ground, Trial

ACTS = ("tablet_acts:answers", "tablet_acts:interview", "tablet_acts:opening", "office_acts:push")
IMAGES = 10
ANY = (("none", "none"), ("none", "some"), ("some", "none"), ("some", "some"), ("some", "all"), ("all", "some"))


def run(seed: int, ground: Ground) -> None:
    chance, yard = random.Random(seed), the_yard()
    base, place, log = ground.folder / "base", ground.folder / "run", ground.folder / "log"
    yard.run("tablet_acts:begun", folder=base).well()
    act = chance.choice(ACTS)
    part, other = ("office", "leader") if act.startswith("office") else ("leader", "office")
    copy_tree(base, place)
    ran = yard.run(act, root=place / part, log=log, folder=place)
    assert ran.ended == "done", ran.error
    found = list(cuts(base / part, place / part, read_log(log), ANY, seed))
    for number, cut in enumerate(chance.sample(found, min(IMAGES, len(found)))):
        dark: Path = ground.folder / f"dark-{number}"
        copy_tree(base / other, dark / other)
        lay(cut.image, dark / part)
        said = [json.loads(mark) for mark in cut.promised]
        looked = yard.run(f"{act.split(':')[0]}:holds", folder=dark, promised=said, send=False)
        assert looked.ended == "done", f"{act}, behind call {cut.at}, kept {cut.outcome}: {looked.error}"


TRIAL = Trial(
    "power_loss",
    traps=("B.18", "R4"),
    says="Without power nothing acknowledged is lost, whatever part of the unsynced writes a disk kept.",
    per_commit=6,
    release=400,
    run=run,
)
