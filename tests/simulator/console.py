"""What the office does in a schedule, through the actions behind its pages."""

from __future__ import annotations

import random
from collections.abc import Callable

from server.ledger import queries
from server.ledger.rebuild import rebuild
from server.reports import actions as reports
from server.visit_requests.actions import put_to_vote
from server.visits import actions as visits
from shared.accounts import Role
from shared.reports import findings_of
from shared.values import SubjectId
from tests.ground import World

Act = Callable[[World, random.Random], str]


def _subjects(world: World, kind: str) -> list[SubjectId]:
    with world.office.database.read() as session:
        return queries.subjects(session, kind)


def _group(world: World, chance: random.Random) -> str:
    """Somebody joins or leaves a group: of the planned visit before it starts, of an unplanned one at any time."""
    visit = chance.choice([world.visit, *_subjects(world, "visit")])
    names = [name for name in ("leader", "other", "third", "outsider") if chance.random() < 0.7]
    members = tuple(world.people[name] for name in names)
    leader = chance.choice(members) if members else world.people["leader"]
    with world.office.database.write() as session:
        visits.form_group(session, world.office, world.people["secretary"], visit, members, leader, world.now)
    return f"group {names}"


def _mandate(world: World, chance: random.Random) -> str:
    with world.office.database.write() as session:
        state = queries.state(session, world.visit)
        visits.withdraw_mandate(session, world.office, world.people["secretary"], state, "a name is wrong", world.now)
    return "mandate withdrawn"


def _officer(world: World, chance: random.Random) -> str:
    with world.office.database.write() as session:
        visits.assign_officer(
            session, world.office, world.people["secretary"], world.visit, world.people["officer_two"], world.now
        )
    return "a second officer assigned"


def _vote(world: World, chance: random.Random) -> str:
    request = chance.choice(_subjects(world, "visit_request") or [world.visit])
    with world.office.database.write() as session:
        put_to_vote(session, world.office, world.people["secretary"], request, world.now)
    return "request put to the vote"


def _review(world: World, chance: random.Random) -> str:
    """The officer asks about a finding of a submitted report, or takes it."""
    report = chance.choice(_subjects(world, "report") or [world.visit])
    with world.office.database.write() as session:
        state = queries.state(session, report)
        found = list(findings_of(state)) if hasattr(state, "versions") else []
        finding = chance.choice([*found, ""])
        officer = world.people["officer"]
        if finding and chance.random() < 0.5:
            reports.accept_finding(session, world.office, officer, state, finding, world.now)
            return "finding accepted"
        reports.return_finding(session, world.office, officer, state, finding, "Which journal?", "ru", world.now)
    return "question asked"


def _page(world: World, chance: random.Random) -> str:
    page = world.client("officer", Role.CENTRE_OFFICER).get(f"/visits/{world.visit}", base_url=world.address)
    assert page.status_code in (200, 404), f"the officer's page answers {page.status_code}"
    return f"page of the visit: {page.status_code}"


def _rebuild(world: World, chance: random.Random) -> str:
    return f"{rebuild(world.office.database)} subjects rebuilt"


ACTS: dict[str, tuple[float, Act]] = {
    "group": (5, _group),
    "mandate": (1, _mandate),
    "officer": (1, _officer),
    "vote": (1, _vote),
    "review": (3, _review),
    "page": (1, _page),
    "rebuild": (0.3, _rebuild),
}
