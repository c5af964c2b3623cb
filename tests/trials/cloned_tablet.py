"""The folder of a tablet is copied at a random moment and both go on: both histories reach the office, the fork is
flagged, and after two people decided, everybody reads both."""

from __future__ import annotations

import shutil
from random import Random

from tests.ground import Tablet, World
from tests.network.quarantined import (
    at_office,
    begin,
    check_ledger,
    folded,
    let_read,
    own_ids,
    stopped,
    take_all_in,
    write,
)
from tests.trials.trial import Ground, Trial


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a branch is missing, the twin is not flagged, or copies differ at the end."""
    chance = Random(seed)
    with World.open(ground.folder / "world", tablets=("leader", "other")) as world:
        leader, other = world.tablets["leader"], world.tablets["other"]
        record = begin(world, "leader", "other")
        for _ in range(chance.randrange(4)):
            write(chance, other, record, chance.randint(1, 3))
            if chance.random() < 0.6:
                other.sync()
        twin = _copied(ground, other)
        for each in chance.sample((other, twin), 2):
            write(chance, each, record, chance.randint(1, 4))
        for _ in range(chance.randint(2, 5)):
            each = chance.choice((other, twin, leader))
            if chance.random() < 0.7:
                write(chance, each, record, chance.randint(1, 3))
            each.sync()
            world.clock.pass_(minutes=chance.randint(1, 30))
        for each in chance.sample((other, twin), 2) * 2:
            each.sync()
        saved = own_ids(other) | own_ids(twin)
        ledger, kept = at_office(world)
        assert saved <= ledger | kept, f"{len(saved - ledger - kept)} operations did not reach the office"
        assert kept, "two histories, and nothing was kept aside"
        assert stopped(world, other), "the fork was not flagged"
        assert own_ids(other) - own_ids(twin)
        assert own_ids(twin) - own_ids(other)
        assert "twin" in (other.store.meta.stopped, twin.store.meta.stopped) or "fork" in (
            other.store.meta.stopped, twin.store.meta.stopped,
        )  # fmt: skip
        assert take_all_in(chance, world) > 0
        ledger, kept = at_office(world)
        assert saved <= ledger
        assert not kept
        _check_readable(world, leader, record)
        for each in (other, twin):
            each.sync()
            assert each.store.unsent() == 0, "a tablet did not learn that its branch was taken in"
        let_read(world, other)
        twin.close()
        assert other.sync().trouble == "", "the tablet that stayed reads again"
        check_ledger(world)
        twin.abandon()


def _copied(ground: Ground, tablet: Tablet) -> Tablet:
    """A second tablet on a copy of the folder, with the same keystore."""
    tablet.close()
    folder = ground.folder / "twin"
    shutil.copytree(tablet.folder, folder)
    return Tablet("twin", folder, tablet.person, tablet.device, tablet.line, tablet.clock, tablet.keystore)


def _check_readable(world: World, leader: Tablet, record: str) -> None:
    """Office and colleague fold the same: every value of both histories."""
    for _ in range(2):
        assert leader.sync().trouble == ""
    office = world.state(record)  # type: ignore[arg-type]
    assert folded(office) == folded(leader.store.state(record)), "office and tablet read different histories"  # type: ignore[arg-type]
    assert not leader.store.meta.differs
    assert not [alarm for alarm in leader.store.alarms() if alarm.code in ("bad_seal", "differs")]


TRIAL = Trial(
    "cloned_tablet",
    traps=("B.10", "R9"),
    says="Of a tablet copied at a random moment both histories are kept, flagged, and readable once two decided.",
    per_commit=20,
    release=200,
    run=run,
)
