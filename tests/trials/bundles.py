"""B.26: three tablets of a group and the office exchange over a network that comes and goes, and by files.

Files are written at any moment and read late, twice, by the wrong one, cut short or altered, and never hurt. At the end
one tablet is lost: what it handed to a colleague before is in the office all the same.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from field_app.acts import records, visits
from field_app.bundles import making, taking
from field_app.store import carried
from server.bundles import actions as desk
from shared.errors import RuleBroken
from shared.values import SubjectId
from tests.ground.founding import INSTITUTION
from tests.ground.tablet import Tablet
from tests.ground.world import MEMBERS, World
from tests.trials.trial import Ground, Trial
from tests.trials.two_g_line import with_photo

STEPS = 36
WORDS = {
    "bundle_unreadable", "bundle_foreign", "bundle_not_for_us", "bundle_cut", "bundle_altered", "bundle_old",
    "bundle_doubled", "bundle_nothing",
}  # fmt: skip


@dataclass
class Stick:
    """Files on a stick: bytes with the name of who may read them, "" for the office."""

    files: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class Play:
    """One seed under way."""

    world: World
    luck: random.Random
    stick: Stick = field(default_factory=Stick)
    saved: list[str] = field(default_factory=list)
    handed: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    def tablet(self) -> Tablet:
        """Any of the three."""
        return self.world.tablets[self.luck.choice(MEMBERS)]

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self) -> None:
        """Somebody answers, sometimes takes a photo."""
        tablet = self.tablet()
        record = tablet.record(self.world.visit)
        item = f"/mc/q{self.luck.randrange(40)}"
        records.answer(tablet.store, record, item, self.luck.randrange(9), tablet.clock())
        if self.luck.random() < 0.2:
            with_photo(tablet.store, record, tablet.clock(), thumbnail=self.luck.randbytes(900))
        self.saved += [each.id for each in tablet.store.operations(record) if each.device == tablet.device][-2:]

    def network(self) -> None:
        """One tablet exchanges; sometimes the answer is lost."""
        tablet = self.tablet()
        tablet.line.online = True
        if self.luck.random() < 0.3:
            tablet.line.fail("drop_response")
        tablet.sync()
        tablet.line.online = False

    def to_office(self) -> None:
        tablet = self.tablet()
        self.stick.files.append(("", making.for_office(tablet.store, tablet.clock())))

    def to_colleague(self) -> None:
        tablet = self.tablet()
        to = self.luck.choice(carried.colleagues(tablet.store))
        name = self.world.person_of(to.device)
        self.stick.files.append((name, making.for_colleague(tablet.store, to, tablet.clock())))

    def of_office(self) -> None:
        name = self.luck.choice(MEMBERS)
        self.stick.files.append((name, desk.make(self.world.office, self.world.tablets[name].device, self.world.now)))

    def read(self) -> None:
        """A file of the stick is read: mostly by the right one, sometimes damaged, sometimes again later."""
        if not self.stick.files:
            return
        whose, data = self.luck.choice(self.stick.files)
        if self.luck.random() < 0.5:
            self.stick.files.remove((whose, data))
        reader = whose
        chance = self.luck.random()
        if chance < 0.1:
            reader = self.luck.choice([each for each in ("", *MEMBERS) if each != whose])
        elif chance < 0.2:
            data = data[: self.luck.randrange(len(data))]
        elif chance < 0.3:
            at = self.luck.randrange(data.index(b"\n") + 1, len(data))
            data = data[:at] + bytes([data[at] ^ (1 << self.luck.randrange(8))]) + data[at + 1 :]
        wrong = 0.0 <= chance < 0.3
        try:
            self.hand(reader, data)
        except RuleBroken as broken:
            assert broken.code in WORDS, broken.code
            self.refused.append(broken.code)
        else:
            assert not wrong, f"a bundle that was not for {reader or 'the office'}, cut or altered was taken"

    def hand(self, reader: str, data: bytes) -> None:
        """The file is read by the office, whose reply goes on the stick, or by a tablet."""
        if reader:
            tablet = self.world.tablets[reader]
            taking.take(tablet.store, data, tablet.clock())
            return
        taken = desk.take(self.world.office, data, self.world.now)
        if taken.reply:
            self.stick.files.append((self.world.person_of(taken.device), taken.reply))


def run(seed: int, ground: Ground) -> None:
    """Steps of every kind, then one tablet is lost, then everything is brought together."""
    luck = random.Random(seed)
    with World.open(ground.folder) as world:
        play = Play(world, luck)
        for name in MEMBERS:
            visits.start(world.tablets[name].store, world.visit, INSTITUTION, world.tablets[name].clock())
            world.tablets[name].line.online = False
        acts = [play.write, play.write, play.network, play.to_office, play.to_colleague, play.of_office, play.read,
                play.read, play.read]  # fmt: skip
        for _ in range(STEPS):
            world.clock.pass_(seconds=luck.randint(5, 600))
            luck.choice(acts)()
        lost, mine = _one_is_lost(play)
        left = [name for name in MEMBERS if name != lost]
        _together(world, left)
        _same_everywhere(world, left, mine)
        alarms = {(name, alarm.code) for name in left for alarm in world.tablets[name].store.alarms()}
        assert not alarms, f"alarms without a reason: {alarms}"


def _one_is_lost(play: Play) -> tuple[str, set[str]]:
    """A tablet gives a colleague its copy and is gone; the ids it had written until then."""
    world, luck = play.world, play.luck
    lost, heir = luck.sample(MEMBERS, 2)
    gone = world.tablets[lost]
    to = next(each for each in carried.colleagues(gone.store) if world.person_of(each.device) == heir)
    data = making.for_colleague(gone.store, to, gone.clock())
    try:
        taking.take(world.tablets[heir].store, data, world.tablets[heir].clock())
    except RuleBroken as broken:
        assert broken.code == "bundle_doubled", broken.code
    record = gone.record(world.visit)
    mine = {each.id for each in gone.store.operations(record) if each.device == gone.device}
    mine |= {each.id for each in gone.store.operations(world.visit) if each.device == gone.device}
    gone.abandon()
    return lost, mine


def _together(world: World, names: list[str]) -> None:
    """The network is back; a few rounds drain everything."""
    for name in names:
        world.tablets[name].line.heal()
    for _ in range(5):
        for name in names:
            world.clock.pass_(minutes=2)
            done = world.tablets[name].sync()
            assert done.trouble == "", f"{name}: {done}"
    for name in names:
        store = world.tablets[name].store
        assert store.unsent() == 0, f"{name} holds {store.unsent()}"
        assert store.meta.offers == (), f"{name} still carries {len(store.meta.offers)}"


def _same_everywhere(world: World, names: list[str], of_lost: set[str]) -> None:
    subjects = [world.visit, *(SubjectId(each) for each in _records(world, names))]
    for subject in subjects:
        office = {each.id for each in world.operations(subject)}
        for name in names:
            held = {each.id for each in world.tablets[name].store.operations(subject)}
            assert held == office, f"{name} and the office differ in {subject}: {len(held ^ office)}"
    everything = {each.id for subject in subjects for each in world.operations(subject)}
    assert of_lost <= everything, f"{len(of_lost - everything)} operations of the lost tablet are missing"


def _records(world: World, names: list[str]) -> set[str]:
    return {each for name in names for each in world.tablets[name].store.subjects("record")}


TRIAL = Trial(
    name="bundles",
    traps=("B.26", "B.22"),
    says="By network and by files in any order tablets and office come to hold the same; a lost tablet loses nothing",
    per_commit=20,
    release=200,
    run=run,
)
