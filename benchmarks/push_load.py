"""Whole visits pushed by eight tablets at once against a running office: `qorgan serve` over loopback HTTP.

Every request is made and signed beforehand: one visit of 346 operations, gzip. The office does all it does in earnest:
SQLite `synchronous=FULL`, every check, a signed receipt. Held against one process that only verifies, parses, chains
and writes 346 rows, without HTTP (`limits.accept_ms`), measured between the bursts. What is accepted is projected
behind; how long that takes is shown too. Source: PERFORMANCE sections 4-6, SETTLED decisions 13, 28, decision 0009.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from benchmarks import limits
from benchmarks.clients import push_all
from benchmarks.figures import Figure
from benchmarks.ground import PASSPHRASE, TABLETS, Ground

VISITS = 320
"""Of one burst."""
WARM = 64
ROUNDS = 3
SINGLES = 5
"""Rounds of pushes one by one, one of each tablet: first and repeated, as a tablet repeats what it sent last.
More would meet the office's limit of exchanges a minute."""
START_SECONDS = 120
PROJECTED_SECONDS = 300


@dataclass
class Load:
    """What three bursts against one office came to."""

    rates: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    memory: float = 0.0
    first_ms: float = 0.0
    again_ms: float = 0.0

    @property
    def rate(self) -> float:
        """Visits a second."""
        return statistics.median(self.rates)

    @property
    def against_floor(self) -> float:
        """Visits a second against what the floor, taken beside each burst, would do."""
        return statistics.median(rate * floor / 1e3 for rate, floor in zip(self.rates, self.floors, strict=True))


@contextmanager
def served(ground: Ground) -> Iterator[tuple[int, int]]:
    """Port and process of the office, served by processes of its own as in earnest."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "QORGAN_DATA": str(ground.folder), "QORGAN_DATABASE": ground.url, "QORGAN_KEY_PASSPHRASE": PASSPHRASE,
    }  # fmt: skip
    with (ground.folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--port", str(port)], env=os.environ | settings,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for(port, server, ground.folder / "serve.log")
        yield port, server.pid
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(START_SECONDS)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text(errors="replace")[-2000:]) from None
            time.sleep(0.1)
        else:
            return


def memory_mb(group: int) -> float:
    """Proportional set size of every process of a group, in MB of 1024 × 1024 bytes."""
    kib = 0
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and os.getpgid(int(folder.name)) == group:
                lines = (folder / "smaps_rollup").read_text().splitlines()
                kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (ProcessLookupError, FileNotFoundError, PermissionError):
            continue  # it ended meanwhile
    return kib / 1024


def seconds_until_projected(ground: Ground) -> float:
    """How long what is accepted still waits from now on, by the projector of the office itself."""
    began = time.perf_counter()
    behind = text("SELECT count(*) FROM subjects WHERE projected < accepted")
    while True:
        with ground.office.database.read(behind=True) as session:
            if not session.execute(behind).scalar_one():
                return time.perf_counter() - began
        if time.perf_counter() - began > PROJECTED_SECONDS:
            raise TimeoutError("the office does not project")
        time.sleep(0.005)


def load(ground: Ground) -> Load:
    """Three bursts, the floor beside each, then single pushes: each a first time and once more."""
    found = Load()
    with served(ground) as (port, group):
        ground.check(push_all(port, ground.requests(WARM)).answers)
        for _ in range(ROUNDS):
            requests = ground.requests(VISITS)
            seconds_until_projected(ground)
            floor = limits.accept_ms()
            burst = push_all(port, requests)
            found.memory = max(found.memory, memory_mb(group))
            rest = seconds_until_projected(ground)
            found.floors.append((floor + limits.accept_ms()) / 2)
            ground.check(burst.answers)
            found.rates.append(VISITS / burst.seconds)
            found.p99.append(burst.p99)
            found.medians.append(statistics.median(burst.waits))
            found.whole.append(VISITS / (burst.seconds + rest))
            found.behind.append(rest)
        found.first_ms, found.again_ms = singles(ground, port)
    return found


def singles(ground: Ground, port: int) -> tuple[float, float]:
    """Median milliseconds of one push alone, and of the same push repeated."""
    first, again = [], []
    for _ in range(SINGLES):
        requests = ground.requests(TABLETS)
        seconds_until_projected(ground)
        burst = push_all(port, requests, clients=1)
        ground.check(burst.answers)
        seconds_until_projected(ground)
        first += burst.waits
        again += push_all(port, requests, clients=1).waits
    return statistics.median(first), statistics.median(again)


def _spread(values: Sequence[float], digits: int = 0) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values)


def figures() -> list[Figure]:
    """Speed, patience, memory and repetition of an office on SQLite under eight pushing tablets."""
    with tempfile.TemporaryDirectory(prefix="qorgan-load-") as folder:
        ground = Ground(Path(folder))
        found = load(ground)
        ground.office.database.engine.dispose()
    note = f"{found.rate:.0f} visits/s [{_spread(found.rates)}], floor {_spread(found.floors, 2)} ms a visit"
    whole = f"rest projected {_spread(found.behind, 2)} s after the last of {VISITS}"
    return [
        Figure("visits pushed by 8 tablets, against the floor", found.against_floor, "x", 0.8, False, note, 1.8),
        Figure("  p99 of a push by 8 tablets", statistics.median(found.p99), "ms", 40,
               note=f"median {statistics.median(found.medians):.1f} ms; of three runs {_spread(found.p99, 1)}", aim=15),
        Figure("  accepted and projected", statistics.median(found.whole), "1/s", note=whole),
        Figure("  memory of the office under it", found.memory, "MB", 180, aim=110, note="PSS of all its processes"),
        Figure("a push repeated, against the first", found.again_ms / found.first_ms, "x", 0.5, aim=0.3,
               note=f"{found.again_ms:.2f} against {found.first_ms:.2f} ms"),
    ]  # fmt: skip


if __name__ == "__main__":
    for figure in figures():
        print(figure.line(), figure.note, sep="\t")
