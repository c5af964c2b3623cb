"""A new tablet pulls ten thousand operations and is killed at every page: what it has it keeps.

One tablet pulls without a fault. Another is killed each time a page was kept, so that every page is asked for by
another process: it costs the same bytes to a twentieth. And once it is killed with a page in hand and not kept yet:
that page, and no other, comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

from field_app.store import incoming
from server.ledger import queries
from shared.ledger.frame import FRAME_LINES
from shared.observations.answers import AnswerRecorded
from tests.ground import Tablet
from tests.network.group import Group, at_work
from tests.trials.trial import Ground, Trial

OPERATIONS = 10_000
PAGE = 50_000
"""Bytes of a page here: frames of five hundred answers come one or two at a time."""


class Killed(BaseException):
    """The process is gone."""


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when kills cost more bytes than that, or an operation lacks in the end."""
    chance = Random(seed)
    with at_work(ground.folder) as group, _pages_of(PAGE):
        _written(group)
        whole, killed = group.world.tablets["other"], group.world.tablets["third"]
        before = whole.line.came
        assert whole.sync().trouble == ""
        cost = whole.line.came - before
        pages, twice, cost_killed = _pulled_under_kills(chance, killed)
        assert pages >= 15, f"only {pages} pages: the trial says little"
        assert cost_killed - twice <= 1.05 * cost, f"{cost_killed} with kills, {twice} twice, {cost} without"
        for tablet in (whole, killed):
            held = tablet.store.operations(group.record)
            assert sum(each.kind == "answer_recorded" for each in held) == OPERATIONS, tablet.name
            assert not tablet.store.meta.differs


def _written(group: Group) -> None:
    """All of them in the ledger, from a tablet that was away for long."""
    tablet = group.world.tablets["leader"]
    for at in range(0, OPERATIONS, FRAME_LINES):
        bodies = [AnswerRecorded(item=f"/mc/q{number}", value=number) for number in range(at, at + FRAME_LINES)]
        tablet.store.save(group.record, *bodies, now=tablet.clock())
        group.world.clock.pass_(seconds=40)
        assert tablet.sync().trouble == ""


def _pulled_under_kills(chance: Random, tablet: Tablet) -> tuple[int, int, int]:
    """Pages kept, bytes that came and were lost with the process, bytes that came in all."""
    before, pages, twice = tablet.line.came, 0, 0
    lost_at = chance.randint(2, 15)
    while True:
        came = tablet.line.came
        try:
            with _killed(keeps=pages != lost_at or twice > 0):
                tablet.sync()
                raise AssertionError("a round ended without an answer")
        except Killed as killed:
            more = bool(killed.args[0])
        tablet.abandon()
        if pages == lost_at and not twice:
            twice = tablet.line.came - came
            continue
        pages += 1
        if not more:
            return pages, twice, tablet.line.came - before


@contextmanager
def _killed(keeps: bool) -> Iterator[None]:
    """The process dies at its first reply: after it was kept, or before."""
    real = incoming.apply_reply

    def dies(store: Any, reply: Any, *rest: Any, **more: Any) -> None:
        if keeps:
            real(store, reply, *rest, **more)
        raise Killed(reply.page.more)

    with patch.object(incoming, "apply_reply", dies):
        yield


@contextmanager
def _pages_of(size: int) -> Iterator[None]:
    before = queries.page.__defaults__
    queries.page.__defaults__ = (size,)
    try:
        yield
    finally:
        queries.page.__defaults__ = before


TRIAL = Trial(
    "first_pull",
    traps=("B.25",),
    says="A pull of ten thousand operations killed at every page costs at most a twentieth more bytes.",
    per_commit=1,
    release=40,
    run=run,
)
