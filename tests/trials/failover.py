"""The primary database dies while twenty tablets push through two servers; the replica takes over; nothing is lost.

Real processes: PostgreSQL with a synchronous replica, two servers of the office with one address that names both
databases. Tablets take either server at each try. What a signed receipt had acknowledged is in the ledger
of the replica; in the end every tablet has delivered everything, each operation once; no server is started again.
"""

from __future__ import annotations

import signal
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
from shared.accounts import Role
from tests.failover.pair import Pair
from tests.network.delivering import FRAMES, Delivery, Place
from tests.network.serving import Serving
from tests.server.conftest import Clock, Tablet, World, an_office, found
from tests.trials.trial import Ground, Trial

TABLETS = 20


@dataclass
class Servers:
    """The servers of the office; a tablet takes either at each try. `refused`: what it heard instead of a reply."""

    running: list[Serving] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def say(self, tablet: Tablet, body: bytes, chance: Random) -> bytes | None:
        """One try at one of them."""
        try:
            return client.exchange(client.Office(chance.choice(self.running).address), body, tablet.secret)
        except client.NoNetwork as error:
            self.refused.append(str(error))
            return None


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when something acknowledged is missing, or a tablet cannot deliver."""
    chance = Random(seed)
    pair, servers = Pair(), Servers()
    try:
        world, tablets = _founded(pair, ground)
        pair.replicate()
        for _ in range(2):
            servers.running.append(Serving(ground.folder, pair.address, world.office.keys))
        for server in servers.running:
            server.ready()
        sign_key = bytes.fromhex(world.office.keys.sign_key)
        delivery = Delivery(servers.say, sign_key, chance.randint(1, TABLETS * FRAMES - TABLETS))
        delivery.begin(tablets, chance)
        before = {*delivery.acknowledged}
        pair.kill_primary(chance.choice((signal.SIGKILL, signal.SIGQUIT)))
        pair.promote()
        delivery.end(servers.running[0].tail)
        _check(world, delivery, before)
        bad = [each for each in servers.refused if "status 500" in each]
        assert not bad, f"{len(bad)} answers were a fault of the server (500) instead of a word that it cannot just now"
    finally:
        for server in servers.running:
            server.end()
        pair.stop()


def _founded(pair: Pair, ground: Ground) -> tuple[World, list[tuple[Tablet, str]]]:
    """The office, and twenty tablets, each with a visit of its group of five."""
    migrate(pair.address)
    office, clock = an_office(pair.address, ground.folder), Clock(datetime.now(UTC))
    world = World(office, clock, found(office, clock), create_app(clock=clock, office=office))
    people = [world.person(Role.NPM_MEMBER) for _ in range(TABLETS)]
    tablets = [world.tablet(person) for person in people]
    visits = [world.visit(*people[at : at + 5]) for at in range(0, TABLETS, 5)]
    return world, [(tablet, visits[at // 5]) for at, tablet in enumerate(tablets)]


def _check(world: World, delivery: Delivery, before: set[Place]) -> None:
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
    undelivered = delivery.sent - delivery.acknowledged
    assert not undelivered, f"{len(undelivered)} frames were never delivered"
    assert delivery.sent <= held


TRIAL = Trial(
    "failover",
    traps=("B.27", "I1"),
    says="The primary dies under pushes of twenty tablets, its replica takes over: nothing acknowledged is lost.",
    per_commit=0,
    release=20,
    run=run,
    on_disk=True,
)
