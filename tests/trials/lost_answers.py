"""Half of all answers are lost, a third of all requests come twice, some come late: all is there exactly once."""

from __future__ import annotations

from random import Random

from tests.network.group import at_work
from tests.trials.trial import Ground, Trial

BATCHES = 25
LOST, DOUBLED, LATE = 0.5, 0.3, 0.1


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a save is missing or stands twice, or a tablet is taken for a twin."""
    chance = Random(seed)
    with at_work(ground.folder, ("leader", "other")) as group:
        for _ in range(BATCHES):
            tablet = chance.choice(group.tablets)
            for _ in range(chance.randint(1, 7)):
                group.answer(tablet)
            if chance.random() < DOUBLED:
                tablet.line.fail("duplicate")
            elif chance.random() < LATE:
                tablet.line.fail("delay")
            if chance.random() < LOST:
                tablet.line.fail("drop_response")
            group.world.clock.pass_(seconds=40)
            tablet.sync()
            if chance.random() < 0.3:
                tablet.line.deliver_late()
            tablet.line.faults.clear()
        group.settle()
        group.check()


TRIAL = Trial(
    "lost_answers",
    traps=("B.4",),
    says="With half of all answers lost and a third of all requests doubled each save is there exactly once.",
    per_commit=5,
    release=100,
    run=run,
)
