"""One schedule: drawn from a seed, played on a world, healed, and held to the invariants.

`play(seed, folder)` raises `Violation` with the whole schedule when something does not hold.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from field_app.store.errors import NotSaved, StoreError
from field_app.sync.worker import Round
from server.ledger import queries
from shared.errors import RuleBroken
from shared.report_document import Lacking
from tests.ground import Tablet, World
from tests.ground.chance import seeded
from tests.simulator import console, faults, invariants
from tests.simulator.acts import Hand
from tests.simulator.disk import Disk, Killed, watched
from tests.simulator.limits import small_pages
from tests.simulator.saves import Saves
from tests.simulator.scope import Scope
from tests.simulator.seals import remembered

LEAST_FAULTS = 8
ROUNDS_TO_DRAIN = 5
STOPPED = ("revoked", "twin", "fork")


class Violation(AssertionError):
    """An invariant does not hold; the message has the schedule."""


@dataclass
class Simulation:
    """A world under a schedule. `twins` are clones: the same device a second time."""

    seed: int
    world: World
    chance: random.Random
    disk: Disk
    saves: Saves = field(default_factory=Saves)
    scope: Scope = field(default_factory=Scope)
    log: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    twins: list[Tablet] = field(default_factory=list)
    cloned: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    backups: list[Path] = field(default_factory=list)
    restores: int = 0
    on_step: Callable[[str], None] = lambda line: None

    @property
    def tablets(self) -> list[Tablet]:
        """All tablets, twins last."""
        return [*self.world.tablets.values(), *self.twins]

    @property
    def hand(self) -> Hand:
        """The hand of whoever acts now."""
        return Hand(self.chance, self.saves, self.world.visit)

    def say(self, line: str) -> None:
        """One line of the schedule."""
        self.log.append(line)
        self.on_step(line)

    # ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def act(self, tablet: Tablet) -> None:
        """One act of a person. What comes back is saved; what is refused must have left nothing."""
        hand = self.hand
        name = hand.draw()
        said = self.saves.said
        try:
            typed = hand.act(tablet, name)
        except NotSaved as error:
            self._refused(said)
            self.say(f"{tablet.name}: {name} not saved ({error.code})")
        except (RuleBroken, Lacking, StoreError) as error:
            self.saves.acknowledge(tablet, {})
            self.say(f"{tablet.name}: {name} refused ({error})")
        except Killed:
            self.killed(tablet, f"{name} killed")
        else:
            done = self.saves.acknowledge(tablet, typed or {})
            self.say(f"{tablet.name}: {name} {'-' if typed is None else len(done)}")

    def _refused(self, said: int) -> None:
        """Words of a save that was refused: the person still has them, the system must not."""
        for number in range(said + 1, self.saves.said + 1):
            self.saves.refused.add(f"q{number:05d}zx")

    def killed(self, tablet: Tablet, line: str) -> None:
        """The tablet's process is gone; what it had written without saying so is known when it opens again."""
        self.disk.calm()
        tablet.abandon()
        self.say(f"{tablet.name}: {line}")
        self.saves.fresh(tablet)
        invariants.drafts_kept(self, tablet)

    def sync(self, tablet: Tablet) -> Round | None:
        """One round of sync."""
        self.world.clock.pass_(seconds=self.chance.randint(2, 20))
        try:
            done = tablet.sync()
        except Killed:
            self.killed(tablet, "sync killed")
            return None
        self.saves.fresh(tablet)
        self.scope.look(self.world, behind=True)
        moved = f"{done.exchanges} exchanges, {done.frames} frames, {done.files} files"
        self.say(f"{tablet.name}: sync {done.trouble or 'ok'} {done.detail} ({moved})")
        return done

    def office_acts(self) -> None:
        """One act in the console."""
        names = list(console.ACTS)
        name = self.chance.choices(names, [console.ACTS[each][0] for each in names])[0]
        self.scope.look(self.world)
        try:
            said = console.ACTS[name][1](self.world, self.chance)
        except RuleBroken as broken:
            said = f"refused ({broken})"
        self.scope.look(self.world)
        self.say(f"office: {name}: {said}")

    def step(self) -> None:
        """One act, sync or act of the office."""
        self.world.clock.pass_(seconds=self.chance.randint(1, 400))
        tablet = self.chance.choice(self.tablets)
        draw = self.chance.random()
        if draw < 0.86:
            self.act(tablet)
        elif draw < 0.96:
            self.sync(tablet)
        else:
            self.office_acts()

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def heal(self) -> None:
        """Nothing goes wrong any more: lines, disks and processes are well; whoever held something back lets it go."""
        self.disk.calm()
        self.say("healed")
        for tablet in self.tablets:
            tablet.line.heal()

    def drain(self) -> None:
        """Rounds until nothing waits. Raises when five are not enough.

        A tablet told for the first time that it is one of two is known to be that when it speaks again: it heard it.
        """
        told: set[str] = set()
        for number in range(1, ROUNDS_TO_DRAIN + 1):
            self.world.clock.pass_(seconds=90)
            position = self._position()
            troubles = [self.sync(tablet) for tablet in self.tablets]
            rounds = list(zip(self.tablets, troubles, strict=True))
            before, told = told, {tablet.name for tablet, done in rounds if done and done.trouble == "twin"}
            if told <= before and self._position() == position and all(self._is_quiet(*each) for each in rounds):
                self.say(f"quiet after {number} rounds")
                return
        invariants.drained(self)

    def _position(self) -> int:
        """How far the ledger goes: what one of two histories still brings, others have yet to read."""
        with self.world.office.database.read(behind=True) as session:
            return queries.counter(session).value

    def _is_quiet(self, tablet: Tablet, done: Round | None) -> bool:
        """Whether a round had nothing to do. A revoked tablet or a clone reads nothing and says so; of two histories
        the one that came second may go on saying what the office keeps aside."""
        if done is None:
            return False
        if done.trouble in STOPPED and tablet.name in self.revoked | self.cloned:
            return not done.files and (not done.frames or tablet.name in self.cloned)
        return not done.trouble and not done.frames and not done.files


def play(seed: int, folder: Path, on_step: Callable[[str], None] = lambda line: None) -> Simulation:
    """Plays the schedule of a seed and checks it. Raises Violation."""
    chance = random.Random(seed)
    names = ("leader", "other", "third", "outsider") if chance.random() < 0.25 else ("leader", "other", "third")
    with ExitStack() as stack:
        stack.enter_context(seeded(seed))
        stack.enter_context(small_pages(chance))
        stack.enter_context(remembered())
        disk = stack.enter_context(watched(Disk()))
        world = stack.enter_context(World.open(folder / "world", names))
        simulation = Simulation(seed, world, chance, disk, on_step=on_step)
        try:
            _play(simulation)
        except Exception as error:
            schedule = "\n".join(f"{number:4d} {line}" for number, line in enumerate(simulation.log, 1))
            raise Violation(f"seed {seed}: {type(error).__name__}: {error}\n{schedule}") from error
        return simulation


def _play(simulation: Simulation) -> None:
    chance = simulation.chance
    for tablet in simulation.world.tablets.values():
        simulation.saves.fresh(tablet)
    steps = chance.randint(60, 200)
    wrong = set(chance.sample(range(5, steps), chance.randint(LEAST_FAULTS, 14)))
    faults.take_backup(simulation)
    for number in range(steps):
        simulation.step()
        if number in wrong:
            faults.strike(simulation)
    while sum(simulation.met.values()) < LEAST_FAULTS:
        faults.strike(simulation)
    simulation.heal()
    simulation.drain()
    invariants.check(simulation)
