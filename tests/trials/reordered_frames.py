"""Frames that arrive in any order, again, and from whoever carries them, end in the ledger of an orderly arrival.

Three members write a visit, its record, an interview and a visit nobody planned. One office gets every frame in order;
another gets them in requests of any size and order, carried by any of the three, with old requests in between again.
"""

from __future__ import annotations

from random import Random

from sqlmodel import select

from server.ledger import queries
from server.ledger.rebuild import projected_hash
from server.ledger.tables import ChainRow, HeldFrameRow, SubjectRow
from server.ledger.verify import verify
from server.office import new_subject
from shared.ledger.frame import Frame
from shared.observations.interview import InterviewOpened
from shared.values import SubjectId
from shared.visits import ConflictDeclared, VisitPlanned, VisitStarted
from tests.network.offices import Direct, Scene, answers, record_of, scene
from tests.trials.trial import Ground, Trial


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when the two offices end apart."""
    chance = Random(seed)
    straight, mixed = scene(ground, members=3, name="straight"), scene(ground, members=3, name="mixed")
    frames = _written(chance, straight)
    for part in (frames[:7], frames[7:]):
        said = straight.tablets[0].sync(*part).receipt.frames
        assert all(each.status == "accepted" for each in said), said
    _mix(chance, mixed.tablets, frames)
    assert _held(mixed) == _held(straight), "the mixed office holds another ledger"
    for each in (straight, mixed):
        each.close()


def _written(chance: Random, on: Scene) -> list[Frame]:
    """Every frame in an order in which each may stand behind those before it."""
    (visit,), now = on.visits, on.world.now
    record, interview, unplanned, other = (new_subject(now) for _ in range(4))
    one, two, three = on.tablets
    frames = [
        one.write(visit, ConflictDeclared(conflict=False)),
        record_of(one, visit, record),
        two.write(visit, ConflictDeclared(conflict=True)),
        two.write(interview, InterviewOpened(visit=visit, record=record, number="B-01", checklist=("iv", "1", ""))),
        three.write(unplanned, VisitPlanned(visit_kind="unplanned", key="", sealed="")),
        three.write(unplanned, VisitStarted(institution="syn-1", arrived_at="2026-03-05T10:00:00+05:00")),
        record_of(three, unplanned, other),
    ]
    for number in range(chance.randint(3, 8)):
        writer: Direct = chance.choice(on.tablets)
        subject: SubjectId = record if writer is not three else chance.choice((record, other))
        frames.append(writer.write(subject, *answers(chance.randint(1, 4), 10 * number)))
    return frames


def _mix(chance: Random, carriers: list[Direct], frames: list[Frame]) -> None:
    """Every frame at least once, in requests of one to five, some of them again later."""
    waiting = [*frames]
    chance.shuffle(waiting)
    sent: list[tuple[Frame, ...]] = []
    while waiting:
        size = chance.randint(1, 6)
        request, waiting = tuple(waiting[:size]), waiting[size:]
        sent.append(request)
        chance.choice(carriers).sync(*request)
        while chance.random() < 0.3:
            chance.choice(carriers).sync(*chance.choice(sent))


def _held(on: Scene) -> tuple[object, ...]:
    """What does not depend on the order of arrival."""
    with on.world.office.database.read() as session:
        found = verify(session)
        assert found.is_whole, found.wrong
        held_back = [(row.status, row.reason, row.first) for row in session.exec(select(HeldFrameRow))]
        assert not held_back, f"still held back: {held_back}"
        chains = {(row.device, row.subject): (row.seq, row.head, row.clock) for row in session.exec(select(ChainRow))}
        subjects = {
            row.id: (row.kind, row.parent, row.clock, queries.subject_digest(session, SubjectId(row.id)))
            for row in session.exec(select(SubjectRow))
        }
        return chains, subjects, projected_hash(session)


TRIAL = Trial(
    "reordered_frames",
    traps=("B.22",),
    says="Frames that come in any order, again, and from anybody end in the same ledger, chains and tables.",
    per_commit=20,
    release=2_000,
    run=run,
)
