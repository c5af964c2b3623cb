"""The ground itself: a copy is the founded office, the line does what its faults say, a kill leaves files behind."""

import pytest

from field_app.acts import records, visits
from shared.accounts import Role
from tests.ground import World
from tests.ground.founding import INSTITUTION


@pytest.fixture
def world(tmp_path):
    with World.open(tmp_path / "world") as world:
        yield world


def begin(world: World, name: str = "leader"):
    tablet = world.tablets[name]
    visits.start(tablet.store, world.visit, INSTITUTION, tablet.clock())
    return tablet, tablet.record(world.visit)


def held(world: World, record) -> list[int]:
    return [each.body.value for each in world.operations(record) if each.kind == "answer_recorded"]


def test_three_tablets_in_step_with_an_office_whose_visit_may_start(world):
    for tablet in world.tablets.values():
        done = tablet.sync()
        assert (done.trouble, done.frames, tablet.store.meta.differs) == ("", 0, ())
        assert visits.plan_of(tablet.store, world.visit)["institution"] == INSTITUTION
    assert world.state(world.visit).stage == "mandate_issued"


def test_two_worlds_begin_alike_and_do_not_touch(tmp_path):
    with World.open(tmp_path / "one") as one:
        tablet, record = begin(one)
        records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
        assert tablet.sync().trouble == ""
        assert held(one, record) == [6]
    with World.open(tmp_path / "two") as two:
        assert two.state(two.visit).stage == "mandate_issued"
        assert two.operations(record) == []


FAULTS = {
    "drop_request": 0, "drop_response": 1, "duplicate": 1, "delay": 0, "cut_request": 0, "cut_response": 1,
    "clip_response": 1, "error": 0, "gate": 0, "reset": 0,
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_reaches_as_far_as_it_says_and_the_next_round_mends_it(world, kind):
    tablet, record = begin(world)
    records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
    tablet.line.fail(kind, at=0.5)
    done = tablet.sync()
    assert done.trouble == ("" if kind == "duplicate" else "no_network"), done
    assert len(held(world, record)) == FAULTS[kind], "what the office had seen when the fault was over"
    tablet.line.heal()
    assert tablet.sync().trouble == ""
    assert held(world, record) == [6]
    assert tablet.store.unsent() == 0


def test_a_delayed_request_arrives_later_and_out_of_order(world):
    tablet, record = begin(world)
    records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
    tablet.line.fail("delay")
    tablet.sync()
    records.answer(tablet.store, record, "/mc/beds", 7, tablet.clock())
    assert tablet.sync().trouble == ""
    tablet.line.deliver_late()
    assert held(world, record) == [6, 7]


def test_an_abandoned_tablet_opens_again_with_what_it_saved(world):
    tablet, record = begin(world)
    records.answer(tablet.store, record, "/mc/beds", 6, tablet.clock())
    tablet.abandon()
    assert tablet.store.state(record).effective("/mc/beds").entry.value == 6


def test_the_console_is_reached_signed_in(world):
    page = world.client("officer", Role.CENTRE_OFFICER).get("/visits", base_url=world.address)
    assert page.status_code == 200


def test_the_office_starts_again_on_its_files(world):
    tablet, record = begin(world)
    assert tablet.sync().trouble == ""
    world.restart_office()
    assert world.state(record) is not None
    assert tablet.sync().trouble == ""
