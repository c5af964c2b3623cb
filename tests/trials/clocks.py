"""Tablets whose clocks say anything from 1970 to 2099, and jump back: nothing is lost, order stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from tests.ground import Tablet
from tests.network.group import Group, at_work
from tests.trials.trial import Ground, Trial

ACTS = 5


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a save is lost, or stands before one its author had seen."""
    chance = Random(seed)
    with at_work(ground.folder, ("leader", "other")) as group:
        known: dict[str, set[int]] = {tablet.name: set() for tablet in group.tablets}
        seen_by: dict[int, set[int]] = {}
        said: dict[int, str] = {}
        for _ in range(ACTS):
            tablet = chance.choice(group.tablets)
            _turn(chance, tablet)
            for _ in range(chance.randint(1, 3)):
                seen_by_author = {*known[tablet.name]}
                value = group.answer(tablet, f"/mc/q{chance.randint(1, 3)}")
                seen_by[value], said[value] = seen_by_author, tablet.clock().isoformat(timespec="seconds")
                known[tablet.name].add(value)
            if chance.random() < 0.6:
                group.world.clock.pass_(seconds=40)
                done = tablet.sync()
                assert done.trouble == "", f"a clock of {tablet.clock()}: {done}"
                known[tablet.name] |= {*group.values(tablet.store.operations(group.record))}
        group.settle()
        group.check()
        _stands_after(group, seen_by)
        _claims_stand(group, said)


def _turn(chance: Random, tablet: Tablet) -> None:
    """The clock is set to any moment, or back, or left alone."""
    which = chance.random()
    if which < 0.5:
        tablet.clock.set_to(datetime(1970, 1, 2, tzinfo=UTC) + timedelta(days=chance.uniform(0, 47_000)))
    elif which < 0.8:
        tablet.clock.error -= timedelta(seconds=chance.uniform(1, 10 ** chance.randint(1, 8)))


def _stands_after(group: Group, seen_by: dict[int, set[int]]) -> None:
    """On every copy an answer stands behind each its author had seen, and the order is the same."""
    orders = []
    for operations in (group.history(), *(tablet.store.operations(group.record) for tablet in group.tablets)):
        order = [each.body.value for each in operations if each.kind == "answer_recorded"]  # type: ignore[attr-defined]
        place = {value: at for at, value in enumerate(order)}
        for value, before in seen_by.items():
            late = [each for each in before if place[each] > place[value]]
            assert not late, f"{value} stands before {late}, which its author had seen"
        orders.append(order)
    assert all(one == other for one, other in pairwise(orders)), "two copies order differently"


def _claims_stand(group: Group, said: dict[int, str]) -> None:
    """What the tablet believed is kept as it was said, to the second."""
    for each in group.history():
        if each.kind == "answer_recorded":  # type: ignore[attr-defined]
            claim = datetime.fromisoformat(each.at)  # type: ignore[attr-defined]
            assert claim == datetime.fromisoformat(said[each.body.value]), each  # type: ignore[attr-defined]


TRIAL = Trial(
    "clocks",
    traps=("B.3", "R7"),
    says="With clocks from 1970 to 2099 that jump back nothing is lost and nothing stands before what it followed.",
    per_commit=60,
    release=1_000,
    run=run,
)
