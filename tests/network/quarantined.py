"""What the trials about frames kept aside share: writing a little, looking where every operation is, deciding all."""

from __future__ import annotations

from random import Random

from sqlmodel import select

from field_app.acts import records, visits
from field_app.acts.subjects import record_id
from server.ledger import queries
from server.ledger.rebuild import projected_hash, rebuild
from server.ledger.tables import ContactRow, FrameRow, HeldFrameRow
from server.ledger.verify import verify
from server.quarantine.actions import decide, restore_reading
from server.quarantine.decisions import frame_in
from shared.ledger.branch import branches
from shared.ledger.crypto import sha256
from shared.values import SubjectId
from tests.ground.founding import INSTITUTION
from tests.ground.tablet import Tablet
from tests.ground.world import World


def begin(world: World, *names: str) -> SubjectId:
    """The visit is started and its record opened; the tablets named have heard of it. The record's id."""
    first = world.tablets[names[0]]
    visits.start(first.store, world.visit, INSTITUTION, first.clock())
    for name in (*names, *names):
        assert world.tablets[name].sync().trouble == ""
    return record_id(first.store, world.visit)


def write(chance: Random, tablet: Tablet, record: SubjectId, count: int) -> set[str]:
    """Some answers and words; the ids of everything saved, keys too."""
    before = own_ids(tablet)
    for _ in range(count):
        if chance.random() < 0.3:
            records.note(tablet.store, record, f"Сөз {chance.random()}", tablet.clock())
        else:
            records.answer(tablet.store, record, f"/mc/q{chance.randrange(40)}", chance.randrange(100), tablet.clock())
    return own_ids(tablet) - before


def own_ids(tablet: Tablet) -> set[str]:
    """Ids of every operation this tablet's own chains hold."""
    opened = tablet.store._o
    return {
        id_ for held in opened.book.subjects.values() for id_ in held.chains.get(opened.identity.device, ())
    }  # fmt: skip


def at_office(world: World) -> tuple[set[str], set[str]]:
    """(ids in the ledger, branches included; ids of frames held)."""
    with world.office.database.read() as session:
        frames = [queries.frame_of(row) for row in session.exec(select(FrameRow))]
        subjects = {frame.header.subject for frame in frames}
        carried = [each for subject in subjects for each in branches(queries.operations(session, subject))]
        held = [frame_in(row) for row in session.exec(select(HeldFrameRow))]
    ids = {id_.hex() for frame in (*frames, *carried) for id_ in frame.ids()}
    return ids, {id_.hex() for frame in held for id_ in frame.ids()}


def stopped(world: World, tablet: Tablet) -> str:
    """Why the tablet's reading is stopped; "" when it is not."""
    with world.office.database.read() as session:
        row = session.get(ContactRow, tablet.device)
        return row.frozen_why if row is not None and row.frozen else ""


def take_all_in(chance: Random, world: World) -> int:
    """Officer and leader take in everything kept aside, in any order, until nothing is; how many decisions."""
    done = 0
    while True:
        with world.office.database.write() as session:
            query = select(HeldFrameRow.last_id).where(HeldFrameRow.status == "quarantined")
            heads = sorted(session.exec(query))
            if not heads:
                return done
            decide(
                session, world.office, chance.choice(heads), "taken_in", world.people["officer"],
                world.people["leader"], "looked into it", world.now,
            )  # fmt: skip
            done += 1


def let_read(world: World, tablet: Tablet) -> None:
    """Two officers let a stopped tablet read again."""
    with world.office.database.write() as session:
        restore_reading(
            session, world.office, tablet.device, world.people["admin"], world.people["secretary"], "the copy is gone",
            world.now,
        )  # fmt: skip


def check_ledger(world: World) -> None:
    """The ledger is whole, and the tables are what its frames say."""
    with world.office.database.read() as session:
        found = verify(session)
        assert found.is_whole, found.wrong
        before = projected_hash(session)
    rebuild(world.office.database)
    with world.office.database.read() as session:
        assert projected_hash(session) == before, "a rebuild gave other tables"


def folded(state: object) -> str:
    """A short name for all a record says, to be compared between copies."""
    answers = state.answers  # type: ignore[attr-defined]
    said = sorted(
        (item, entry.operation, str(entry.value))
        for item, held in answers.items.items()
        for entry in held.entries
    )  # fmt: skip
    return sha256(repr(said).encode()).hex()
