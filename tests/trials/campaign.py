"""`make campaign`: trials at the size of a release, by hand, over hours; goes on where it stopped.

How far each trial came is kept in var/campaign; what was reached is written to docs/results, with the commits it ran
under and every seed that broke. Nothing here decides whether an invariant holds: the trials do.
Exit codes: 0 all seeds held; 1 a seed broke; 2 wrong use.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.util import Finalize
from pathlib import Path

from tests.postgres import Cluster
from tests.trials.trial import Trial, TrialFailed, every_trial, play

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "var" / "campaign"
RESULTS = ROOT / "docs" / "results"
SAVE_SECONDS = 10

_clusters: list[Cluster] = []


def _cluster() -> Cluster:
    """The PostgreSQL of this process."""
    if not _clusters:
        _clusters.append(Cluster())
        Finalize(None, _clusters[0].stop, exitpriority=10)
    return _clusters[0]


@dataclass
class Reached:
    """How far a campaign of one trial came.

    done     seeds that ran, 1 … next-1 and those ahead of it
    broke    seed → what broke
    mended   seed → what had broken; it holds since
    spent    seconds of work, all processes together
    commits  under which it ran, oldest first
    """

    next: int = 1
    ahead: set[int] = field(default_factory=set)
    broke: dict[int, str] = field(default_factory=dict)
    spent: float = 0.0
    commits: list[str] = field(default_factory=list)
    mended: dict[int, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Seeds that ran."""
        return self.next - 1 + len(self.ahead)

    def ran(self, seed: int, seconds: float, fault: str) -> None:
        """Notes a seed; fault "" when it held."""
        self.spent += seconds
        if seed >= self.next:
            self.ahead.add(seed)
        had_broken = self.broke.pop(seed, "")
        if fault:
            self.broke[seed] = fault
        elif had_broken:
            self.mended[seed] = had_broken
        while self.next in self.ahead:
            self.ahead.remove(self.next)
            self.next += 1


def load(trial: Trial) -> Reached:
    """What is kept of an earlier run; a fresh start when nothing is."""
    path = KEPT / f"{trial.name}.json"
    if not path.exists():
        return Reached()
    kept = json.loads(path.read_text())
    broke, mended = ({int(seed): fault for seed, fault in kept.get(which, {}).items()} for which in ("broke", "mended"))
    return Reached(kept["next"], set(kept["ahead"]), broke, kept["spent"], kept["commits"], mended)


def save(trial: Trial, reached: Reached) -> None:
    """Keeps how far it came, whole or not at all, and writes the result for readers."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{trial.name}.json"
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps({**reached.__dict__, "ahead": sorted(reached.ahead)}))
    beside.replace(path)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"campaign-{trial.name}.md").write_text(page(trial, reached, datetime.now(UTC)))


def page(trial: Trial, reached: Reached, now: datetime) -> str:
    """The result of one trial in Markdown."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    bound = f"under {3 / reached.count:.2%} (95 %, three in n)" if reached.count and not reached.broke else "–"
    lines = [
        f"# Campaign: {trial.name}",
        "",
        f"{trial.says} Proves {', '.join(trial.traps)}.",
        "",
        f"{now:%d.%m.%Y %H:%M} UTC. {machine}. Commits: {', '.join(reached.commits)}.",
        "",
        "| seeds run | of a release's | broke | true rate | seconds a seed |",
        "|---|---|---|---|---|",
        f"| {reached.count} | {trial.release} | {len(reached.broke)} | {bound} | {_each(reached)} |",
        "",
    ]
    lines += [f"- seed {seed} breaks: {_short(fault)}" for seed, fault in sorted(reached.broke.items())]
    lines += [f"- seed {seed} broke under an earlier commit and holds: {_short(fault)}"
              for seed, fault in sorted(reached.mended.items())]  # fmt: skip
    again = f"`python -m tests.trials.campaign {trial.name}` goes on; `--seed S` plays one seed again."
    return "\n".join([*lines, *([""] if reached.broke or reached.mended else []), again, ""])


def _short(fault: str) -> str:
    """The first words of what broke, in one line, without the schedule behind them."""
    return " ".join(fault.replace("\\n", "\n").split("\n")[0].split())[:300]


def _each(reached: Reached) -> str:
    return f"{reached.spent / reached.count:.2f}" if reached.count else "–"


def _one(name: str, seed: int) -> tuple[int, float, str]:
    """Runs a seed in a process of the campaign: seed, seconds, what broke."""
    trial = _named(name)
    began = time.monotonic()
    fault = ""
    try:
        play(trial, seed, _cluster)
    except TrialFailed as error:
        fault = str(error)
    return seed, time.monotonic() - began, fault


def _named(name: str) -> Trial:
    return next(trial for trial in every_trial() if trial.name == name)


def run(trial: Trial, pool: ProcessPoolExecutor, workers: int, count: int, until: float) -> Reached:
    """Goes on with a trial to `count` seeds or the moment `until` (monotonic seconds)."""
    reached = load(trial)
    commit = _commit()
    if commit not in reached.commits:
        reached.commits.append(commit)
    waiting = _due(reached, count)
    under_way: set[Future[tuple[int, float, str]]] = set()
    saved = time.monotonic()
    while True:
        while len(under_way) < 2 * workers and time.monotonic() < until:
            seed = next(waiting, None)
            if seed is None:
                break
            under_way.add(pool.submit(_one, trial.name, seed))
        if not under_way:
            break
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        for each in done:
            seed, seconds, fault = each.result()
            reached.ran(seed, seconds, fault)
            if fault:
                print(f"\n{fault}", flush=True)
        if time.monotonic() - saved > SAVE_SECONDS:
            save(trial, reached)
            saved = time.monotonic()
        print(f"\r{trial.name}: {reached.count} of {count}, {len(reached.broke)} broke", end="", flush=True)
    save(trial, reached)
    print(f"\r{trial.name}: {reached.count} of {count}, {len(reached.broke)} broke, {_each(reached)} s a seed")
    return reached


def _due(reached: Reached, count: int) -> Iterator[int]:
    """Seeds that broke first, then the new ones."""
    fresh = (seed for seed in range(reached.next, count + 1) if seed not in reached.ahead)
    return itertools.chain(sorted(reached.broke), fresh)


def _commit() -> str:
    """The commit in hand; "+" behind it when the tree differs in more than what campaigns write themselves."""
    name = _git("describe", "--always")
    return f"{name}+" if _git("diff", "HEAD", "--name-only", "--", ":!docs/results") else name or "unknown"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    trials = every_trial()
    parser = argparse.ArgumentParser(prog="python -m tests.trials.campaign", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *(trial.name for trial in trials)], metavar="TRIAL")
    parser.add_argument("--count", type=int, default=0, help="seeds of each (default: the size of a release)")
    parser.add_argument("--seed", type=int, default=0, help="play one seed here and now, with everything it says")
    parser.add_argument("--minutes", type=float, default=0, help="stop a trial after so long (default: never)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    given = parser.parse_args(arguments)
    chosen = [trial for trial in trials if not given.names or trial.name in given.names]
    if given.seed:
        if len(chosen) != 1:
            parser.error("--seed wants one trial")
        play(chosen[0], given.seed, _cluster)
        print(f"{chosen[0].name}: seed {given.seed} holds")
        return 0
    broke = False
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        for trial in chosen:
            until = time.monotonic() + given.minutes * 60 if given.minutes else float("inf")
            broke |= bool(run(trial, pool, given.workers, given.count or trial.release, until).broke)
    return int(broke)


if __name__ == "__main__":
    sys.exit(main())
