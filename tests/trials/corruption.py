"""Damaged bytes on a tablet: one flipped, a torn tail, a zeroed page; in database, log, copy or a file of a photo.

All operations outside the damaged record are recovered, the tablet never starts empty, and it says what it found.
With both files damaged it keeps what can be read or says that it cannot begin, and everything can be taken out raw.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.yard import the_yard
from tests.trials.trial import Ground, Trial

PAGE = 4096
WHERE = ("store.db", "store.db-wal", "copy", "media", "both")
HOW = ("flip", "tear", "zero")


def run(seed: int, ground: Ground) -> None:
    chance, yard = random.Random(seed), the_yard()
    place = ground.folder / "world"
    yard.run("tablet_acts:begun", folder=place).well()
    where, how = WHERE[seed % len(WHERE)], chance.choice(HOW)
    made = yard.run("damage_acts:filled", folder=place, count=chance.randint(20, 60), folds_in=where != "store.db-wal")
    assert made.ended == "done", made.error
    leader = place / "leader"
    files = {"media": sorted((leader / "media").iterdir())[:1], "both": [leader / "store.db", leader / "copy"]}
    for path in files.get(where, [leader / where]):
        damage(path, how, chance)
    looked = yard.run("damage_acts:recovers", folder=place, own=made.result["own"], where=where)
    assert looked.ended == "done", f"{where}, {how}: {looked.error}"


def damage(path: Path, how: str, chance: random.Random) -> None:
    """Breaks a file in one of three ways, at a place drawn."""
    data = bytearray(path.read_bytes())
    if how == "flip":
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif how == "tear":
        del data[chance.randrange(len(data) // 2, len(data)) :]
    else:
        at = chance.randrange(max(1, len(data) // PAGE)) * PAGE
        data[at : at + PAGE] = bytes(len(data[at : at + PAGE]))
    path.write_bytes(data)


TRIAL = Trial(
    "corruption",
    traps=("B.20", "R11"),
    says="A damaged byte costs at most its own record, and never a tablet that starts empty.",
    per_commit=20,
    release=900,
    run=run,
)
