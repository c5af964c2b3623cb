"""Plays schedules: `python -m tests.simulator --seed 7` step by step, `--from 1 --count 1000` one after another."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.ground.founding import MEMORY
from tests.simulator.simulation import Violation, play


def main() -> int:
    """0 when every schedule held."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seed", type=int)
    asked.add_argument("--from", type=int, default=1, dest="first")
    asked.add_argument("--count", type=int, default=100)
    given = asked.parse_args()
    logging.disable(logging.CRITICAL)  # the office logs every refusal; here they are part of the schedule
    if given.seed is not None:
        return 0 if _one(given.seed, show=True) else 1
    broken, began, met = [], time.process_time(), Counter[str]()
    for seed in range(given.first, given.first + given.count):
        if not _one(seed, show=False, met=met):
            broken.append(seed)
    spent = time.process_time() - began
    print(f"{given.count} schedules, {len(broken)} broken {broken[:50]}, {spent / given.count:.3f} s each, {dict(met)}")
    return 1 if broken else 0


def _one(seed: int, *, show: bool, met: Counter[str] | None = None) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="qorgan-schedule-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        done = play(seed, folder, print if show else lambda line: None)
        if met is not None:
            met.update(done.met)
    except Violation as violation:
        first, *lines = str(violation).split("\n")
        print(first if not show else f"\n{first}", flush=True)
        if not show:
            print("\n".join(lines[-3:]), flush=True)
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
