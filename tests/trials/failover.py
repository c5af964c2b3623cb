"""The primary database dies while twenty tablets push through two servers; the replica takes over; nothing is lost.

Real processes: PostgreSQL with a synchronous replica, two servers of the office with one address that names both
databases. Tablets take either server at each try. What a signed receipt had acknowledged is in the ledger
of the replica; in the end every tablet has delivered everything, each operation once; no server is started again.
"""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from sqlmodel import select

from field_app.sync import client
from server.app import create_app
from server.ledger import queries
from server.ledger.tables import FrameRow
from server.ledger.verify import verify
from server.migrations import migrate
from server.office import new_subject
from shared.accounts import Role
from shared.ledger.messages import read_reply
from tests.failover.pair import Pair
from tests.network.offices import answers, record_of
from tests.network.serving import Serving
from tests.server.conftest import Clock, Tablet, World, an_office, found
from tests.trials.trial import Ground, Trial

TABLETS = 20
FRAMES = 8
PATIENCE = 300.0
"""Seconds until all tablets must have delivered; the drill itself takes a few."""


@dataclass
class Drill:
    """What the tablets know, outside the system."""

    servers: list[Serving]
    sent: set[tuple[str, str, int, str]] = field(default_factory=set)
    acknowledged: set[tuple[str, str, int, str]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    wrong: list[BaseException] = field(default_factory=list)
    due: threading.Event = field(default_factory=threading.Event)
    kill_after: int = 0


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when something acknowledged is missing, or a tablet cannot deliver."""
    chance = Random(seed)
    pair = Pair()
    servers: list[Serving] = []
    try:
        world, tablets, records = _founded(pair, ground)
        pair.replicate()
        servers += [Serving(ground.folder, pair.address, world.office.keys) for _ in range(2)]
        for server in servers:
            server.ready()
        drill = Drill(servers, kill_after=chance.randint(1, TABLETS * FRAMES - TABLETS))
        threads = [
            threading.Thread(target=_work, args=(drill, tablet, records[tablet.id], chance.getrandbits(32)))
            for tablet in tablets
        ]
        for thread in threads:
            thread.start()
        assert drill.due.wait(PATIENCE), "the tablets never got so far"
        before = {*drill.acknowledged}
        pair.kill_primary(chance.choice((signal.SIGKILL, signal.SIGQUIT)))
        pair.promote()
        for thread in threads:
            thread.join(PATIENCE)
        assert not drill.wrong, (drill.wrong, servers[0].tail())
        _check(world, drill, before)
    finally:
        for server in servers:
            server.end()
        pair.stop()


def _founded(pair: Pair, ground: Ground) -> tuple[World, list[Tablet], dict[str, str]]:
    migrate(pair.address)
    office, clock = an_office(pair.address, ground.folder), Clock(datetime.now(UTC))
    world = World(office, clock, found(office, clock), create_app(clock=clock, office=office))
    people = [world.person(Role.NPM_MEMBER) for _ in range(TABLETS)]
    tablets = [world.tablet(person) for person in people]
    visits = [world.visit(*people[at : at + 5]) for at in range(0, TABLETS, 5)]
    records = {tablet.id: visits[at // 5] for at, tablet in enumerate(tablets)}
    return world, tablets, records


def _work(drill: Drill, tablet: Tablet, visit: str, seed: int) -> None:
    """Writes and pushes, each frame until a receipt names it; the servers in turn."""
    chance, until = Random(seed), time.monotonic() + PATIENCE
    record = new_subject(tablet.world.now)
    try:
        for number in range(FRAMES):
            frame = record_of(tablet, visit, record) if number == 0 else tablet.write(
                record, *answers(chance.randint(1, 5), 10 * number)
            )  # fmt: skip
            place = (tablet.id, record, frame.header.first, frame.ids()[-1].hex())
            drill.sent.add(place)
            body = tablet.request(frame)
            while place not in drill.acknowledged:
                assert time.monotonic() < until, f"{tablet.id}: not delivered; {drill.refused[-3:]}"
                _try(drill, tablet, body, place, chance.choice(drill.servers))
    except BaseException as error:
        drill.wrong.append(error)
        drill.due.set()


def _try(drill: Drill, tablet: Tablet, body: bytes, place: tuple[str, str, int, str], server: Serving) -> None:
    try:
        answer = client.exchange(client.Office(server.address), body, tablet.secret)
    except client.NoNetwork as error:
        drill.refused.append(str(error))
        threading.Event().wait(0.05)
        return
    reply = read_reply(answer, bytes.fromhex(tablet.world.office.keys.sign_key))
    tablet.nonce = reply.page.next_nonce
    assert {each.status for each in reply.receipt.frames} <= {"accepted", "already"}, reply.receipt.frames
    drill.acknowledged.add(place)
    if len(drill.acknowledged) >= drill.kill_after:
        drill.due.set()


def _check(world: World, drill: Drill, before: set[tuple[str, str, int, str]]) -> None:
    """On the replica that is now the office's database."""
    world.office.database.engine.dispose()
    with world.office.database.read() as session:
        rows = [(row.device, row.subject, row.first, row.last_id) for row in session.exec(select(FrameRow))]
        found = verify(session)
        assert found.is_whole, found.wrong
        assert queries.counter(session).value >= len(rows)
    held = {*rows}
    assert len(held) == len(rows)
    lost = before - held
    assert not lost, f"{len(lost)} acknowledged frames were lost with the primary"
    assert drill.sent == drill.acknowledged, f"{len(drill.sent - drill.acknowledged)} frames were never delivered"
    assert drill.sent <= held
    bad = [each for each in drill.refused if "status 500" in each]
    assert not bad, f"{len(bad)} answers were a fault of the server (500) instead of a word that it cannot just now"


TRIAL = Trial(
    "failover",
    traps=("B.27", "I1"),
    says="The primary dies under pushes of twenty tablets, its replica takes over: nothing acknowledged is lost.",
    per_commit=0,
    release=20,
    run=run,
    on_disk=True,
)
