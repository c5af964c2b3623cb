"""Eight tablets push at once while two others pull and rights change: what they pulled is what was committed.

On PostgreSQL in threads and in two processes, on SQLite in two processes; every commit waits a little first,
so that a number given before it would be overtaken. One reader is taken out of one group and back in meanwhile: what it
joins again it must get whole.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random

from server.ledger import queries
from server.ledger.actions import record
from server.ledger.verify import verify
from shared.ledger.frame import read_frames
from shared.values import SubjectId
from shared.visits import GroupFormed
from tests.network.offices import Scene, scene
from tests.network.writing import Orders, Place, Task, pauses, place, tasks_of, write_all
from tests.trials.trial import Ground, Trial

WRITERS = 8
EACH = 8
ROOT = Path(__file__).parents[2]


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a committed frame was never pulled, or something pulled was never committed."""
    chance = Random(seed)
    in_processes = seed % 4 in (0, 1)
    on = scene(ground, "sqlite" if seed % 4 == 0 else "postgresql", members=WRITERS + 2, visits=WRITERS)
    tasks = tasks_of(chance, on, EACH)
    committed: list[Place] = []
    wrong: list[BaseException] = []
    done = threading.Event()

    def write() -> None:
        try:
            committed.extend(_in_processes(on, ground.folder, tasks) if in_processes else write_all(on.world, tasks))
        except BaseException as error:
            wrong.append(error)
        finally:
            done.set()

    follower = Follower(on)
    with pauses(seed):
        threads = [threading.Thread(target=write), threading.Thread(target=follower.follow, args=(done,))]
        for thread in threads:
            thread.start()
        _read(on, done, Group(chance, on))
        for thread in threads:
            thread.join()
    assert not wrong, wrong
    missed = {*committed} - follower.seen
    assert not missed, f"{len(missed)} of {len(committed)} committed frames stood behind the cursor when they came"
    on.tablets[-1].sync_all()
    pulled = {place(frame) for frame in on.tablets[-1].seen}
    records = {task.record for task in tasks}
    assert len(committed) == WRITERS * EACH
    lost = {*committed} - pulled
    assert not lost, f"{len(lost)} of {len(committed)} committed frames were never pulled"
    assert {each for each in pulled if each[1] in records} == {*committed}
    with on.world.office.database.read() as session:
        assert verify(session).is_whole
    on.close()


def _read(on: Scene, done: threading.Event, group: Group) -> None:
    """Pulls as fast as it can while the others write; now and then its rights change. In the end it is in again."""
    rounds = 0
    while not done.is_set():
        on.tablets[-1].sync()
        rounds += 1
        if rounds % 4 == 0:
            group.change()
    if group.left is not None:
        group.change()


class Follower:
    """Asks for the next page again and again, as no tablet could: what commits behind its cursor it never sees."""

    def __init__(self, on: Scene) -> None:
        self.seen: set[Place] = set()
        self._on, self._after = on, (0, 0)

    def follow(self, done: threading.Event) -> None:
        """Until the writers are done, and to the end of what they wrote."""
        while not done.is_set():
            self._step()
        while self._step():
            pass

    def _step(self) -> bool:
        tablet = self._on.tablets[-2]
        with self._on.world.office.database.read(behind=True) as session:
            found = queries.page(session, tablet.person, tablet.id, self._after)
        for data in found.frames:
            self.seen.update(place(frame) for frame in read_frames(data[:-1].split(b"\n")))
        self._after = found.cursor
        return bool(found.frames)


class Group:
    """The reader's place in the groups of the visits: taken out of one, then back in."""

    def __init__(self, chance: Random, on: Scene) -> None:
        self.left: SubjectId | None = None
        self._chance, self._on = chance, on

    def change(self) -> None:
        """Out of one of them, or back into the one it left."""
        members = tuple(tablet.person for tablet in self._on.tablets)
        if self.left is None:
            visit = self.left = self._chance.choice(self._on.visits)
            members = members[:-1]
        else:
            visit, self.left = self.left, None
        formed, world = GroupFormed(members=members, leader=members[0], least=1), self._on.world
        with world.office.database.write() as session:
            record(session, world.office, visit, world.founded.second, [formed], world.now)


def _in_processes(on: Scene, folder: Path, tasks: tuple[Task, ...]) -> list[Place]:
    """The tasks shared by this process and another."""
    office, file = on.world.office, folder / "orders"
    file.write_bytes(pickle.dumps(Orders(office.database.url, office.keys, on.world.now, tasks[::2])))
    other = subprocess.Popen([sys.executable, "-m", "tests.network.writing", file], cwd=ROOT)
    _wait_for(file.with_suffix(".begun"), other)
    own = write_all(on.world, tasks[1::2])
    assert other.wait(300) == 0
    return [*own, *pickle.loads(file.with_suffix(".done").read_bytes())]


def _wait_for(mark: Path, other: subprocess.Popen[bytes]) -> None:
    """Until the other process is about to write too: else this one would be done before."""
    until = time.monotonic() + 120
    while not mark.exists():
        assert other.poll() is None, "the other process ended"
        assert time.monotonic() < until, "the other process did not begin"
        time.sleep(0.02)


TRIAL = Trial(
    "cursor_race",
    traps=("B.2", "R6"),
    says="With eight writers and changing rights the set of frames pulled is the set committed.",
    per_commit=2,
    release=300,
    run=run,
)
