"""Going through every write point of an act: killed at each, torn, without power behind each, failing at each."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.disk import OUTCOMES, Cut, cuts, lay, read_log
from tests.faults.yard import KILL, TORN, Ran, Yard
from tests.ground.founding import copy_tree

IN_CAMPAIGN = os.environ.get("QORGAN_EXAMPLES") == "campaign"


@dataclass
class Act:
    """What is done, on which world, with what beside."""

    name: str
    world: str = "still"
    given: dict[str, Any] = field(default_factory=dict)


@dataclass
class Sweep:
    """One side of the line: the part of a world whose calls are followed, and the act that looks afterwards."""

    yard: Yard
    ground: Path
    part: str
    holds: str
    others: tuple[str, ...] = ("office",)

    def run(self, act: Act, log: bool = False, **asked: Any) -> Ran:
        """The act on a fresh copy of its world, under `run`."""
        place = self._fresh("run", act)
        path = self.ground / "log" if log else None
        return self.yard.run(f"{act.name}", root=place / self.part, log=path, folder=place, **act.given, **asked)

    def points(self, act: Act) -> int:
        """How many write points the act has."""
        ran = self.run(act).well()
        assert ran.ended == "done"
        assert ran.counted > 5, "the shim saw nothing: is the C library's call bound at start?"
        return ran.counted

    def look(self, place: Path, promised: tuple[str, ...], **given: Any) -> str:
        """What does not hold of the world in `place`; "" when all does."""
        said = [json.loads(mark) for mark in promised]
        return self.yard.run(self.holds, folder=place, promised=said, **given).error

    def killed_everywhere(self, act: Act, torn: bool = False, send_each: int = 1, step: int = 1) -> int:
        """Killed before every write point (or in the midst of every write), looked at each time. Gives the points.

        Ids are random, and so is how many pages a statement touches: a run may end before a point another one had.
        """
        count = self.points(act)
        for at in range(1, count + 1, 1 if IN_CAMPAIGN else step):
            ran = self.run(act, what=TORN if torn else KILL, at=at)
            is_past = ran.ended == "done" and ran.counted < at
            assert torn or is_past or ran.ended == "killed", f"{act.name}, point {at}: {ran.error}"
            fault = self.look(self.ground / "run", ran.marks, send=at % send_each == 0 or IN_CAMPAIGN)
            assert not fault, f"{act.name}, killed at point {at} of {count}:\n{fault}"
        return count

    def dark_everywhere(self, act: Act, seed: int = 1, seeds: int = 1, step: int = 1, **asked: Any) -> int:
        """The power goes behind every call; what was not waited for is dropped, or kept in part. Gives the images."""
        ran = self.run(act, log=True, **asked).well()
        assert ran.ended == "done"
        base, run = self.ground / "base" / act.world / self.part, self.ground / "run" / self.part
        calls, count = read_log(self.ground / "log"), 0
        for each in range(seed, seed + seeds):
            for cut in cuts(base, run, calls, OUTCOMES, each, 1 if IN_CAMPAIGN else step):
                place = self._fresh("dark", act, with_part=False)
                lay(cut.image, place / self.part)
                fault = self.look(place, cut.promised, send=False)
                where = f"{act.name}: power lost behind call {cut.at}, kept {cut.outcome}, seed {each}"
                assert not fault, f"{where}\n{fault}"
                count += 1
        return count

    def troubled_everywhere(self, act: Act, what: int, step: int = 1, send_each: int = 20) -> Counter[str]:
        """From every write point on, or at it, the disk fails (each `step`th per commit). The words of the refusals."""
        words: Counter[str] = Counter()
        for at in range(1, self.points(act) + 1, 1 if IN_CAMPAIGN else step):
            ran = self.run(act, what=what, at=at).well()
            assert ran.ended == "done"
            words.update(ran.result["refused"] if ran.result else ())
            fault = self.look(self.ground / "run", ran.marks, send=at % send_each == 0 or IN_CAMPAIGN)
            assert not fault, f"{act.name}, trouble at point {at}:\n{fault}"
        return words

    def killed_then_dark(self, act: Act, again: str, at: int) -> str:
        """Killed before a write point; `again` is what another process does then; behind its end the power goes.

        What the first had written, unsynced, the second found in the cache of the system. Gives what does not hold.
        """
        ran = self.run(act, log=True, what=KILL, at=at)
        assert ran.ended == "killed", ran.error
        base, run = self.ground / "base" / act.world / self.part, self.ground / "run" / self.part
        calls = read_log(self.ground / "log")
        after = self.yard.run(again, root=run, log=self.ground / "log", folder=self.ground / "run")
        if after.ended != "done":
            return after.error
        calls += read_log(self.ground / "log")
        return self._looked_dark(act, list(cuts(base, run, calls, OUTCOMES, step=len(calls)))[-len(OUTCOMES) :])

    def _looked_dark(self, act: Act, ends: list[Cut]) -> str:
        for cut in ends if IN_CAMPAIGN else ends[:: len(OUTCOMES) - 1]:
            place = self._fresh("dark", act, with_part=False)
            lay(cut.image, place / self.part)
            if fault := self.look(place, cut.promised, send=False):
                return f"power lost behind call {cut.at}, kept {cut.outcome}\n{fault}"
        return ""

    def each_trouble(self, act: Act, kinds: tuple[int, ...], step: int) -> Counter[str]:
        """Every kind of trouble at every write point; per commit each `step`th point, the kinds in turn.

        Gives the words of the refusals.
        """
        words: Counter[str] = Counter()
        for number, at in enumerate(range(1, self.points(act) + 1, 1 if IN_CAMPAIGN else step)):
            for what in kinds if IN_CAMPAIGN else kinds[number % len(kinds) :][:1]:
                ran = self.run(act, what=what, at=at).well()
                assert ran.ended == "done"
                words.update(ran.result["refused"])
                fault = self.look(self.ground / "run", ran.marks, send=False)
                assert not fault, f"{act.name}, trouble {what} at point {at}:\n{fault}"
        return words

    def dark_at_the_end(self, act: Act, **asked: Any) -> int:
        """The act runs to its end, and then the power goes. Gives the images."""
        self.run(act, log=True, **asked).well()
        base, run = self.ground / "base" / act.world / self.part, self.ground / "run" / self.part
        calls = read_log(self.ground / "log")
        images = list(cuts(base, run, calls, OUTCOMES, step=len(calls)))
        fault = self._looked_dark(act, images[-len(OUTCOMES) :])
        assert not fault, f"{act.name} {asked}: {fault}"
        return len(images)

    def _fresh(self, name: str, act: Act, with_part: bool = True) -> Path:
        place = self.ground / name
        shutil.rmtree(place, ignore_errors=True)
        for part in (*self.others, self.part) if with_part else self.others:
            if (self.ground / "base" / act.world / part).exists():
                copy_tree(self.ground / "base" / act.world / part, place / part)
        return place
