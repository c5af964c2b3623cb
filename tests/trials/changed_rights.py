"""Membership changes between the pages of a pull: nothing comes that was taken away, nothing that may be read lacks.

Three records in three visits, a reader whose pages hold one or two frames, and a console that takes it out of a group
or puts it back between any two pages, while others go on writing.
"""

from __future__ import annotations

from random import Random
from typing import Any

from server.ledger import queries
from server.ledger.actions import record
from server.office import new_subject
from shared.values import SubjectId
from shared.visits import GroupFormed
from tests.network.offices import Scene, answers, record_of, scene
from tests.simulator.limits import small_pages
from tests.trials.trial import Ground, Trial

PAGES = 25
VISITS = 3


class _Small(Random):
    """Chooses the smallest page."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a page holds what may no longer be read, or something readable never came."""
    chance = Random(seed)
    on = scene(ground, members=3, visits=VISITS)
    records = [_begun(on, visit) for visit in on.visits]
    members: dict[SubjectId, bool] = dict.fromkeys(on.visits, True)
    reader = on.tablets[2]
    with small_pages(_Small()):
        for number in range(PAGES):
            if chance.random() < 0.4:
                _flip(on, chance.choice(on.visits), members)
            if chance.random() < 0.5:
                writer = chance.choice(on.tablets[:2])
                writer.sync(writer.write(chance.choice(records), *answers(chance.randint(1, 20), 100 * number)))
            came = reader.sync().frames
            _holds(on, records, members, {frame.header.subject for frame in came})
        for visit in on.visits:
            if not members[visit] and chance.random() < 0.5:
                _flip(on, visit, members)
        _holds(on, records, members, {frame.header.subject for frame in reader.sync_all()})
    _nothing_lacks(on, records, members)
    on.close()


def _begun(on: Scene, visit: SubjectId) -> SubjectId:
    subject, writer = new_subject(on.world.now), on.tablets[0]
    frames = [record_of(writer, visit, subject, 20)]
    frames += [writer.write(subject, *answers(20, 100 * number)) for number in range(1, 4)]
    writer.sync(*frames)
    return subject


def _flip(on: Scene, visit: SubjectId, members: dict[SubjectId, bool]) -> None:
    members[visit] = not members[visit]
    people = tuple(tablet.person for tablet in on.tablets)[: 3 if members[visit] else 2]
    formed = GroupFormed(members=people, leader=people[0], least=1)
    with on.world.office.database.write() as session:
        record(session, on.world.office, visit, on.world.founded.second, [formed], on.world.now)


def _holds(on: Scene, records: list[SubjectId], members: dict[SubjectId, bool], came: set[SubjectId]) -> None:
    """What came just now may be read just now."""
    for visit, subject in zip(on.visits, records, strict=True):
        if not members[visit]:
            assert not came & {visit, subject}, "a page brought what had been taken away before it was asked for"


def _nothing_lacks(on: Scene, records: list[SubjectId], members: dict[SubjectId, bool]) -> None:
    """Of every subject that may be read in the end each frame of another came."""
    reader = on.tablets[2]
    held = {(frame.header.device, frame.header.subject, frame.header.first) for frame in reader.seen}
    with on.world.office.database.read() as session:
        for visit, subject in zip(on.visits, records, strict=True):
            if not members[visit]:
                continue
            for each in (visit, subject):
                for row in queries.frames_of(session, each):
                    assert (row.device, row.subject, row.first) in held, f"never came: {row.cursor} of {row.subject}"


TRIAL = Trial(
    "changed_rights",
    traps=("B.13",),
    says="With membership changing between pages nothing comes after it was taken away and nothing readable lacks.",
    per_commit=8,
    release=500,
    run=run,
)
