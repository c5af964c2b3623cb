"""Two processes that want one tablet's store at the same time, and what must hold of it: one whole child.

Button and timer, or an app started twice: each process opens the store, writes, syncs over HTTP and lets it go, again
and again, without a word between them. A witness beside the store says whether both ever had it.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import mmap
import os
import random
import signal
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from field_app.acts import records
from field_app.store.errors import StoreBusy
from tests.faults.office_acts import serving, turn_to
from tests.faults.scene import standing
from tests.faults.yard import Stand
from tests.ground import Tablet, World
from tests.simulator.limits import small_pages

TURNS = 4
"""How often each process has the store."""
OVERLAP_SECONDS = 0.05
TOLD_SECONDS = 120.0


def two_processes(stand: Stand, folder: str, seed: int) -> dict[str, int]:
    """Two processes on the leader's folder while a colleague's pages wait; in half the seeds one is killed.

    Raises AssertionError when both had the store, a page was skipped, or an answer that was saved is missing or twice.
    """
    chance, place = random.Random(seed), Path(folder)
    with standing(place, ("leader", "other")) as world, small_pages(chance):
        other, record = world.tablets["other"], world.tablets["other"].record(world.visit)
        for number in range(chance.randint(3, 25)):
            records.answer(other.store, record, f"/mc/o{number}", 90_000 + number, other.clock())
        with serving(place, lambda: None) as port:
            turn_to(other, port)
            assert other.sync().trouble == ""
            theirs = set(_values(other, record))
            tries = mmap.mmap(-1, 2)
            both = [_start(world, port, number, chance.getrandbits(32), tries) for number in (0, 1)]
            if chance.random() < 0.5:
                killed = chance.choice(both)
                killed.hear(chance.randint(1, TURNS))
                os.kill(killed.id, signal.SIGKILL)
                killed.is_killed = True
            for each in both:
                each.hear_all()
            leader = world.tablets["leader"]
            for tablet in (leader, other, leader, other):
                turn_to(tablet, port)
                world.clock.pass_(minutes=2)
                assert tablet.sync().trouble == ""
        return _check(world, both, theirs)


@dataclass
class _Process:
    """One of the two, as the other end of its pipe: a line for every answer saved."""

    id: int
    reading: Any
    lines: list[str]
    is_killed: bool = False

    def hear(self, count: int) -> None:
        """Waits for so many lines."""
        while len(self.lines) < count and (line := self.reading.readline()):
            self.lines.append(line.strip())

    def hear_all(self) -> None:
        """Waits for its end. Raises AssertionError with what it raised."""
        self.lines += [line.strip() for line in self.reading]
        self.reading.close()
        _, status = os.waitpid(self.id, 0)
        assert self.is_killed or status == 0, "\n".join(json.loads(self.lines[-1])["broke"].split("\\n"))

    def saved(self) -> set[int]:
        """The values of the answers it called saved."""
        return {said["saved"] for said in map(json.loads, self.lines) if "saved" in said}


def _start(world: World, port: int, number: int, seed: int, tries: mmap.mmap) -> _Process:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        code = 1
        try:
            _work(world, port, number, random.Random(seed), writing, tries)
            code = 0
        except BaseException:
            _say(writing, {"broke": traceback.format_exc()})
        finally:
            os._exit(code)
    os.close(writing)
    return _Process(child, os.fdopen(reading), [])


def _say(writing: int, said: dict[str, Any]) -> None:
    os.write(writing, (json.dumps(said) + "\n").encode())


def _work(
    world: World, port: int, number: int, chance: random.Random, writing: int, tries: mmap.mmap
) -> None:  # fmt: skip
    leader, turns = world.tablets["leader"], 0
    witness = os.open(world.folder / "witness", os.O_RDWR | os.O_CREAT)
    while turns < TURNS:
        try:
            store = leader.store
        except StoreBusy:
            tries[number] = tries[number] % 255 + 1
            continue
        fcntl.flock(witness, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where the other has the store too
        turns += 1
        _let_the_other_try(tries, number)
        turn_to(leader, port)
        record = leader.record(world.visit)
        for _ in range(chance.randint(0, 3)):
            value = chance.getrandbits(40) * 2 + number
            records.answer(store, record, f"/mc/p{value}", value, leader.clock())
            _say(writing, {"saved": value})
        world.clock.pass_(seconds=chance.randint(20, 90))
        assert leader.sync().trouble in ("", "no_network")
        fcntl.flock(witness, fcntl.LOCK_UN)
        leader.close()


def _let_the_other_try(tries: mmap.mmap, number: int) -> None:
    """Holds the store until the other process was told that it is taken. Raises AssertionError when it never is.

    Later than the first time it waits shortly only: the other one may have ended, or been killed.
    """
    other = 1 - number
    is_first, seen = not tries[number] and not tries[other], tries[other]
    until = time.monotonic() + (TOLD_SECONDS if is_first else OVERLAP_SECONDS)
    while tries[other] == seen and time.monotonic() < until:
        time.sleep(0.001)
    assert not is_first or tries[other] != seen, "the other process is not told that the store is taken"


def _values(tablet: Tablet, record: Any) -> list[int]:
    found = [each.body.value for each in tablet.store.operations(record) if each.kind == "answer_recorded"]
    return [value for value in found if isinstance(value, int)]


def _check(world: World, both: list[_Process], theirs: set[int]) -> dict[str, int]:
    leader, other = world.tablets["leader"], world.tablets["other"]
    record = leader.record(world.visit)
    held, at_office = _values(leader, record), [
        each.body.value for each in world.operations(record) if each.kind == "answer_recorded"
    ]  # fmt: skip
    saved = set[int]().union(*(each.saved() for each in both))
    assert saved | theirs <= set(held), f"{len((saved | theirs) - set(held))} answers are not on the tablet"
    assert Counter(held) == Counter(at_office) == Counter(_values(other, record)), "a page was skipped or taken twice"
    assert max(Counter(held).values()) == 1, "an answer is there twice"
    assert leader.store.unsent() == 0
    codes = {alarm.code for alarm in leader.store.alarms()}
    assert not codes & {"fork", "bad_seal", "emptied", "store_lost", "office_lost"}, codes
    assert not leader.store.meta.revoked, "two processes were taken for two tablets"
    leader.close()
    other.close()
    return {"saved": len(saved)}
