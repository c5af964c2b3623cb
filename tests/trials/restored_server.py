"""The office is rolled back by 0 to 100 % of what was done; every operation that a living tablet wrote or read is back.

A backup made by the product at a random moment is restored by the product into a new database; or, in three of ten
seeds, an old copy of the file is put back, with `qorgan begin-epoch` or with nobody saying so. Some tablets die with
the office; one is enrolled on the way, maybe after the backup, so that the restored office never heard of it; a quarter
of the seeds lose the office a second time, back to the same backup or to a later one.
"""

from __future__ import annotations

from random import Random

from field_app.acts import interviews, records, visits
from field_app.enrolment import enrol
from field_app.store.store import Store
from server.accounts import actions as accounts
from server.accounts.actions import NewPerson
from server.ledger import queries
from server.ledger.actions import record as act
from server.ledger.verify import verify
from shared.accounts import Role, RoleGranted
from shared.values import DeviceId, SubjectId
from shared.visits import GroupFormed, OfficerAssigned
from tests.ground import PIN, Tablet, TabletKeystore, World
from tests.ground.clock import Skewed
from tests.ground.founding import INSTITUTION, OFFICE_PORT
from tests.ground.line import Line, laid
from tests.ground.tablet import CHEAP
from tests.operating.disaster import Disasters, Operation, at_the_office, on_the_tablet
from tests.trials.trial import Ground, Trial

STEPS = 14
START_AT = 3
NEWCOMER = "newcomer"
NEWCOMER_PORT = OFFICE_PORT + 90


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when an operation that could be back is not, or somebody was not told."""
    chance = Random(seed)
    with World.open(ground.folder / "world") as world:
        play = _Play(world, chance)
        with laid({NEWCOMER_PORT: play.line}):
            play.work()
            play.lose()
            play.heal()
            if play.again:
                play.work_on()
                play.lose()
                play.heal()


class _Play:
    """One schedule: steps of work with a backup between two of them, the loss, and what comes after."""

    def __init__(self, world: World, chance: Random) -> None:
        self.world, self.chance = world, chance
        self.line = Line(world.application)
        self.disasters = Disasters(world)
        self.record = SubjectId("")
        self.said = 0
        self.backup_at = chance.randint(0, STEPS)
        self.enrol_at = chance.randint(0, STEPS)
        self.by_copy = chance.random() < 0.3
        self.is_said = not self.by_copy or chance.random() < 0.5
        self.again = chance.random() < 0.25
        self.copies: list[object] = []
        self.alive = sorted(chance.sample(["leader", "other", "third"], chance.randint(1, 3)))

    # ── work ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def work(self) -> None:
        """Everything before the office is lost."""
        for step in range(STEPS + 1):
            if step == self.backup_at:
                self._keep()
            if step == self.enrol_at:
                self._enrol()
            self._step(step)
        for tablet in self.world.tablets.values():  # everybody was in contact at least once
            self._sync(tablet)

    def work_on(self) -> None:
        """Work after the first loss, some of it behind a second backup."""
        if self.chance.random() < 0.5:
            self._keep()
        for _ in range(4):
            self._step(STEPS)

    def _keep(self) -> None:
        if self.by_copy:
            self.copies.append(self.disasters.copy())
        else:
            self.disasters.back_up()

    def _step(self, step: int) -> None:
        world, chance = self.world, self.chance
        if step == START_AT:
            leader = world.tablets["leader"]
            visits.start(leader.store, world.visit, INSTITUTION, leader.clock())
            self._sync(leader)
            self.record = leader.record(world.visit)
        tablet = chance.choice(list(world.tablets.values()))
        if step > START_AT and tablet.store.state(self.record) is not None:
            for _ in range(chance.randint(1, 4)):
                self.said += 1
                records.answer(tablet.store, self.record, f"/mc/q{self.said}", self.said, tablet.clock())
            if chance.random() < 0.3:
                records.note(tablet.store, self.record, f"word {self.said}", tablet.clock())
            if chance.random() < 0.2:
                interviews.begin(tablet.store, self.record, tablet.clock())
        if chance.random() < 0.3:
            self._office_acts()
        for each in list(world.tablets.values()):
            if chance.random() < 0.6:
                self._sync(each)

    def _office_acts(self) -> None:
        """Something only the office writes, in subjects that tablets read."""
        world = self.world
        if self.chance.random() < 0.5:
            officer = world.people[self.chance.choice(["officer", "officer_two"])]
            world.write(world.visit, "secretary", OfficerAssigned(person=officer))
        else:
            person = self.world.people[self.chance.choice(["leader", "other", "third"])]
            granted = RoleGranted(role=Role.EXPERT, since="2026-03-01", second=self.world.people["secretary"])
            world.write(SubjectId(person), "admin", granted)

    def _enrol(self) -> None:
        world = self.world
        with world.office.database.write() as session:
            admin, second = world.people["admin"], world.people["secretary"]
            person = accounts.add_person(session, world.office, admin, NewPerson("Newcomer", ()), world.now)
            granted = RoleGranted(role=Role.NPM_MEMBER, since="2026-01-01", second=second)
            act(session, world.office, SubjectId(person), admin, [granted], world.now)
            code = accounts.make_code(session, world.office, admin, person, world.now)
        folder = world.folder / NEWCOMER
        store = Store.create(folder, PIN, TabletKeystore(), world.now, CHEAP)
        enrol(store, f"http://127.0.0.1:{NEWCOMER_PORT}", code, NEWCOMER)
        device = DeviceId(store.identity.device)
        with world.office.database.write() as session:
            accounts.confirm_device(session, world.office, second, device, world.now)
        world.people[NEWCOMER] = person
        tablet = Tablet(NEWCOMER, folder, person, device, self.line, Skewed(world.clock), _store=store)
        world.tablets[NEWCOMER] = tablet
        self.alive.append(NEWCOMER)
        if not self.record:
            group = tuple(world.people[name] for name in ("leader", "other", "third", NEWCOMER))
            world.write(world.visit, "secretary", GroupFormed(members=group, leader=group[0], least=2))
        self._sync(tablet)
        records.loose_note(store, "mine alone", tablet.clock())
        self._sync(tablet)

    def _sync(self, tablet: Tablet) -> str:
        self.world.clock.pass_(seconds=40)
        return tablet.sync().trouble

    # ── loss ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def lose(self) -> None:
        """The office is put back; tablets that died are gone for good."""
        for name in [name for name in self.world.tablets if name not in self.alive]:
            self.world.tablets.pop(name).abandon()
        living = list(self.world.tablets.values())
        self.before = {tablet.name: on_the_tablet(tablet) for tablet in living}
        lost = at_the_office(self.world)
        self.alarms = {tablet.name: len(_restored(tablet)) for tablet in living}
        self.epoch = self._epoch()
        if self.by_copy:
            self.disasters.put_back(self.copies[-1], is_said=self.is_said)  # type: ignore[arg-type]
        else:
            self.disasters.restore(self.chance.choice(self.disasters.made))
        self.lost = lost - at_the_office(self.world)

    def _epoch(self) -> int:
        with self.world.office.database.read() as session:
            return queries.counter(session).epoch

    def heal(self) -> None:
        """Living tablets come when they come; after that everything they wrote or read is back, and they were told."""
        living = list(self.world.tablets.values())
        for _ in range(4):
            self.chance.shuffle(living)
            for tablet in living:
                self._sync(tablet)
        for tablet in living:
            trouble = self._sync(tablet)
            assert tablet.store.unsent() == 0, f"{tablet.name} keeps {tablet.store.unsent()} undelivered"
            if not self.is_said and trouble == "twin":
                continue  # the copy holds all it saw and only its nonce is newer: nothing tells this from a twin
            assert trouble == "", (tablet.name, trouble)
            assert not tablet.store.meta.revoked, f"{tablet.name} was taken for a twin"
        self._check(at_the_office(self.world))
        self._check_told(living)

    def _check(self, held: set[Operation]) -> None:
        could = set().union(*self.before.values())
        missing = could - held
        if not self.is_said:  # the office's own device went on under its old name: what it wrote anew is a fork
            missing = {each for each in missing if each[1] != self.world.office.keys.device}
        assert not missing, f"{len(missing)} of {len(self.lost)} lost operations are not back: {sorted(missing)[:3]}"
        with self.world.office.database.read() as session:
            found = verify(session)
            assert found.is_whole, found.wrong
        for tablet in self.world.tablets.values():
            assert not tablet.store.meta.differs, (tablet.name, tablet.store.meta.differs)

    def _check_told(self, living: list[Tablet]) -> None:
        if self.is_said:
            assert self._epoch() == self.disasters_epoch(), "the console shows another epoch"
        for tablet in living:
            is_apart = self.is_said or bool(self.lost & self.before[tablet.name])
            if is_apart and not (not self.is_said and tablet.store.meta.stopped == "twin"):
                assert len(_restored(tablet)) > self.alarms[tablet.name], f"{tablet.name} was not told"

    def disasters_epoch(self) -> int:
        """The epoch as the admin's page names it."""
        page = (
            self.world.client("admin", Role.ADMIN).get("/backups", base_url=self.world.address).get_data(as_text=True)
        )
        return int(page.split('data-epoch="', 1)[1].split('"', 1)[0])


def _restored(tablet: Tablet) -> list[object]:
    return [alarm for alarm in tablet.store.alarms() if alarm.code == "office_restored"]


TRIAL = Trial(
    "restored_server",
    traps=("B.9", "R8"),
    says="After a restore of any age everything that a living tablet wrote or had read is back, and everybody is told.",
    per_commit=12,
    release=200,
    run=run,
)
