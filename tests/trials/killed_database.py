"""PostgreSQL itself is killed while tablets push: kill -9, its own immediate stop, or one of its processes.

A server of its own; a commit is answered when it is written. It recovers from its log, the office goes on running, and
the tablets try again until all is delivered. What a signed receipt had named before is in the ledger afterwards, once.
"""

from __future__ import annotations

import atexit
import signal
from functools import cache
from random import Random

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from server.errors import away
from server.ledger.tables import FrameRow
from server.ledger.verify import verify
from tests.network.delivering import FRAMES, Delivery, Place
from tests.network.offices import Scene, scene
from tests.postgres import Cluster
from tests.server.conftest import Tablet
from tests.trials.trial import Ground, Trial

TABLETS = 4


@cache
def _own() -> Cluster:
    """A server nobody else uses, with PostgreSQL's own settings but one: a kill does not empty the system's cache, so
    that fsync would prove nothing here and cost seconds of every recovery."""
    cluster = Cluster(settings=("fsync=off",))
    atexit.register(cluster.stop)
    return cluster


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when something acknowledged is missing, is there twice, or cannot be delivered."""
    chance, cluster = Random(seed), _own()
    own = Ground(ground.folder, lambda: cluster)
    on = scene(own, "postgresql", members=TABLETS, visits=3)
    sign_key = bytes.fromhex(on.world.office.keys.sign_key)
    delivery = Delivery(lambda *each: _said(on, *each), sign_key, chance.randint(1, TABLETS * (FRAMES - 2)))
    delivery.begin([(tablet, on.visits[0]) for tablet in on.tablets], chance)
    before = {*delivery.acknowledged}
    how = chance.choice((signal.SIGKILL, signal.SIGQUIT, None))
    if how is None:
        cluster.kill_a_backend()
    else:
        cluster.kill(how)
        before |= delivery.acknowledged
        cluster.start()
    delivery.end()
    _check(on, delivery, before)
    on.close()
    cluster.drop(on.world.office.database.url)


def _said(on: Scene, tablet: Tablet, body: bytes, chance: Random) -> bytes | None:
    on.world.clock.pass_(seconds=2)
    try:
        return tablet.said(body)
    except (SQLAlchemyError, *away()) as error:
        assert isinstance(error, away()), f"not a word that it cannot just now: {error!r}"
        return None


def _check(on: Scene, delivery: Delivery, before: set[Place]) -> None:
    devices = {tablet.id for tablet in on.tablets}
    subjects = {place[1] for place in delivery.sent}
    with on.world.office.database.read() as session:
        found = verify(session)
        assert found.is_whole, found.wrong
        rows = [
            (row.device, row.subject, row.first, row.last_id)
            for row in session.exec(select(FrameRow))
            if row.device in devices and row.subject in subjects
        ]
    lost = before - {*rows}
    assert not lost, f"{len(lost)} acknowledged frames were lost with the database's process"
    assert len(rows) == len({*rows}) == len(delivery.sent)
    assert {*rows} == delivery.sent == delivery.acknowledged


TRIAL = Trial(
    "killed_database",
    traps=("B.17", "B.27", "I1"),
    says="PostgreSQL killed under pushes recovers by itself: nothing acknowledged is lost, all is delivered, once.",
    per_commit=1,
    release=50,
    run=run,
)
