"""The custody of a photo tells its whole way: taken, begun, whole, opened; nobody wrote it."""

from __future__ import annotations

from field_app.acts import photos, visits
from server.ledger import opening
from server.office import Reader
from server.reports.custody import READS_SHOWN, custody
from shared.accounts import Role
from tests.faults.tablet_acts import picture
from tests.ground.founding import INSTITUTION
from tests.ground.world import World


def test_the_custody_of_a_photo_tells_its_way(tmp_path) -> None:
    with World.open(tmp_path) as world:
        leader = world.tablets["leader"]
        visits.start(leader.store, world.visit, INSTITUTION, leader.clock())
        record, taken = leader.record(world.visit), leader.clock()
        photo = photos.take(leader.store, record, picture(), taken)
        files = {file.role: file.sha256 for file in leader.store.files()}
        way = None
        for _ in range(5):
            leader.sync()
            with world.office.database.read() as session:
                state = world.state(record)
                found = custody(session, state, state.photos.values())
            way = found.get(photo)
            if way is not None and all(file.whole_at for file in way.files):
                break
        assert way is not None
        assert (way.taken_by, way.taken_at) == (world.people["leader"], taken)
        assert [(file.role, file.sha256) for file in way.files] == [
            (role, files[role]) for role in ("original", "derivative", "thumbnail")
        ]
        for file in way.files:
            assert file.began_at is not None
            assert file.whole_at is not None
            assert taken <= file.began_at <= file.whole_at <= world.now
        assert (way.reads, way.openings) == (0, ())
        reader = Reader(world.people["leader"], Role.NPM_MEMBER)
        with world.office.database.write() as session:
            for _ in range(READS_SHOWN + 1):
                words = [state.photos[photo].words]
                opening.open_words(session, world.office, reader, "photo.read", state, words, "photo", world.now)
        with world.office.database.read() as session:
            way = custody(session, state, state.photos.values())[photo]
        assert way.reads == READS_SHOWN + 1
        assert {(each.person, each.at) for each in way.openings} == {(world.people["leader"], world.now)}
        assert len(way.openings) == READS_SHOWN
