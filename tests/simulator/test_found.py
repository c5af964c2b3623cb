"""What schedules found, each as the smallest case that shows it."""

from __future__ import annotations

import msgspec

from field_app.acts import photos, records, reports, visits
from field_app.store import outgoing
from field_app.store.kept import FrameState
from server.ledger import queries
from server.ledger.verify import verify
from server.visits.actions import form_group
from tests.ground import PIN, World
from tests.ground.founding import INSTITUTION
from tests.simulator.acts import jpegs
from tests.simulator.disk import Disk, flip_byte, lose_cache, ruin_database, watched
from tests.simulator.found import alarms, begun, held_aside, revoke
from tests.simulator.office_faults import killed_at


def test_frames_that_wait_at_the_office_do_not_keep_others_from_going(world, monkeypatch):
    """Seed 41: a chain behind a fork filled the request, and what was begun later never went."""
    tablet, record = begun(world)
    monkeypatch.setattr(outgoing.to_send, "__defaults__", (2_000,))
    for number in range(30):
        records.answer(tablet.store, record, f"/mc/item_{number}", number, tablet.clock())
        outgoing.cut_frames(tablet.store)
    for cut in tablet.store.reading(lambda opened: opened.cuts):
        cut.state = FrameState("waiting", "gap")
    records.loose_note(tablet.store, "kept for later", tablet.clock())
    due = outgoing.to_send(tablet.store)
    notebook = tablet.store.subjects("notebook")[0]
    assert due[0].header.subject == notebook


def test_a_hole_in_the_copy_costs_nothing_that_stands_behind_it(world):
    """Seed 15: mending cut everything behind the hole off; the database going next would have taken it along."""
    tablet, record = begun(world)
    for number in range(20):
        records.answer(tablet.store, record, "/mc/beds", number, tablet.clock())
    tablet.close()
    flip_byte(tablet.folder / "copy", 0.6)
    held = len(tablet.store.operations(record))
    tablet.close()
    for path in tablet.folder.glob("store.db*"):
        path.unlink()
    assert len(tablet.store.operations(record)) == held


def test_who_was_named_while_the_group_had_set_out_keeps_what_he_recorded(world):
    """Seed 18: the group's start came in later with an earlier clock, and the newcomer's work was refused."""
    leader, _ = begun(world)
    group = tuple(world.people[name] for name in ("leader", "other", "outsider"))
    with world.office.database.write() as session:
        form_group(session, world.office, world.people["secretary"], world.visit, group, group[0], world.now)
    newcomer = world.tablets["outsider"]
    assert newcomer.sync().trouble == ""
    _, record = begun(world, "outsider")
    records.answer(newcomer.store, record, "/mc/beds", 6, newcomer.clock())
    assert leader.sync().trouble == ""
    assert newcomer.sync().trouble == ""
    assert newcomer.store.unsent() == 0
    assert [each.body.value for each in world.operations(record) if each.kind == "answer_recorded"] == [6]


def test_a_key_whose_words_were_never_saved_does_not_wait_for_ever(world):
    """Seed 80: killed between the key and the first words of a request; the office waited for the rest."""
    tablet, _ = begun(world)
    tablet.store.sealing_key(tablet.store.new_subject(tablet.clock()), tablet.clock(), "visit_request")
    assert tablet.sync().trouble == ""
    assert tablet.sync().frames == 0
    assert held_aside(world) == 0
    assert not outgoing.has_uncut(tablet.store), "or no photo would ever go"


def test_a_revoked_tablet_delivers_everything_in_one_round(world, monkeypatch):
    """Seed 41: one request a round, so that much of it came late or never."""
    tablet, record = begun(world)
    monkeypatch.setattr(outgoing.to_send, "__defaults__", (2_000,))
    for number in range(30):
        records.answer(tablet.store, record, f"/mc/item_{number}", number, tablet.clock())
        outgoing.cut_frames(tablet.store)
    revoke(world, tablet)
    assert tablet.sync().trouble == "revoked"
    assert {cut.state.status for cut in tablet.store.reading(lambda opened: opened.cuts)} <= {"quarantined", "waiting"}


def test_who_left_the_group_still_delivers_his_photo(world):
    """Seed 100: the operation was taken in and its files were refused, for their author could not read any more."""
    leader = world.tablets["leader"]
    newcomer = world.tablets["outsider"]
    visit = visits.plan_on_the_spot(leader.store, institution=INSTITUTION, reason="at once", now=leader.clock())
    visits.start(leader.store, visit, INSTITUTION, leader.clock())
    assert leader.sync().trouble == ""
    for names in (("leader", "other", "outsider"), ("leader", "other", "third")):
        group = tuple(world.people[name] for name in names)
        with world.office.database.write() as session:
            form_group(session, world.office, world.people["secretary"], visit, group, group[0], world.now)
        if "outsider" in names:
            assert newcomer.sync().trouble == ""
            photos.take(newcomer.store, newcomer.record(visit), jpegs()[0], newcomer.clock())
    for _ in range(2):
        assert newcomer.sync().trouble == ""
    assert newcomer.store.unsent() == 0


def test_what_differed_once_is_compared_until_it_agrees(world):
    """Seed 201: after a restore the last page alone was compared, and the tablet said for ever that it differed."""
    tablet, record = begun(world)
    assert tablet.sync().trouble == ""
    tablet.store.reading(
        lambda opened: setattr(opened, "meta", msgspec.structs.replace(opened.meta, differs=(record, world.visit)))
    )
    assert tablet.sync().trouble == ""
    assert tablet.store.meta.differs == ()


def test_a_byte_of_the_names_of_columns_keeps_no_tablet_from_starting(world):
    """Seed 241: SQLite then asks for a column that is not there, and the start took it for a full disk."""
    tablet, record = begun(world)
    records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
    tablet.close()
    path = tablet.folder / "store.db"
    path.write_bytes(path.read_bytes().replace(b"sealed", b"sealad"))
    assert [each.body.value for each in tablet.store.operations(record) if each.kind == "answer_recorded"] == [6]


def test_power_lost_and_the_database_with_it_costs_no_save(tmp_path):
    """What was said to be saved was on the disk in the copy too."""
    with watched(Disk()) as disk, World.open(tmp_path / "world", ("leader",)) as world:
        tablet, record = begun(world)
        for number in range(5):
            records.answer(tablet.store, record, "/mc/beds", number, tablet.clock())
        tablet.abandon()
        lose_cache(disk, tablet.folder)
        ruin_database(tablet.folder)
        answers = [each.body.value for each in tablet.store.operations(record) if each.kind == "answer_recorded"]
        assert answers == [0, 1, 2, 3, 4]


def test_an_ordinary_push_killed_at_any_statement_leaves_all_or_nothing(world):
    """Each statement in turn; the ledger verifies afterwards, and a repeat brings each operation once."""
    tablet, record = begun(world)
    assert tablet.sync().trouble == ""
    for statement in range(1, 40):
        records.answer(tablet.store, record, "/mc/beds", statement, tablet.clock())
        with killed_at(world, statement) as seen:
            tablet.sync()
        with world.office.database.read() as session:
            found = verify(session)
            assert found.is_whole, f"killed at statement {statement}: {found.wrong}"
        world.clock.pass_(minutes=1)
        assert tablet.sync().trouble == ""
        if not seen["met"]:
            break
    values = [each.body.value for each in world.operations(record) if each.kind == "answer_recorded"]
    assert values == list(range(1, statement + 1))


def test_a_report_frozen_by_two_at_once_stops_no_tablet(world):
    """Seed 54: the version of the other took the place of all that was signed, and every reply was refused for ever."""
    names = sorted(("leader", "other", "third"), key=lambda name: world.tablets[name].device)
    early, late, reader = (world.tablets[name] for name in names)
    world.set_out(*names)
    records.answer(early.store, early.record(world.visit), "/mc/beds", 6, early.clock())
    reports.freeze(early.store, world.visit, early.clock())
    reports.freeze(late.store, world.visit, late.clock())
    reports.sign(late.store, world.visit, PIN, "agree", late.clock())
    for tablet in (late, reader):
        assert tablet.sync().trouble == ""
    reports.sign(reader.store, world.visit, PIN, "agree", reader.clock())
    for tablet in (early, reader, late):
        assert tablet.sync().trouble == ""
    report = reader.report(world.visit)
    (version,) = reader.store.state(report).versions
    assert not version.signatures, "of two first versions the one that is first in order stands"
    assert len(reader.store.operations(report)) == 4, "what was signed stays in the ledger"


def test_a_subject_that_is_no_longer_ones_to_hold_does_not_differ_for_ever(world, monkeypatch):
    """Seed 547: the office compares it no more, and the tablet went on saying that the copies differ."""

    def grouped(*names: str) -> None:
        group = tuple(world.people[name] for name in names)
        with world.office.database.write() as session:
            form_group(session, world.office, world.people["secretary"], world.visit, group, group[0], world.now)

    member = world.tablets["third"]
    assert member.sync().trouble == ""
    grouped("other", "leader", "third")
    truth = queries.subject_digest
    monkeypatch.setattr(queries, "subject_digest", lambda session, subject: "0" * 64)
    member.sync()
    assert world.visit in member.store.meta.differs
    monkeypatch.setattr(queries, "subject_digest", truth)
    grouped("leader", "other", "outsider")
    assert member.sync().trouble == ""
    assert member.store.meta.differs == ()
    assert "differs" in alarms(member), "that it once differed stays said"


def test_a_frame_that_waits_is_said_again_once_the_ledger_moved_and_not_before(world):
    """Seed 4493: what stood on a frame kept aside went with every sync, until people decided."""
    tablet, record = begun(world)
    assert tablet.sync().trouble == ""
    records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
    outgoing.cut_frames(tablet.store)
    position = tablet.store.meta.position
    for cut in tablet.store.reading(lambda opened: opened.cuts):
        if not cut.is_received:
            cut.state = FrameState("waiting", "gap", position=position)
    quiet = tablet.sync()
    assert (quiet.trouble, quiet.frames, tablet.store.unsent()) == ("", 0, 1)
    revoke(world, world.tablets["other"])
    moved = tablet.sync()
    assert (moved.trouble, moved.frames > 0, tablet.store.unsent()) == ("", True, 0)
