"""`python -m tests.mutants [names] [--schedules N]`: breaks each guard in turn until a schedule or a test notices.

Prints a line a mutant and writes docs/results/mutants.md when all were asked for.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.ground.founding import MEMORY, founded
from tests.mutants.guards import Guard
from tests.mutants.promises import ALL
from tests.simulator.simulation import Violation, play

RESULTS = Path("docs/results/mutants.md")
KEPT = Path("var/campaign/mutants")
"""One file a mutant: what noticed it last time, empty for a survivor."""
TOOLS = "import os, sys, pytest; from tests.mutants.promises import ALL; " \
        "guard = next(each for each in ALL if each.name == sys.argv[1]); " \
        "os.environ['QORGAN_MUTANT'] = guard.name; held = guard.apply(); held.__enter__(); " \
        "sys.exit(pytest.main(['-q', '-x', *sys.argv[2:]]))"  # fmt: skip


def caught(guard: Guard, schedules: int) -> str:
    """What noticed that the guard is gone: a seed and its first line, or a test; "" when nothing did."""
    for seed in range(1, schedules + 1):
        folder = Path(tempfile.mkdtemp(prefix="qorgan-mutant-", dir=MEMORY if MEMORY.is_dir() else None))
        try:
            with guard.apply():
                play(seed, folder)
        except Violation as violation:
            return str(violation).split("\n", 1)[0][:160]
        except Exception as error:
            if isinstance(error, TypeError) and "argument" in str(error):
                raise  # the mutant does not fit what it breaks any more: it would prove nothing
            return f"seed {seed}: {type(error).__name__}: {error}"[:160]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    for test in guard.tests:
        done = subprocess.run(
            [sys.executable, "-c", TOOLS, guard.name, test], capture_output=True, text=True, check=False
        )
        if done.returncode == 1:
            last = next((line for line in reversed(done.stdout.splitlines()) if line.startswith("FAILED")), test)
            return last[:160]
    return ""


def main() -> int:
    """0 when at most one mutant survived."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*")
    asked.add_argument("--schedules", type=int, default=40)
    given = asked.parse_args()
    logging.disable(logging.CRITICAL)
    founded()
    KEPT.mkdir(parents=True, exist_ok=True)
    for guard in ALL:
        if given.names and guard.name not in given.names:
            continue
        by = caught(guard, given.schedules)
        (KEPT / guard.name).write_text(
            f"{by or f'survived {given.schedules} schedules'}\n{bool(by):d}", encoding="utf-8"
        )
        print(f"{guard.name}\t{'caught' if by else 'SURVIVED'}\t{by}", flush=True)
        if not given.names:
            write_results()
    return 0 if sum(not is_caught for _, _, is_caught in results()) <= 1 else 1


def results() -> list[tuple[Guard, str, bool]]:
    """Every mutant tried so far: what noticed it, and whether anything did."""
    found = []
    for guard in ALL:
        path = KEPT / guard.name
        if path.exists():
            by, is_caught = path.read_text(encoding="utf-8").rsplit("\n", 1)
            found.append((guard, by, is_caught == "1"))
    return found


def write_results() -> None:
    """The table of all mutants tried so far."""
    tried = results()
    count = sum(is_caught for _, _, is_caught in tried)
    lines = [
        f"| {guard.name} | {guard.breaks} | {'caught' if is_caught else 'survived'} | {by.replace('|', '/')} |"
        for guard, by, is_caught in tried
    ]
    head = (
        "# Guards broken on purpose\n\n"
        "`python -m tests.mutants`: each guard is taken away until a schedule or a test notices.\n"
        f"{len(ALL)} mutants, {len(tried)} tried, {count} caught.\n\n"
        "| guard | what is broken | | noticed by |\n|---|---|---|---|\n"
    )
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
