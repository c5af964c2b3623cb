"""What schedules found of restored offices, each as the smallest case that shows it."""

from __future__ import annotations

import pytest

from field_app.acts import photos, records, visits
from field_app.store import outgoing
from server.ledger.actions import record as act
from server.visits.actions import assign_officer, form_group
from shared.accounts import Role, RoleGranted
from shared.values import SubjectId
from tests.ground.founding import INSTITUTION
from tests.simulator.acts import jpegs
from tests.simulator.disk import ruin_database
from tests.simulator.found import alarms, begun, held_aside, is_alike, restored, revoke


def test_a_tablet_that_may_not_read_is_told_of_a_restore_too(world):
    """What a revoked tablet had delivered before comes back to an office that lost it."""
    tablet, record = begun(world)

    def delivered_then_revoked() -> None:
        records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
        assert tablet.sync().trouble == ""

    restored(world, delivered_then_revoked)
    revoke(world, tablet)
    for _ in range(2):
        tablet.sync()
    assert tablet.store.meta.stopped == "revoked"
    assert held_aside(world) > 0, "it lies aside, for its tablet was revoked, and is not lost"


def test_what_was_kept_aside_comes_again_after_a_restore(world):
    """A backup is older than the quarantine; the tablet still holds what lay in it."""
    tablet, record = begun(world)
    assert tablet.sync().trouble == ""
    revoke(world, tablet)

    def kept_aside() -> None:
        records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
        tablet.sync()
        assert held_aside(world) == 1

    restored(world, kept_aside)
    assert held_aside(world) == 0
    for _ in range(2):
        tablet.sync()
    assert held_aside(world) == 1


def test_a_request_from_before_a_restore_that_comes_late_stops_nobody(world):
    """Seed 64: it was taken for the tablet that had forgotten the new epoch, and the tablet itself for its twin."""
    tablet, record = begun(world)
    assert tablet.sync().trouble == ""

    def held_back() -> None:
        records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
        tablet.line.fail("delay")
        tablet.sync()

    restored(world, held_back)
    for _ in range(2):
        assert tablet.sync().trouble == ""
        request, *_ = tablet.line.late
        tablet.line.deliver_late()
        tablet.line.late.append(request)
    tablet.line.late.clear()
    for _ in range(3):
        assert tablet.sync().trouble == ""


def test_a_tablet_that_lost_its_database_is_no_twin_after_a_restore(world):
    """Seed 43: it did not know any more what it knew, and the office had forgotten its nonce."""
    tablet, record = begun(world)
    assert tablet.sync().trouble == ""

    def goes_on_then_loses_its_database() -> None:
        for number in range(3):
            records.answer(tablet.store, record, "/mc/beds", number, tablet.clock())
            assert tablet.sync().trouble == ""
        tablet.close()
        ruin_database(tablet.folder)

    restored(world, goes_on_then_loses_its_database)
    for _ in range(3):
        assert tablet.sync().trouble == ""


def test_files_an_office_lost_come_again(world):
    """A photo that was delivered after the backup is sent once more."""
    tablet, record = begun(world)
    assert tablet.sync().trouble == ""

    def delivers_a_photo() -> None:
        photos.take(tablet.store, record, jpegs()[0], tablet.clock())
        for _ in range(2):
            assert tablet.sync().trouble == ""
        assert tablet.store.unsent() == 0

    restored(world, delivers_a_photo)
    for _ in range(3):
        assert tablet.sync().trouble == ""
    names = [kept.sha256 for kept in tablet.store.files()]
    assert len(names) == 3
    assert [name for name in names if not (world.office.media / name[:2] / name).exists()] == []


def test_an_office_put_back_is_believed_in_the_page_it_names_itself_in(world):
    """Seed 547: what it said under its new name waited for a key that came in the same page, and copies differed."""
    restored(world, lambda: None)
    group = tuple(world.people[name] for name in ("leader", "other", "outsider"))
    with world.office.database.write() as session:
        form_group(session, world.office, world.people["secretary"], world.visit, group, group[0], world.now)
    newcomer = world.tablets["outsider"]
    assert newcomer.sync().trouble == ""
    assert world.visit in newcomer.store.subjects("visit")
    assert "differs" not in alarms(newcomer)
    assert is_alike(world, newcomer, world.visit)


def test_what_a_restore_makes_a_tablet_offer_is_not_called_a_difference(world):
    """Seed 547: a copy that holds more than the restored office is no other copy, it is what the office gets back."""
    author, record = begun(world)
    reader = world.tablets["other"]
    assert author.sync().trouble == ""

    def read_by_a_colleague() -> None:
        records.answer(author.store, record, "/mc/beds", 6, author.clock())
        assert author.sync().trouble == ""
        assert reader.sync().trouble == ""
        records.answer(author.store, record, "/mc/beds", 7, author.clock())

    restored(world, read_by_a_colleague)
    visits.start(reader.store, world.visit, INSTITUTION, reader.clock())
    for tablet in (reader, author, reader):
        assert tablet.sync().trouble == ""
    assert alarms(reader) == ["office_restored"]
    assert is_alike(world, reader, record)


def test_own_work_a_restore_makes_due_again_is_not_called_a_difference(world):
    """Seed 851: the office said what it held of the visit before what it had lost of it came again."""
    author, colleague = world.tablets["leader"], world.tablets["other"]

    def started() -> None:
        begun(world)
        assert author.sync().trouble == ""

    restored(world, started)
    visits.start(colleague.store, world.visit, INSTITUTION, colleague.clock())
    for tablet in (colleague, author, colleague, author):
        assert tablet.sync().trouble == ""
        assert alarms(tablet) == ["office_restored"]
    assert is_alike(world, author, world.visit)


@pytest.mark.parametrize("request_bytes", [256 * 1024, 1_000])
def test_whom_the_office_named_before_a_restore_is_not_kept_aside_after_it(world, monkeypatch, request_bytes):
    """Seed 2176: own work went before the decision of the office it stands on, and lay aside until people decided."""
    monkeypatch.setattr(outgoing.to_send, "__defaults__", (request_bytes,))
    tablet = world.tablets["outsider"]

    def named_and_at_work() -> None:
        with world.office.database.write() as session:
            members = [world.people[name] for name in ("leader", "other", "third", "outsider")]
            form_group(session, world.office, world.people["secretary"], world.visit, members, members[0], world.now)
        assert tablet.sync().trouble == ""
        record = begun(world, "outsider")[1]
        records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
        assert tablet.sync().trouble == ""

    restored(world, named_and_at_work)
    records.answer(tablet.store, tablet.record(world.visit), "/mc/beds", 7, tablet.clock())
    for _ in range(2):
        assert tablet.sync().trouble == ""
    assert (held_aside(world), tablet.store.unsent()) == (0, 0)
    assert is_alike(world, tablet, tablet.record(world.visit))


def test_what_was_left_out_by_rights_that_are_lost_is_read_after_a_restore(world):
    """Seed 7961: who was out of the group when the office wrote, and had read on since, is in the group of the copy."""

    def role(named: Role) -> RoleGranted:
        return RoleGranted(role=named, since="2026-01-01", second=world.people["secretary"])

    member = world.tablets["other"]
    assert member.sync().trouble == ""
    with world.office.database.write() as session:
        secretary, officer = world.people["secretary"], world.people["officer_two"]
        assign_officer(session, world.office, secretary, world.visit, officer, world.now)
        act(session, world.office, SubjectId(officer), world.people["admin"], [role(Role.AUDITOR)], world.now)

    def out_of_the_group_and_reads_on() -> None:
        group = tuple(world.people[name] for name in ("leader", "third", "outsider"))
        with world.office.database.write() as session:
            form_group(session, world.office, world.people["secretary"], world.visit, group, group[0], world.now)
            act(session, world.office, SubjectId(member.person), world.people["admin"], [role(Role.EXPERT)], world.now)
        assert member.sync().trouble == ""

    restored(world, out_of_the_group_and_reads_on)
    for _ in range(2):
        assert member.sync().trouble == ""
    assert is_alike(world, member, world.visit)
