"""The yard and what every sweep begins with: a world made once in memory, copied for each point."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.sweep import Sweep
from tests.faults.yard import the_yard

MEMORY = Path("/dev/shm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process has them all: a yard costs seconds."""
    for item in items:
        if "tests/faults" in item.nodeid or "faults/" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("faults"))


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A folder in memory for the whole session, with the worlds under `base`."""
    folder = Path(tempfile.mkdtemp(prefix="qorgan-faults-", dir=MEMORY if MEMORY.is_dir() else None))
    the_yard().run("tablet_acts:make", folder=folder / "base").well()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sweep(ground: Path) -> Sweep:
    """What the tests of a tablet go through its write points with."""
    return Sweep(the_yard(), ground, "leader", "tablet_acts:holds")
