"""The stage of the acts: a world in a folder, opened again by each child; what was promised, and how it is looked up.

A world is made once (`begin`) with a visit under way; a child opens a copy of it (`standing`). Only the tablet's
folder, or only the office's, lies under the followed root.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

from field_app.acts import records, visits
from field_app.store import locking
from field_app.store.disk import keep_ballast
from field_app.store.store import Store
from shared.values import SubjectId
from tests.ground import World
from tests.ground.clock import Clock, Skewed
from tests.ground.founding import INSTITUTION, copy_tree, founded, port_of
from tests.ground.line import Line, laid
from tests.ground.tablet import Tablet
from tests.ground.world import MEMBERS, _database

BALLAST = 256 * 1024


@contextmanager
def standing(folder: Path, tablets: tuple[str, ...] = MEMBERS) -> Iterator[World]:
    """The world that lies in the folder: `office` and the tablets named."""
    made = founded()
    clock = Clock()
    data = folder / "office"
    config = replace(made.office.config, data=data, database=f"sqlite:///{data / 'office.db'}")
    office = replace(made.office, config=config, database=_database(config.database, made))
    world = World(folder, clock, office, dict(made.people), made.keyholders, made.visit, {}, made)
    for name in tablets:
        line = Line(world.application)
        world.tablets[name] = Tablet(name, folder / name, made.people[name], made.devices[name], line, Skewed(clock))
    world._stack.enter_context(laid({port_of(name): each.line for name, each in world.tablets.items()}))
    world._stack.enter_context(patch.object(locking, "keep_ballast", partial(keep_ballast, size=BALLAST)))
    try:
        yield world
    finally:
        world.close()


def begin(folder: Path) -> None:
    """A world in the folder: the visit started by the leader, both others in step, everything closed in good order."""
    with World.open(folder) as world:
        leader = world.tablets["leader"]
        visits.start(leader.store, world.visit, INSTITUTION, leader.clock())
        record = leader.record(world.visit)
        for number in range(5):
            records.answer(leader.store, record, f"/mc/q{number}", number, leader.clock())
        for _ in range(2):
            for tablet in world.tablets.values():
                assert tablet.sync().trouble == ""
        for tablet in world.tablets.values():
            tablet.close()
    for name in MEMBERS:
        for left in ("ballast", "owner"):
            (folder / name / left).unlink(missing_ok=True)
    fold_in(folder / "office")


def fold_in(office: Path) -> None:
    """The office's log is folded into its database, so that one file holds all."""
    import sqlite3

    connection = sqlite3.connect(office / "office.db")
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    for left in ("office.db-wal", "office.db-shm"):
        (office / left).unlink(missing_ok=True)


def copied(world: Path, target: Path) -> Path:
    """A copy of a world, or of a part of it, to break."""
    copy_tree(world, target)
    return target


def placed(source: Path, target: Path) -> None:
    """A folder takes another's place."""
    shutil.rmtree(target, ignore_errors=True)
    source.rename(target)


def own_ids(store: Store) -> dict[SubjectId, list[str]]:
    """Ids of this tablet's own operations by subject, in chain order."""
    device = store.identity.device
    return {
        subject: list(held.chains[device])
        for subject, held in store._o.book.subjects.items()
        if held.chains.get(device)
    }
