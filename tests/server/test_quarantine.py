"""What two people decide about frames kept aside: taken in they stand in the ledger for everybody, or stay aside."""

from __future__ import annotations

import msgspec
import pytest
from sqlmodel import select

from server.accounts import actions as accounts
from server.ledger import queries
from server.ledger.rebuild import projected_hash, rebuild
from server.ledger.tables import ContactRow, HeldFrameRow
from server.ledger.verify import verify
from server.office import new_subject
from server.quarantine.actions import confirm, decide, decline, propose, propose_reading, restore_reading
from server.quarantine.tables import FrameDecisionRow, ProposalRow
from shared.accounts import Role, RoleGranted
from shared.errors import RuleBroken
from shared.ledger.frame import Frame
from shared.ledger.messages import AskedFrame, Hello, are_fates_sealed, encode_request, read_hello
from shared.observations.answers import AnswerRecorded
from shared.observations.notebook import LooseNoteKept
from shared.observations.record import RecordOpened
from shared.permissions import readers
from shared.values import DeviceId, PersonId, stamp
from shared.visits import MandateWithdrawn
from tests.server.conftest import Tablet, World, statuses


def answers(count: int, start: int = 1) -> list[AnswerRecorded]:
    return [AnswerRecorded(item=f"/mc/q{number}", value=number) for number in range(start, start + count)]


def begun(tablet: Tablet, visit: str):
    record = new_subject(tablet.world.now)
    assert statuses(tablet.sync(tablet.write(record, RecordOpened(visit=visit, checklists=()), *answers(3)))) == [
        ("accepted", "")
    ]
    return record


def twin_of(tablet: Tablet) -> Tablet:
    """A copy of the tablet's folder in another one."""
    twin = Tablet(tablet.world, tablet.person, tablet.secret, tablet.box_secret, tablet.id, tablet.nonce, tablet.cursor,
                  tablet.epoch, tablet.known, tablet.clock)  # fmt: skip
    twin.chains = {subject: lines[:] for subject, lines in tablet.chains.items()}
    return twin


def asking(tablet: Tablet, *frames: Frame):
    """An exchange that asks what became of these frames."""
    plain = tablet.request()
    hello = read_hello(plain)
    asks = tuple(
        AskedFrame(frame.header.subject, frame.header.first, frame.header.count, frame.ids()[-1].hex())
        for frame in frames
    )
    import gzip

    answer = tablet.post(encode_request(msgspec.structs.replace(hello, asks=asks), ()))
    assert answer.status_code == 200, answer.get_data()
    reply = tablet.take(gzip.decompress(answer.get_data()))
    if reply.page.fates:
        key = bytes.fromhex(tablet.world.office.keys.sign_key)
        assert are_fates_sealed(key, tablet.id, reply.page)
        assert not are_fates_sealed(key, DeviceId(new_subject(tablet.world.now)), reply.page)
    return reply, [(fate.status, fate.reason) for fate in reply.page.fates]


@pytest.fixture
def officer(world: World) -> PersonId:
    return world.person(Role.CENTRE_OFFICER, name="Officer")


def taken_in(world: World, frame: Frame, officer: PersonId, second: PersonId, outcome: str = "taken_in") -> None:
    with world.office.database.write() as session:
        decide(session, world.office, frame.ids()[-1].hex(), outcome, officer, second, "looked into it", world.now)


def held(world: World) -> list[tuple[str, str]]:
    with world.office.database.read() as session:
        return [(row.status, row.reason) for row in session.exec(select(HeldFrameRow).order_by(HeldFrameRow.id))]


def state_of(world: World, subject: str):
    with world.office.database.read() as session:
        return queries.state(session, subject)


def stands(world: World) -> None:
    """The ledger is whole, and the tables are what the frames say."""
    with world.office.database.read() as session:
        found = verify(session)
        assert found.is_whole, found.wrong
        before = projected_hash(session)
    rebuild(world.office.database)
    with world.office.database.read() as session:
        assert projected_hash(session) == before


def revoke(world: World, tablet: Tablet) -> None:
    with world.office.database.write() as session:
        accounts.revoke_device(session, world.office, world.founded.admin, tablet.id, "lost", world.now)


def test_what_a_revoked_tablet_still_held_is_taken_in_and_reaches_the_group(pair, officer) -> None:
    one, other, visit = pair
    world = one.world
    record = begun(one, visit)
    other.sync_all()
    revoke(world, one)
    first, second = one.write(record, *answers(2, 10)), one.write(record, *answers(2, 20))
    assert statuses(one.sync(first, second)) == [("quarantined", "revoked")] * 2
    taken_in(world, second, officer, other.person)
    assert held(world) == [("quarantined", "revoked"), ("waiting", "gap")], "it waits for the one before"
    taken_in(world, first, officer, other.person)
    assert held(world) == []
    assert set(state_of(world, record).answers.items) >= {"/mc/q10", "/mc/q21"}
    came = other.sync_all()
    assert [frame.encoded() for frame in came if frame.header.device == one.id] == [first.encoded(), second.encoded()]
    assert asking(one, first, second)[1] == [("accepted", "")] * 2
    assert one.sync().page.stopped == "revoked"
    stands(world)


def test_a_fork_taken_in_is_folded_beside_the_first_history_and_carried_to_everybody(pair, officer) -> None:
    one, other, visit = pair
    world = one.world
    record = begun(one, visit)
    twin = twin_of(one)
    main, branch = one.write(record, *answers(2, 10)), twin.write(record, *answers(3, 20))
    assert statuses(one.sync(main)) == [("accepted", "")]
    assert statuses(twin.sync(branch)) == [("quarantined", "fork")]
    reply, fates = asking(twin, branch)
    assert (fates, reply.page.stopped) == ([], "fork")
    taken_in(world, branch, officer, other.person)
    assert held(world) == []
    state = state_of(world, record)
    assert set(state.answers.items) >= {"/mc/q10", "/mc/q11", "/mc/q20", "/mc/q22"}
    assert asking(twin, branch)[1] == [("accepted", "fork")]
    assert statuses(twin.sync(branch)) == [("already", "fork")]
    kinds = {operation.kind for frame in other.sync_all() for operation in queries_of(frame)}
    assert "branch_taken_in" in kinds
    stands(world)


def queries_of(frame: Frame):
    from shared.ledger.merge import operations_of
    from shared.registry import BODIES

    return operations_of(frame, BODIES)[0]


def test_what_is_kept_aside_stays_and_may_be_taken_in_later(pair, officer) -> None:
    one, other, visit = pair
    world = one.world
    record = begun(one, visit)
    revoke(world, one)
    frame = one.write(record, *answers(2, 10))
    one.sync(frame)
    taken_in(world, frame, officer, other.person, "kept_aside")
    assert held(world) == [("kept_aside", "revoked")]
    assert statuses(one.sync(frame)) == [("kept_aside", "revoked")]
    assert asking(one, frame)[1] == [("kept_aside", "revoked")]
    assert "/mc/q10" not in state_of(world, record).answers.items
    taken_in(world, frame, officer, other.person)
    assert "/mc/q10" in state_of(world, record).answers.items
    with world.office.database.read() as session:
        (row,) = session.exec(select(FrameDecisionRow))
        assert (row.outcome, row.author, row.second) == ("taken_in", officer, other.person)
    stands(world)


def test_a_clock_that_leapt_is_taken_in_and_the_tablet_writes_on(pair, officer) -> None:
    one, other, visit = pair
    world = one.world
    record = begun(one, visit)
    leapt = one.write(record, *answers(1, 10), clock=50_000_000)
    behind = one.write(record, *answers(1, 11), clock=50_000_001)
    assert statuses(one.sync(leapt, behind)) == [("quarantined", "clock_leap"), ("waiting", "gap")]
    taken_in(world, leapt, officer, other.person)
    assert held(world) == [], "the one behind followed by itself"
    assert statuses(one.sync(one.write(record, *answers(1, 12), clock=50_000_002))) == [("accepted", "")]
    stands(world)


def test_a_clock_nobody_could_write_behind_stays_aside(pair, officer) -> None:
    one, other, visit = pair
    record = begun(one, visit)
    far = one.write(record, *answers(1, 10), clock=2**53 - 1)
    assert statuses(one.sync(far)) == [("quarantined", "clock_leap")]
    with pytest.raises(RuleBroken, match="frame_clock"):
        taken_in(one.world, far, officer, other.person)
    taken_in(one.world, far, officer, other.person, "kept_aside")


def test_who_was_not_of_the_group_is_taken_in_and_the_fold_says_what_counts(pair, officer) -> None:
    one, other, visit = pair
    world = one.world
    record = begun(one, visit)
    stranger = world.tablet(world.person(Role.NPM_MEMBER))
    frame = stranger.write(record, *answers(1, 70), clock=9)
    assert statuses(stranger.sync(frame)) == [("quarantined", "no_access")]
    taken_in(world, frame, officer, other.person)
    state = state_of(world, record)
    mine = [each.code for each in state.not_counted if each.author == stranger.person]
    assert mine == ["not_in_group"]
    assert stranger.person not in readers(state)
    stands(world)


def test_operations_of_another_kind_are_taken_in_and_do_not_count(pair, officer) -> None:
    one, other, visit = pair
    world = one.world
    record = begun(one, visit)
    frame = one.write(record, RoleGranted(role=Role.COMMISSIONER, since="2026-01-01"))
    assert statuses(one.sync(frame)) == [("quarantined", "wrong_subject")]
    taken_in(world, frame, officer, other.person)
    assert [each.code for each in state_of(world, record).not_counted] == ["kind_wrong_subject"]
    stands(world)


def test_what_would_make_another_subject_of_this_one_stays_aside(pair, officer) -> None:
    """An early clock puts it before the beginning: every copy would take its kind, or its visit, from there."""
    one, other, visit = pair
    world = one.world
    one.clock = 50
    record = begun(one, visit)
    elsewhere = world.visit(one.person, other.person)
    strange = other.write(record, RoleGranted(role=Role.COMMISSIONER, since="2026-01-01"), clock=1)
    third = world.tablet(other.person)
    moved = third.write(record, RecordOpened(visit=elsewhere, checklists=()), clock=1)
    late = one.write(record, RecordOpened(visit=elsewhere, checklists=()))
    for tablet, frame in ((other, strange), (third, moved), (one, late)):
        assert statuses(tablet.sync(frame)) == [("quarantined", "wrong_subject")]
    for frame in (strange, moved):
        with pytest.raises(RuleBroken, match="frame_early"):
            taken_in(world, frame, officer, other.person)
        taken_in(world, frame, officer, other.person, "kept_aside")
    taken_in(world, late, officer, other.person)
    state = state_of(world, record)
    assert (state.visit, type(state).__name__) == (visit, "Record")
    assert len(state.answers.items) == 3
    stands(world)


def test_a_subject_begun_first_by_another_as_another_kind_loses_and_shows_nothing(pair, officer) -> None:
    """Who was handed the beginning by bundle knows its id: the true frames stay aside, raw, and are given to nobody."""
    one, other, visit = pair
    world = one.world
    record = new_subject(world.now)
    true = one.write(record, RecordOpened(visit=visit, checklists=()), *answers(3))
    false = other.write(record, LooseNoteKept(key="", sealed="AAAA"), clock=5)
    assert statuses(other.sync(false)) == [("accepted", "")]
    assert statuses(one.sync(true)) == [("quarantined", "wrong_subject")]
    with pytest.raises(RuleBroken, match="frame_early"):
        taken_in(world, true, officer, other.person)
    taken_in(world, true, officer, other.person, "kept_aside")
    assert asking(one, true)[1] == [("kept_aside", "wrong_subject")]
    assert true.header not in [frame.header for frame in (*other.seen, *other.sync().frames)]
    with world.office.database.read() as session:
        held = session.exec(select(HeldFrameRow).where(HeldFrameRow.subject == record)).one()
        assert queries.unpacked(held.data) == true.encoded()
    stands(world)


def test_what_the_tablets_owner_cannot_have_said_is_never_taken_in(pair, officer) -> None:
    one, other, visit = pair
    world = one.world
    record = begun(one, visit)
    forged = one.write(record, *answers(1, 10), author=other.person)
    assert statuses(one.sync(forged)) == [("quarantined", "no_access")]
    office_act = other.write(visit, MandateWithdrawn(number="1", reason="x"))
    role = other.write(other.person, RoleGranted(role=Role.COMMISSIONER, since="2026-01-01"))
    assert statuses(other.sync(office_act, role)) == [("quarantined", "no_access")] * 2
    seal = one.write(visit, *answers(1, 30))
    broken = Frame(msgspec.structs.replace(seal.header, seal="A" * 86 + "=="), seal.lines)
    assert statuses(other.sync(broken)) == [("quarantined", "bad_seal")]
    for frame in (forged, office_act, role, broken):
        with pytest.raises(RuleBroken, match="frame_forged"):
            taken_in(world, frame, officer, other.person)
        taken_in(world, frame, officer, other.person, "kept_aside")
    assert {status for status, _ in held(world)} == {"kept_aside"}
    stands(world)


def test_a_frame_that_waits_needs_nobody(pair, officer) -> None:
    one, other, visit = pair
    record = begun(one, visit)
    one.write(record, *answers(1, 10))
    late = one.write(record, *answers(1, 11))
    assert statuses(one.sync(late)) == [("waiting", "gap")]
    for outcome in ("taken_in", "kept_aside"):
        with pytest.raises(RuleBroken, match="frame_waits"):
            taken_in(one.world, late, officer, other.person, outcome)


def test_it_takes_two_people_and_a_reason(pair, officer) -> None:
    one, other, visit = pair
    world = one.world
    record = begun(one, visit)
    revoke(world, one)
    frame = one.write(record, *answers(1, 10))
    one.sync(frame)
    head = frame.ids()[-1].hex()
    with pytest.raises(RuleBroken, match="same_person"):
        taken_in(world, frame, officer, officer)
    with world.office.database.write() as session, pytest.raises(RuleBroken, match="no_reason"):
        propose(session, officer, head, "taken_in", "  ", world.now)
    with world.office.database.write() as session:
        propose(session, officer, head, "taken_in", "seen", world.now)
        propose(session, officer, head, "taken_in", "seen twice", world.now)
        (row,) = session.exec(select(ProposalRow))
        number = row.id
    with world.office.database.write() as session:
        decline(session, number)
        propose(session, officer, head, "taken_in", "seen", world.now)
        number = session.exec(select(ProposalRow.id)).one()
    assert "/mc/q10" not in state_of(world, record).answers.items
    with world.office.database.write() as session, pytest.raises(RuleBroken, match="proposer_gone"):
        confirm(session, world.office, number, other.person, world.now)
    taken_in(world, frame, officer, other.person)
    assert "/mc/q10" in state_of(world, record).answers.items


def test_a_tablet_that_was_stopped_reads_again_when_two_people_say_so(pair, officer) -> None:
    one, other, _ = pair
    world = one.world
    twin = twin_of(one)
    one.sync_all()
    one.sync_all()
    twin.sync()
    twin.sync()
    reply = one.sync()
    assert (reply.page.stopped, reply.page.revoked, reply.page.token) == ("twin", True, "")
    with world.office.database.read() as session:
        row = session.get(ContactRow, one.id)
        assert (row.frozen_why, row.frozen_at) == ("twin", world.now)
    with world.office.database.write() as session:
        propose_reading(session, world.founded.admin, one.id, "the copy was found", world.now)
        number = session.exec(select(ProposalRow.id)).one()
        confirm(session, world.office, number, world.founded.second, world.now)
    reply = one.sync()
    assert (reply.page.stopped, reply.page.revoked) == ("", False)
    twin.nonce = ""
    twin.sync()
    assert twin.sync().page.stopped == "twin", "the copy shows itself again"
    with world.office.database.write() as session, pytest.raises(RuleBroken, match="not_found"):
        restore_reading(session, world.office, other.id, officer, world.founded.second, "x", world.now)
    stands(world)


def test_a_revoked_tablet_delivers_for_thirty_days(pair) -> None:
    one, _, visit = pair
    world = one.world
    record = begun(one, visit)
    revoke(world, one)
    world.clock.pass_(days=30)
    assert statuses(one.sync(one.write(record, *answers(1, 10)))) == [("quarantined", "revoked")]
    world.clock.pass_(minutes=1)
    answer = one.post(one.request(one.write(record, *answers(1, 11))))
    assert (answer.status_code, answer.json["code"]) == (401, "device_revoked")


def test_what_a_tablet_says_it_has_not_delivered_is_kept(pair) -> None:
    import gzip
    from datetime import timedelta

    one, _, _ = pair
    world = one.world
    hello: Hello = read_hello(one.request())
    for undelivered, wanted in (
        ((7, stamp(world.now - timedelta(hours=2))), (7, 7200)),
        ((2**53 - 1, "0001-01-02T00:00:00+00:00"), (2**31 - 1, 2**31 - 1)),
        ((3, "no time"), (3, 0)),
        ((3, stamp(world.now + timedelta(days=1))), (3, 0)),
        ((0, ""), (0, 0)),
    ):
        plain = encode_request(msgspec.structs.replace(hello, undelivered=undelivered, nonce=one.nonce), ())
        one.take(gzip.decompress(one.post(plain).get_data()))
        with world.office.database.read() as session:
            row = session.get(ContactRow, one.id)
            assert (row.undelivered, row.oldest_seconds) == wanted


def test_what_goes_on_behind_a_fork_is_decided_too_and_does_not_wait_for_ever(pair, officer) -> None:
    one, other, visit = pair
    world = one.world
    record = begun(one, visit)
    twin = twin_of(one)
    one.sync(one.write(record, *answers(1, 10)))
    first = twin.write(record, *answers(3, 20))
    second = twin.write(record, *answers(2, 30))
    assert statuses(twin.sync(second)) == [("waiting", "gap")]
    assert statuses(twin.sync(first)) == [("quarantined", "fork")]
    taken_in(world, first, officer, other.person)
    assert held(world) == [("quarantined", "fork")]
    taken_in(world, second, officer, other.person)
    assert set(state_of(world, record).answers.items) >= {"/mc/q10", "/mc/q20", "/mc/q31"}
    stands(world)
