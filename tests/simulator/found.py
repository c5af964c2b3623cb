"""What the smallest cases of what schedules found begin with."""

from __future__ import annotations

import random

from sqlmodel import select

from field_app.acts import visits
from server.accounts import actions as accounts
from server.ledger.tables import HeldFrameRow
from tests.ground import Tablet, World
from tests.ground.founding import INSTITUTION
from tests.simulator import faults
from tests.simulator.disk import Disk
from tests.simulator.simulation import Simulation


def begun(world: World, name: str = "leader") -> tuple[Tablet, str]:
    tablet = world.tablets[name]
    visits.start(tablet.store, world.visit, INSTITUTION, tablet.clock())
    return tablet, tablet.record(world.visit)


def revoke(world: World, tablet: Tablet) -> None:
    with world.office.database.write() as session:
        accounts.revoke_device(session, world.office, world.people["admin"], tablet.device, "lost", world.now)


def restored(world: World, take_backup_before) -> None:
    simulation = Simulation(1, world, random.Random(1), Disk())
    faults.take_backup(simulation)
    take_backup_before()
    faults.restore(simulation, 0)


def held_aside(world: World) -> int:
    with world.office.database.read() as session:
        return len(session.exec(select(HeldFrameRow)).all())


def alarms(tablet: Tablet) -> list[str]:
    return [alarm.code for alarm in tablet.store.alarms()]


def is_alike(world: World, tablet: Tablet, subject: str) -> bool:
    """Whether tablet and office hold the same of a subject."""
    return {each.id for each in tablet.store.operations(subject)} == {each.id for each in world.operations(subject)}
