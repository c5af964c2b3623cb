"""What a trial is, the ground it stands on, and how one seed of it is run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from tests.postgres import Cluster

MEMORY = Path("/dev/shm")
"""A disk in memory: most trials are not about the disk."""
HERE = Path(__file__).parent


@dataclass
class Ground:
    """What one seed may use; all of it is gone afterwards.

    folder   empty, of this seed alone
    """

    folder: Path
    _cluster: Callable[[], Cluster]
    _urls: list[str] = field(default_factory=list)

    def postgres(self) -> str:
        """The address of an empty PostgreSQL database; the server starts when the first one is asked for."""
        url = self._cluster().new()
        self._urls.append(url)
        return url

    def migrated_postgres(self) -> str:
        """The address of a PostgreSQL database with all tables and no rows."""
        from server.migrations import migrate

        return self.filled_postgres("migrated", migrate)

    def filled_postgres(self, name: str, fill: Callable[[str], None]) -> str:
        """The address of a copy of a PostgreSQL database that `fill` (given an address) fills once a process."""
        url = self._cluster().filled(name, fill)
        self._urls.append(url)
        return url

    def clear(self) -> None:
        """Removes folder and databases."""
        for url in self._urls:
            self._cluster().drop(url)
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Trial:
    """One seeded proof.

    traps        what it proves: traps "B.4" and plan rows "R1" of SECURITY
    says         one sentence: what holds
    per_commit   seeds in `make test`
    release      seeds in a full campaign
    run          raises when an invariant breaks; all its chance comes from the seed
    on_disk      whether its folder lies on a real disk instead of in memory
    """

    name: str
    traps: tuple[str, ...]
    says: str
    per_commit: int
    release: int
    run: Callable[[int, Ground], None]
    on_disk: bool = False


class TrialFailed(AssertionError):
    """A seed broke an invariant; the message holds the command that plays it again."""


@contextmanager
def _ground(trial: Trial, cluster: Callable[[], Cluster]) -> Iterator[Ground]:
    where = MEMORY if MEMORY.is_dir() and not trial.on_disk else None
    ground = Ground(Path(tempfile.mkdtemp(prefix=f"qorgan-{trial.name}-", dir=where)), cluster)
    try:
        yield ground
    finally:
        ground.clear()


def play(trial: Trial, seed: int, cluster: Callable[[], Cluster]) -> None:
    """One seed on fresh ground. Raises TrialFailed from whatever the trial raised."""
    with _ground(trial, cluster) as ground:
        try:
            trial.run(seed, ground)
        except Exception as error:
            again = f"python -m tests.trials.campaign {trial.name} --seed {seed}"
            raise TrialFailed(f"{trial.name}, seed {seed}: {error!r:.2000}\nagain: {again}") from error


def every_trial() -> tuple[Trial, ...]:
    """All trials by name: each file of this folder that has one."""
    own = {"__init__", "trial", "campaign"}
    names = [path.stem for path in HERE.glob("*.py") if path.stem not in own and not path.stem.startswith("test_")]
    modules = [import_module(f"tests.trials.{name}") for name in names]
    found = sorted((module.TRIAL for module in modules if hasattr(module, "TRIAL")), key=lambda trial: trial.name)
    return tuple(found)
