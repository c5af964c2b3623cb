"""What a colleague handed over by file and the office keeps aside: kept here too, and counted no more than there."""

from __future__ import annotations

import pytest
from sqlmodel import select

from field_app.acts import records
from field_app.bundles import making, taking
from field_app.store import carried
from server.accounts.actions import revoke_device
from server.bundles import actions as desk
from server.ledger.tables import HeldFrameRow
from server.quarantine.actions import decide
from shared.errors import RuleBroken
from shared.ledger.frame import Frame, cut
from shared.ledger.operation import Body, encode_line, genesis
from shared.observations.answers import AnswerRecorded
from shared.observations.record import RecordOpened
from shared.values import SubjectId, stamp
from tests.ground.tablet import Tablet
from tests.ground.world import World


@pytest.fixture
def world(tmp_path):
    with World.open(tmp_path, tablets=("leader", "other")) as opened:
        opened.set_out()
        yield opened


def answered(tablet: Tablet, world: World, *numbers: int) -> None:
    for number in numbers:
        records.answer(tablet.store, tablet.record(world.visit), f"/mc/q{number}", number, tablet.clock())


def bundle(of: Tablet, to: Tablet) -> bytes:
    address = next(each for each in carried.colleagues(of.store) if each.device == to.device)
    return making.for_colleague(of.store, address, of.clock())


def answers(tablet: Tablet, world: World) -> set[str]:
    """Items answered in the visit's record, as this tablet folds it."""
    return set(tablet.store.state(tablet.record(world.visit)).answers.items)


def items(*numbers: int) -> set[str]:
    return {f"/mc/q{number}" for number in numbers}


def revoked(world: World, name: str) -> None:
    with world.office.database.write() as session:
        revoke_device(session, world.office, world.people["admin"], world.tablets[name].device, "lost", world.now)


def taken_in(world: World) -> int:
    """Everything the office keeps aside is taken in by two people; how many frames."""
    people = world.people
    with world.office.database.write() as session:
        frames = [row.last_id for row in session.exec(select(HeldFrameRow).order_by(HeldFrameRow.first))]
        for last_id in frames:
            decide(session, world.office, last_id, "taken_in", people["officer"], people["other"], "seen", world.now)
    return len(frames)


def test_what_the_office_keeps_aside_of_a_colleague_counts_no_more_and_comes_back(world: World) -> None:
    leader, other = world.tablets["leader"], world.tablets["other"]
    answered(leader, world, 1, 2, 3, 4)
    first = bundle(leader, other)
    taking.take(other.store, first, other.clock())
    answered(leader, world, 5)
    second = bundle(leader, other)
    taking.take(other.store, second, other.clock())
    answered(other, world, 7)
    assert answers(other, world) == items(1, 2, 3, 4, 5, 7)
    revoked(world, "leader")
    assert other.sync().trouble == ""
    for _ in range(2):
        assert answers(other, world) == items(7), "as the office folds it"
        assert other.store.meta.offers == ()
        assert other.store.unsent() == 0
        assert {each.code for each in other.store.alarms()} == {"kept_aside"}
        with pytest.raises(RuleBroken, match="bundle_doubled"):
            taking.take(other.store, second, other.clock())
        assert other.sync().trouble == ""
        other.reopen()
    aside = {each.frame.encoded() for each in other.store.reading(lambda opened: opened.aside)}
    handed_on = {frame.encoded() for frame in carried.frames_for(other.store, leader.person)}
    assert len(aside) >= 2
    assert not aside & handed_on
    assert taken_in(world) >= 2
    for _ in range(2):
        assert other.sync().trouble == ""
        assert answers(other, world) == items(1, 2, 3, 4, 5, 7)
        assert {each.code for each in other.store.alarms()} == {"kept_aside"}, "and nothing differs"
        other.reopen()
    assert other.store.reading(lambda opened: opened.aside) == []
    assert aside <= {frame.encoded() for frame in carried.frames_for(other.store, leader.person)}


def said(tablet: Tablet, subject: SubjectId, *bodies: Body) -> Frame:
    """A frame that follows in the chain of this tablet and that its store knows nothing of."""
    identity = tablet.store.identity
    mine = [each for each in tablet.store.operations(subject) if each.device == identity.device]
    before = bytes.fromhex(mine[-1].id) if mine else genesis(identity.device, subject)
    lines = [encode_line(body, tablet.person, stamp(tablet.clock()), 500 + n) for n, body in enumerate(bodies)]
    return cut(identity.sign_seed, identity.device, subject, len(mine) + 1, before, lines)


def test_a_subject_that_is_aside_as_a_whole_stops_no_exchange(world: World) -> None:
    leader, other = world.tablets["leader"], world.tablets["other"]
    record = leader.store.new_subject(leader.clock())
    wrote = [AnswerRecorded(item=f"/mc/q{number}", value=number) for number in range(5)]
    carried.take_frames(other.store, [said(leader, record, RecordOpened(visit=world.visit, checklists=()), *wrote)])
    assert record in other.store.subjects("record")
    revoked(world, "leader")
    assert other.sync().trouble == ""
    assert record not in other.store.subjects("record")
    assert other.reopen().operations(record) == []
    answered(other, world, 7)
    assert other.sync().trouble == ""
    assert taken_in(world) == 1
    desk_made = desk.make(world.office, other.device, world.now)
    taking.take(other.store, desk_made, other.clock())
    for _ in range(2):
        assert set(other.store.state(record).answers.items) == items(*range(5)), "also by a file of the office"
        assert other.store.reading(lambda opened: opened.aside) == []
        other.reopen()


def test_of_two_histories_the_one_the_office_folds_counts(world: World) -> None:
    leader, other = world.tablets["leader"], world.tablets["other"]
    record = leader.record(world.visit)
    carried.take_frames(other.store, [said(leader, record, AnswerRecorded(item="/mc/q9", value=9))])
    answered(leader, world, 1, 2)
    assert leader.sync().trouble == ""
    assert answers(other, world) == items(9)
    for _ in range(2):
        assert other.sync().trouble == ""
    assert answers(other, world) == items(1, 2)
    assert answers(other, world) == set(world.state(record).answers.items)
    assert "differs" not in {each.code for each in other.store.alarms()}
