"""What a person with the office's machine can do beside the programs: put a copy of the data back in its place."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.ground import World


def put_back(world: World, kept: Path) -> None:
    """The office's database is that copy again, as if a file had been exchanged while nobody looked."""
    data = world.office.config.data
    world.office.database.engine.dispose()
    for suffix in ("-wal", "-shm"):
        (data / f"office.db{suffix}").unlink(missing_ok=True)
    shutil.copyfile(kept / "office.db", data / "office.db")
    world.restart_office()
