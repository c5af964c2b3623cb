"""A tablet keeps the last (position, head) of the office's ledger and says when the ledger no longer contains it."""

from __future__ import annotations

import shutil

import msgspec
import pytest

from field_app.acts import records, visits
from shared.ledger.messages import Reply, read_reply
from shared.texts import LANGUAGES, texts
from tests.ground import World
from tests.ground.founding import INSTITUTION
from tests.network.asides import put_back


@pytest.fixture
def world(tmp_path):
    with World.open(tmp_path / "world", tablets=("leader", "other")) as world:
        leader = world.tablets["leader"]
        visits.start(leader.store, world.visit, INSTITUTION, leader.clock())
        assert leader.sync().trouble == ""
        yield world


def codes(world: World, name: str) -> set[str]:
    return {alarm.code for alarm in world.tablets[name].store.alarms()}


def answered(world: World, value: int) -> None:
    leader = world.tablets["leader"]
    records.answer(leader.store, leader.record(world.visit), "/mc/beds", value, leader.clock())
    assert leader.sync().trouble == ""


def test_a_quiet_ledger_alarms_nobody(world: World) -> None:
    for value in range(3):
        answered(world, value)
        for tablet in world.tablets.values():
            tablet.sync()
            tablet.sync()
    assert "ledger_cut" not in codes(world, "leader") | codes(world, "other")


def without_a_word(body: bytes, key: bytes) -> Reply:
    """A reply of an office that does not say that it was put back."""
    reply = read_reply(body, key)
    return msgspec.structs.replace(reply, page=msgspec.structs.replace(reply.page, restored=None))


@pytest.mark.parametrize("says_so", [True, False])
@pytest.mark.parametrize("first", ["leader", "other"])
def test_a_ledger_put_back_without_a_new_epoch_is_noticed(
    world: World, tmp_path, monkeypatch, says_so: bool, first: str
) -> None:
    """An honest program over a database that was cut says it lacks something; another program says nothing."""
    answered(world, 1)
    kept = world.kept_copy(tmp_path / "kept")
    answered(world, 2)
    for tablet in world.tablets.values():
        assert tablet.sync().trouble == ""
    put_back(world, kept)
    if not says_so:
        monkeypatch.setattr("field_app.sync.worker.read_reply", without_a_word)
    world.tablets[first].sync()
    assert "ledger_cut" in codes(world, first)
    for tablet in world.tablets.values():
        tablet.sync()
        tablet.sync()
    values = [each.body.value for each in world.operations(world.tablets["leader"].record(world.visit))
              if each.kind == "answer_recorded"]  # fmt: skip
    assert sorted(values) == [1, 2], "what was cut off comes back from the tablets"


def test_it_is_said_once_and_in_every_language(world: World, tmp_path) -> None:
    answered(world, 1)
    kept = world.kept_copy(tmp_path / "kept")
    answered(world, 2)
    put_back(world, kept)
    other = world.tablets["other"]
    other.sync()
    for _ in range(4):
        other.sync()
    assert [alarm.code for alarm in other.store.alarms()].count("ledger_cut") <= 1
    for language in LANGUAGES:
        assert texts(language)("tablet.alarm.ledger_cut")
    shutil.rmtree(kept)


def test_an_answer_of_earlier_does_not_set_the_tablet_back(world: World) -> None:
    """The office gives the same receipt for the same frames: its position is of then, not of now."""
    leader, other = world.tablets["leader"], world.tablets["other"]
    records.answer(leader.store, leader.record(world.visit), "/mc/beds", 5, leader.clock())
    leader.line.fail("drop_response")
    assert leader.sync().trouble == "no_network"
    other.sync()
    records.answer(other.store, other.record(world.visit), "/mc/beds", 6, other.clock())
    assert other.sync().trouble == ""
    for tablet in (leader, other, leader, other):
        assert tablet.sync().trouble == ""
    assert "ledger_cut" not in codes(world, "leader") | codes(world, "other")
    assert leader.store.meta.position == other.store.meta.position
