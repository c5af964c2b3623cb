"""Anything may go wrong for a while; when the last fault is over every queue is empty within five rounds."""

from __future__ import annotations

from random import Random
from typing import get_args

from tests.ground import Tablet
from tests.ground.line import Kind
from tests.network.group import Group, at_work
from tests.trials.trial import Ground, Trial

STEPS = 10


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when something still waits, or the tablet shows a trouble that is over."""
    chance = Random(seed)
    with at_work(ground.folder, ("leader", "other")) as group:
        for _ in range(STEPS):
            tablet = chance.choice(group.tablets)
            for _ in range(chance.randint(0, 3)):
                group.answer(tablet)
            _disturb(chance, tablet)
            group.world.clock.pass_(seconds=chance.choice((1, 40, 4_000)))
            tablet.sync()
            if chance.random() < 0.15:
                tablet.abandon()
            if chance.random() < 0.1:
                group.world.restart_office()
        for tablet in group.tablets:
            tablet.line.heal()
        _drains(group)
        group.settle(rounds=1)
        group.check()
        for tablet in group.tablets:
            assert tablet.worker.progress.trouble == "", (tablet.name, tablet.worker.progress)


def _disturb(chance: Random, tablet: Tablet) -> None:
    """A handful of faults for the next requests, or no line at all."""
    tablet.line.faults.clear()
    tablet.line.online = chance.random() > 0.15
    for _ in range(chance.randint(0, 4)):
        tablet.line.fail(chance.choice(get_args(Kind)), at=chance.random(), times=chance.randint(1, 2))
    if chance.random() < 0.2:
        tablet.line.deliver_late()


def _drains(group: Group) -> None:
    """Each queue by itself: nobody helps another."""
    for tablet in group.tablets:
        rounds = 0
        while tablet.store.unsent() or rounds == 0:
            assert rounds < 5, f"{tablet.name}: {tablet.store.unsent()} still wait after five rounds"
            group.world.clock.pass_(seconds=40)
            tablet.sync()
            rounds += 1


TRIAL = Trial(
    "stuck_queue",
    traps=("B.15",),
    says="When the last fault is over every queue is empty within five rounds.",
    per_commit=20,
    release=2_000,
    run=run,
)
