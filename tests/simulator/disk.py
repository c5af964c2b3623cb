"""The tablet's disk seen write by write: a process that dies at one, a disk that is full from one on, a lost cache.

A write point is every call that changes the disk: a statement of SQLite that writes, begins or commits; a piece, an
fsync or a cut of the copy; the steps of laying a file down. A dead process writes nothing more, not even to tidy up.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from field_app.store import copy, database, disk

WRITES = ("begin", "insert", "delete", "update", "commit")


class Killed(BaseException):
    """The process of this tablet is gone."""


@dataclass
class Disk:
    """The disks of all tablets of a world, told apart by folder. Only one folder is in trouble at a time."""

    folder: Path | None = None
    die_at: int = 0
    full_from: int = 0
    full_for: int = 0
    points: int = 0
    dead: bool = False
    met: int = 0
    """How often trouble met a write since it was armed."""
    synced: dict[Path, int] = field(default_factory=dict)
    """Length of each copy at its last fsync."""
    inodes: dict[Path, int] = field(default_factory=dict)
    """Which file that is: one laid down anew in its place was waited for whole."""

    def arm_kill(self, folder: Path, at: int) -> None:
        """The process of this folder dies at its `at`-th write point from now on."""
        self._arm(folder)
        self.die_at = at

    def arm_full(self, folder: Path, at: int, times: int) -> None:
        """From its `at`-th write point on `times` writes of this folder find no room."""
        self._arm(folder)
        self.full_from, self.full_for = at, times

    def _arm(self, folder: Path) -> None:
        self.calm()
        self.folder = folder

    def calm(self) -> None:
        """No trouble any more."""
        self.folder, self.die_at, self.full_from, self.full_for = None, 0, 0, 0
        self.points, self.dead, self.met = 0, False, 0

    def point(self, path: Path, grows: bool = True) -> None:
        """One write point at this path. Raises Killed, or OSError ENOSPC for a write that needs room."""
        if self.folder is None or self.folder not in path.parents:
            return
        if self.dead:
            raise Killed
        self.points += 1
        if self.die_at and self.points >= self.die_at:
            self.dead = True
            self.met += 1
            raise Killed
        if grows and self.full_from and self.full_from <= self.points < self.full_from + self.full_for:
            self.met += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _Connection:
    """A connection of SQLite whose writes are write points."""

    def __init__(self, connection: sqlite3.Connection, disk: Disk, path: Path) -> None:
        self._connection, self._disk, self._path = connection, disk, path

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement.lstrip()[:6].lower().startswith(WRITES):
            try:
                self._disk.point(self._path)
            except OSError as error:
                full = sqlite3.OperationalError("database or disk is full")
                full.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise full from error
        elif self._disk.dead and statement == "rollback":
            self._disk.point(self._path)
        return self._connection.execute(statement, *values)

    def executescript(self, script: str) -> sqlite3.Cursor:
        return self._connection.executescript(script)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def watched(found: Disk) -> Iterator[Disk]:
    """While this lasts, the stores of this process write through `found`."""
    real_connect = sqlite3.connect
    paths: dict[int, Path] = {}

    def connect(path: Any, **rest: Any) -> _Connection:
        return _Connection(real_connect(path, **rest), found, Path(path))

    def opened(path: Any, *rest: Any) -> int:
        descriptor = os.open(path, *rest)
        paths[descriptor] = Path(path)
        known = os.fstat(descriptor)
        if found.inodes.get(Path(path)) != known.st_ino:
            found.inodes[Path(path)], found.synced[Path(path)] = known.st_ino, known.st_size
        return descriptor

    def pwrite(descriptor: int, data: bytes, at: int) -> int:
        try:
            found.point(paths[descriptor])
        except Killed:
            os.pwrite(descriptor, data[: len(data) // 2], at)  # what a dying process leaves: a torn record
            raise
        return os.pwrite(descriptor, data, at)

    def fsync(descriptor: int) -> None:
        path = paths.get(descriptor)
        if path is not None:
            found.point(path, grows=False)
            found.synced[path] = os.fstat(descriptor).st_size
        os.fsync(descriptor)

    def ftruncate(descriptor: int, size: int) -> None:
        found.point(paths[descriptor], grows=False)
        os.ftruncate(descriptor, size)
        found.synced[paths[descriptor]] = min(size, found.synced.get(paths[descriptor], size))

    def write_whole(path: Path, data: bytes) -> None:
        found.point(path)
        real_write_whole(path, data)
        found.point(path, grows=False)

    real_write_whole = disk.write_whole
    copy_os = _Over(os, open=opened, pwrite=pwrite, fsync=fsync, ftruncate=ftruncate)
    with ExitStack() as stack:
        stack.enter_context(patch.object(database, "sqlite3", _Over(sqlite3, connect=connect)))
        stack.enter_context(patch.object(copy, "os", copy_os))
        for name in ("field_app.store.store.write_whole", "field_app.store.copy.write_whole"):
            stack.enter_context(patch(name, write_whole))
        yield found


class _Over:
    """A module with some of its functions replaced."""

    def __init__(self, module: Any, **replaced: Any) -> None:
        self._module = module
        vars(self).update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def lose_cache(found: Disk, folder: Path) -> None:
    """Power loss: what was added to the copy after its last fsync is gone."""
    path = folder / "copy"
    size = found.synced.get(path)
    if size is not None and size < path.stat().st_size:
        os.truncate(path, size)


def ruin_database(folder: Path) -> None:
    """The database can no longer be read: its first page is zeroes, its log is gone."""
    for suffix in ("-wal", "-shm"):
        (folder / f"store.db{suffix}").unlink(missing_ok=True)
    with (folder / "store.db").open("r+b") as file:
        file.write(bytes(4096))


def flip_byte(path: Path, share: float) -> None:
    """One byte of the file is another."""
    size = path.stat().st_size
    if size:
        with path.open("r+b") as file:
            file.seek(min(size - 1, int(size * share)))
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes((byte[0] ^ 0x41,)))
