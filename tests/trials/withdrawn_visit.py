"""The console takes back a visit while a tablet holds thirty unsent operations of it: all thirty arrive.

The tablet began the visit without a network, so that the office does not know of the start. It is taken back in any of
these ways, or several: the mandate is withdrawn, the group is formed anew without the person, the role ends. What was
recorded is evidence all the same: it is in the ledger, none of it kept aside.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

from sqlmodel import select

from field_app.acts import interviews, records, visits
from server.accounts import actions as accounts
from server.ledger import queries
from server.ledger.tables import HeldFrameRow
from server.visits import actions as office_visits
from shared.accounts import Role
from shared.visits import GroupFormed
from tests.ground import Tablet, World
from tests.ground.founding import INSTITUTION
from tests.network.group import Group
from tests.trials.trial import Ground, Trial

UNSENT = 30
WAYS = ("mandate", "group", "role")
"""In this order: a group formed anew has no mandate to withdraw."""


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when one of the thirty does not arrive."""
    chance = Random(seed)
    with World.open(ground.folder / "world", tablets=("leader", "other")) as world:
        tablet = world.tablets[chance.choice(("leader", "other"))]
        visits.start(tablet.store, world.visit, INSTITUTION, tablet.clock())
        group = Group(world, tablet.record(world.visit))
        _record(chance, group, tablet)
        unsent = {
            each.id
            for subject in tablet.store.reading(lambda opened: list(opened.numbers))
            for each in tablet.store.operations(subject)
            if each.device == tablet.device
        }
        for way in sorted(chance.sample(WAYS, chance.randint(1, 3)), key=WAYS.index):
            _take_back(group, tablet, way)
        group.world.clock.pass_(days=chance.choice((0, 2)))
        assert tablet.store.unsent() >= UNSENT
        done = tablet.sync()
        assert tablet.store.unsent() == 0, done
        arrived = {
            each.id
            for subject in tablet.store.reading(lambda opened: list(opened.numbers))
            for each in group.world.operations(subject)
        }
        assert unsent <= arrived, f"{len(unsent - arrived)} of {len(unsent)} did not arrive"
        with group.world.office.database.read() as session:
            assert session.exec(select(HeldFrameRow.reason)).all() == []


def _record(chance: Random, group: Group, tablet: Tablet) -> None:
    """Answers, notes, and an interview begun without a network."""
    interview = interviews.begin(tablet.store, group.record, tablet.clock())
    interviews.consent(tablet.store, interview, "agrees", tablet.clock(), note=True)
    for number in range(UNSENT):
        if chance.random() < 0.3:
            interviews.answer(tablet.store, interview, f"/iv/q{number}", "no", tablet.clock())
        elif chance.random() < 0.3:
            records.note(tablet.store, group.record, f"note {number}", tablet.clock())
        else:
            group.answer(tablet)


def _take_back(group: Group, tablet: Tablet, way: str) -> None:
    world = group.world
    office, admin, secretary = world.office, world.people["admin"], world.people["secretary"]
    with office.database.write() as session:
        if way == "mandate":
            visit = queries.state(session, world.visit)
            office_visits.withdraw_mandate(session, office, secretary, visit, "no longer wanted", world.now)
        elif way == "role":
            day = office.calendar.day_of(world.now - timedelta(days=1))
            accounts.end_role(
                session, office, admin, secretary, tablet.person, Role.NPM_MEMBER, day, "left", world.now
            )  # fmt: skip
    if way == "group":
        rest = tuple(world.people[name] for name in ("leader", "other", "third") if world.people[name] != tablet.person)
        world.write(world.visit, "secretary", GroupFormed(members=rest, leader=rest[0], least=1))


TRIAL = Trial(
    "withdrawn_visit",
    traps=("B.12",),
    says="Thirty unsent operations of a visit taken back at the console all arrive.",
    per_commit=10,
    release=500,
    run=run,
)
