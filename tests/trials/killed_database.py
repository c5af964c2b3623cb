"""PostgreSQL itself is killed while tablets push: kill -9, its own immediate stop, or one of its processes.

A server of its own; a commit is answered when it is written. It recovers from its log, the office goes on running, and
the tablets try again until all is delivered. What a signed receipt had named before is in the ledger afterwards, once.
"""

from __future__ import annotations

import atexit
import signal
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from random import Random

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from server.errors import away
from server.ledger.tables import FrameRow
from server.ledger.verify import verify
from server.office import new_subject
from shared.ledger.messages import read_reply
from tests.network.offices import Direct, Scene, answers, record_of, scene
from tests.postgres import Cluster
from tests.trials.trial import Ground, Trial

TABLETS = 4
FRAMES = 8
PATIENCE = 300.0
"""Seconds until all must be delivered; it takes a few."""
Place = tuple[str, str, int, str]


@dataclass
class Known:
    """What the tablets know, outside the system."""

    sent: set[Place] = field(default_factory=set)
    acknowledged: set[Place] = field(default_factory=set)
    refused: int = 0
    wrong: list[BaseException] = field(default_factory=list)
    due: threading.Event = field(default_factory=threading.Event)
    kill_after: int = 0


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
    known = Known(kill_after=chance.randint(1, TABLETS * (FRAMES - 2)))
    threads = [
        threading.Thread(target=_work, args=(on, known, tablet, chance.getrandbits(32))) for tablet in on.tablets
    ]
    for thread in threads:
        thread.start()
    assert known.due.wait(PATIENCE), "the tablets never got so far"
    before = {*known.acknowledged}
    how = chance.choice((signal.SIGKILL, signal.SIGQUIT, None))
    if how is None:
        cluster.kill_a_backend()
    else:
        cluster.kill(how)
        before |= known.acknowledged
        cluster.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not known.wrong, known.wrong
    _check(on, known, before)
    on.close()
    cluster.drop(on.world.office.database.url)


def _work(on: Scene, known: Known, tablet: Direct, seed: int) -> None:
    chance, until = Random(seed), time.monotonic() + PATIENCE
    record = new_subject(on.world.now)
    try:
        for number in range(FRAMES):
            frame = record_of(tablet, on.visits[0], record) if number == 0 else tablet.write(
                record, *answers(chance.randint(1, 5), 10 * number)
            )  # fmt: skip
            place = (tablet.id, record, frame.header.first, frame.ids()[-1].hex())
            known.sent.add(place)
            body = tablet.request(frame)
            while place not in known.acknowledged:
                assert time.monotonic() < until, f"{tablet.id}: not delivered"
                _try(on, known, tablet, body, place)
    except BaseException as error:
        known.wrong.append(error)
        known.due.set()


def _try(on: Scene, known: Known, tablet: Direct, body: bytes, place: Place) -> None:
    on.world.clock.pass_(seconds=2)
    try:
        answer = tablet.said(body)
    except (SQLAlchemyError, *away()) as error:
        assert isinstance(error, away()), f"not a word that it cannot just now: {error!r}"
        known.refused += 1
        threading.Event().wait(0.02)
        return
    reply = read_reply(answer, bytes.fromhex(on.world.office.keys.sign_key))
    tablet.nonce = reply.page.next_nonce
    assert {each.status for each in reply.receipt.frames} <= {"accepted", "already"}, reply.receipt.frames
    known.acknowledged.add(place)
    if len(known.acknowledged) >= known.kill_after:
        known.due.set()


def _check(on: Scene, known: Known, before: set[Place]) -> None:
    devices = {tablet.id for tablet in on.tablets}
    subjects = {place[1] for place in known.sent}
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
    assert len(rows) == len({*rows}) == len(known.sent)
    assert {*rows} == known.sent == known.acknowledged


TRIAL = Trial(
    "killed_database",
    traps=("B.17", "B.27", "I1"),
    says="PostgreSQL killed under pushes recovers by itself: nothing acknowledged is lost, all is delivered, once.",
    per_commit=1,
    release=50,
    run=run,
)
