"""Exchange by files: a wrong one is refused in words and changes nothing; no way out loses what was not delivered."""

from __future__ import annotations

import pytest

from field_app.acts import interviews, records, visits
from field_app.bundles import making, taking
from field_app.bundles.commands import words_of_written
from field_app.bundles.staying import spread, staying
from field_app.enrolment import enrol
from field_app.store import carried
from field_app.store.store import Store
from server.bundles import actions as desk
from server.office import new_subject
from shared.errors import RuleBroken
from shared.ledger.bundle import part, seal_bundle
from shared.ledger.crypto import box_address, new_box_key, new_signing_key
from shared.texts import LANGUAGES, texts
from tests.ground.founding import INSTITUTION
from tests.ground.tablet import PIN
from tests.ground.world import World


@pytest.fixture
def world(tmp_path):
    with World.open(tmp_path) as opened:
        for tablet in opened.tablets.values():
            visits.start(tablet.store, opened.visit, INSTITUTION, tablet.clock())
            tablet.line.online = False
        yield opened


def written(world: World, name: str = "leader", count: int = 5) -> None:
    tablet = world.tablets[name]
    for number in range(count):
        records.answer(tablet.store, tablet.record(world.visit), f"/mc/q{number}", number, tablet.clock())


def code_of(work) -> str:
    with pytest.raises(RuleBroken) as broken:
        work()
    code = broken.value.code
    assert all(texts(language)(f"error.{code}", **dict(broken.value.facts)) for language in LANGUAGES)
    return code


def test_a_bundle_to_the_office_and_its_reply_deliver_everything(world: World) -> None:
    tablet = world.tablets["leader"]
    written(world)
    data = making.for_office(tablet.store, tablet.clock())
    assert tablet.store.unsent() > 0, "writing marks nothing as sent"
    taken = desk.take(world.office, data, world.now)
    assert set(taken.frames) == {"accepted"}
    assert taking.take(tablet.store, taken.reply, tablet.clock()).receipts > 0
    assert tablet.store.unsent() == 0
    assert code_of(lambda: taking.take(tablet.store, taken.reply, tablet.clock())) == "bundle_doubled"
    assert desk.take(world.office, data, world.now).is_known


def test_wrong_files_are_refused_in_three_languages_and_change_nothing(world: World) -> None:
    tablet, other = world.tablets["leader"], world.tablets["other"]
    written(world)
    data = making.for_office(tablet.store, tablet.clock())
    held = world.operations(world.visit)

    def at_desk(file: bytes) -> str:
        return code_of(lambda: desk.take(world.office, file, world.now))

    assert at_desk(b"a picture, perhaps\n" * 9) == "bundle_unreadable"
    assert at_desk(b"") == "bundle_unreadable"
    assert at_desk(data[:-40]) == "bundle_cut"
    assert at_desk(data[:-1] + bytes([data[-1] ^ 1])) == "bundle_altered"
    assert at_desk(data.replace(b'"bundle":1', b'"bundle":2', 1)) == "bundle_version"
    head, _, rest = data.partition(b"\n")
    assert at_desk(head.replace(b"+05:00", b"+06:00", 1) + b"\n" + rest) == "bundle_altered"
    assert code_of(lambda: taking.take(other.store, data, other.clock())) == "bundle_not_for_us"
    stranger, seed = box_address(new_box_key()), new_signing_key()
    ours = box_address(world.office.keys.review_secret)
    parts = [part("request", b"x\n")]
    foreign = seal_bundle(parts, tablet.device, seed, stranger, [ours], "2026-03-07T14:00:00+05:00")
    assert at_desk(foreign) == "bundle_foreign"
    unknown = seal_bundle(parts, new_subject(world.now), seed, ours, [ours], "2026-03-07T14:00:00+05:00")
    assert at_desk(unknown) == "bundle_sender"
    forged = seal_bundle(parts, tablet.device, seed, ours, [ours], "2026-03-07T14:00:00+05:00")
    assert at_desk(forged) == "bundle_altered"
    assert world.operations(world.visit) == held


def test_an_old_bundle_brings_what_it_holds_and_is_no_twin(world: World) -> None:
    tablet = world.tablets["leader"]
    tablet.line.heal()
    assert tablet.sync().trouble == ""
    written(world, count=2)
    old = making.for_office(tablet.store, tablet.clock())
    for _ in range(3):
        assert tablet.sync().trouble == ""
    taken = desk.take(world.office, old, world.now)
    assert (taken.is_old, taken.is_known, taken.reply) == (True, True, b"")
    assert tablet.sync().trouble == "", "the tablet is not taken for a twin"
    assert not tablet.store.alarms()


def test_a_reply_older_than_an_exchange_since_sets_nothing_back(world: World) -> None:
    tablet = world.tablets["leader"]
    written(world, count=2)
    taken = desk.take(world.office, making.for_office(tablet.store, tablet.clock()), world.now)
    written(world, count=3)
    tablet.line.heal()
    assert tablet.sync().trouble == ""
    before = tablet.store.meta
    assert code_of(lambda: taking.take(tablet.store, taken.reply, tablet.clock())) == "bundle_old"
    assert tablet.store.meta == before


def test_interviews_that_were_not_shared_stay_and_are_counted(world: World) -> None:
    leader, other = world.tablets["leader"], world.tablets["other"]
    for tablet in (leader, other):
        talk = interviews.begin(tablet.store, tablet.record(world.visit), tablet.clock())
        interviews.consent(tablet.store, talk, "agrees", tablet.clock(), note=True)
    assert staying(other.store, leader.store.person) == 0, "the leader reads the interviews of the group"
    assert staying(leader.store, other.store.person) == 1
    assert (spread(leader.store), spread(other.store)) == ((1, 1), (0, 1)), "a third member reads neither"
    to = next(each for each in carried.colleagues(leader.store) if each.device == other.device)
    for say in (texts(language) for language in LANGUAGES):
        said = words_of_written(say, leader.store, "FILE", to.device)
        assert said.startswith(say.plural("bundle.stay", 1)), "it is said before anything else"
        assert words_of_written(say, leader.store, "FILE", "") == say("bundle.saved", file="FILE")
    mine = set(leader.store.subjects("interview"))
    taking.take(other.store, making.for_colleague(leader.store, to, leader.clock()), other.clock())
    assert not mine & set(other.store.subjects("interview"))
    taken = desk.take(world.office, making.for_office(leader.store, leader.clock()), world.now)
    taking.take(leader.store, taken.reply, leader.clock())
    assert spread(leader.store) == (0, 0), "the office has it: nothing stays on this tablet alone"


def test_a_lost_tablet_lives_on_with_its_colleague(world: World) -> None:
    lost, heir = world.tablets["leader"], world.tablets["other"]
    written(world)
    to = next(each for each in carried.colleagues(lost.store) if each.device == heir.device)
    data = making.for_colleague(lost.store, to, lost.clock())
    mine = {each.id for each in lost.store.operations(lost.record(world.visit)) if each.device == lost.device}
    record = lost.record(world.visit)
    lost.abandon()
    assert taking.take(heir.store, data, heir.clock()).fresh >= len(mine)
    assert heir.store.meta.offers
    heir.line.heal()
    assert heir.sync().trouble == ""
    assert mine <= {each.id for each in world.operations(record)}
    assert heir.store.meta.offers == ()


@pytest.mark.parametrize("way_out", ["close", "kill", "lock", "enrol", "copy"])
def test_no_way_out_loses_what_was_not_delivered(world: World, way_out: str) -> None:
    """Closing, a kill, the lock, enrolling anew, a new store in the same folder: five entries arrive all the same."""
    tablet = world.tablets["leader"]
    written(world)
    if way_out == "close":
        tablet.close()
    elif way_out == "kill":
        tablet.abandon()
    elif way_out == "lock":
        tablet.store.lock()
        tablet.store.unlock(PIN, tablet.clock())
    elif way_out == "enrol":
        assert code_of(lambda: enrol(tablet.store, world.address, "0" * 13, "again")) == "tablet_enrolled"
    else:
        tablet.close()
        with pytest.raises(Exception, match=r".*"):
            Store.create(tablet.folder, PIN, tablet.keystore, tablet.clock())
    tablet.line.heal()
    assert tablet.sync().trouble == ""
    assert tablet.store.unsent() == 0
    held = {each.body.item for each in world.operations(tablet.record(world.visit)) if hasattr(each.body, "item")}
    assert held == {f"/mc/q{number}" for number in range(5)}
