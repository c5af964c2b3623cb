"""A tablet that was away for four hundred days comes back and holds what all hold, and all hold what it had recorded.

Meanwhile the others worked on, visits were planned, people came, tables were made anew and new epochs began. Nothing
a late comer needs is ever taken out of the ledger.
"""

from __future__ import annotations

from random import Random

from field_app.acts import records, visits
from server.accounts import actions as accounts
from server.accounts.actions import NewPerson
from server.ledger import queries
from server.ledger.actions import record
from server.ledger.opening import Sealer
from server.ledger.rebuild import rebuild
from server.office import new_subject
from shared.accounts import EpochBegun
from shared.values import SubjectId
from shared.visits import GroupFormed, VisitPlanned
from tests.network.group import Group, at_work
from tests.trials.trial import Ground, Trial

DAYS = 400


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when the copies do not become one."""
    chance = Random(seed)
    with at_work(ground.folder) as group:
        away = group.world.tablets["other"]
        for _ in range(chance.randint(1, 8)):
            group.answer(away)
        if chance.random() < 0.5:
            away.line.fail("drop_response")
            away.sync()
        away.close()
        _meanwhile(chance, group)
        for _ in range(chance.randint(0, 5)):  # before it ever finds a network again
            group.answer(away)
        records.note(away.store, group.record, "late", away.clock())
        group.settle()
        group.check()
        plans = {visit: visits.plan_of(away.store, visit) for visit in away.store.subjects("visit")}
        assert set(plans) == set(_visits_of_all(group)), "a visit planned meanwhile is not there"
        assert all(plans.values()), "words sealed meanwhile do not open"
        assert any(each.kind == "note_recorded" for each in group.history())  # type: ignore[attr-defined]


def _visits_of_all(group: Group) -> list[SubjectId]:
    """The visits a tablet holds that was never away."""
    return group.world.tablets["leader"].store.subjects("visit")


def _meanwhile(chance: Random, group: Group) -> None:
    """Four hundred days in steps, and something in each."""
    busy = [group.world.tablets[name] for name in ("leader", "third")]
    steps = chance.randint(6, 12)
    for _ in range(steps):
        group.world.clock.pass_(days=DAYS / steps)
        tablet = chance.choice(busy)
        for _ in range(chance.randint(1, 10)):
            group.answer(tablet)
        assert tablet.sync().trouble == ""
        match chance.choice(("visit", "epoch", "rebuild", "person", "quiet")):
            case "visit":
                _another_visit(group)
            case "epoch":
                _new_epoch(group)
            case "rebuild":
                rebuild(group.world.office.database)
            case "person":
                _one_person_more(group)


def _another_visit(group: Group) -> None:
    """Planned for all three, with words sealed to them."""
    world, people = group.world, tuple(group.world.people[name] for name in ("leader", "other", "third"))
    visit = new_subject(world.now)
    with world.office.database.write() as session:
        sealer = Sealer(session, world.office, visit, None, people)
        key, sealed = sealer.seal(VisitPlanned.KIND, {"institution": "syn-2", "from_on": "2026-05-05"})
        planned = VisitPlanned(visit_kind="special", key=key, sealed=sealed)
        formed = GroupFormed(members=people, leader=people[0], least=2)
        record(session, world.office, visit, world.people["secretary"], [*sealer.bodies(), planned, formed], world.now)


def _new_epoch(group: Group) -> None:
    """As after a restore at the very end of the ledger: nothing was lost, and everybody must notice."""
    with group.world.office.database.write() as session:
        counter = queries.counter_row(session)
        counter.epoch += 1
        epoch, position, subject = counter.epoch, counter.value, queries.subjects(session, "office")[0]
    group.world.write(subject, "admin", EpochBegun(epoch=epoch, position=position))


def _one_person_more(group: Group) -> None:
    world = group.world
    with world.office.database.write() as session:
        accounts.add_person(session, world.office, world.people["admin"], NewPerson("Somebody", ()), world.now)


TRIAL = Trial(
    "long_offline",
    traps=("B.28",),
    says="A tablet away for four hundred days comes back and all copies become one.",
    per_commit=6,
    release=300,
    run=run,
)
