"""Writing to the disk so that it is there afterwards, and knowing how much room is left.

The ballast is 64 MB kept so that the text of the moment finds room when everything else is full.
Source: SETTLED decision 39, SECURITY B.17-B.19.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Literal

from field_app.store.errors import StoreBusy

BALLAST_BYTES = 64 * 1000 * 1000
LEAST_BYTES = 1000 * 1000
"""Below this the ballast is given up before the store is opened: opening needs some room itself."""
WARN_BYTES = 1000 * 1000 * 1000
MEDIA_STOP_BYTES = 500 * 1000 * 1000
Room = Literal["enough", "low", "text_only"]


def write_whole(path: Path, data: bytes) -> None:
    """The file holds either what it held or `data`, whatever happens meanwhile. Raises OSError, nothing is left."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    sync_folder(path.parent)


def keep_as(part: Path, path: Path) -> None:
    """A file written bit by bit gets its name once all of it is on the disk. Raises OSError."""
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(path)
    sync_folder(path.parent)


def write_over(path: Path, data: bytes) -> None:
    """The first bytes of a small file (within one sector) become `data`, at its place: a full disk has room for it.

    Raises OSError.
    """
    fresh = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, data, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if fresh:
        sync_folder(path.parent)


def make_folders(folder: Path) -> None:
    """The folder with all above it, their names on the disk. Raises OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for each in missing:
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """The names in the folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(folder: Path) -> int:
    """What an ordinary program may still write there."""
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize


def room(folder: Path) -> Room:
    """Whether to warn, and whether camera and recorder stop; text never does."""
    free = free_bytes(folder)
    if free < MEDIA_STOP_BYTES:
        return "text_only"
    return "low" if free < WARN_BYTES else "enough"


def keep_ballast(folder: Path, size: int = BALLAST_BYTES) -> None:
    """Lays the ballast down, whole or not at all, when there is room for it and as much again; else later."""
    path = folder / "ballast"
    if has_ballast(folder, size) or free_bytes(folder) < 2 * size:
        return
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError:
        drop_ballast(folder)


def has_ballast(folder: Path, size: int = BALLAST_BYTES) -> bool:
    """Whether it lies there whole."""
    try:
        return (folder / "ballast").stat().st_size >= size
    except OSError:
        return False


def need_room(folder: Path, least: int = LEAST_BYTES) -> None:
    """Before a start: the ballast goes when the disk is full."""
    if free_bytes(folder) < least:
        drop_ballast(folder)


def drop_ballast(folder: Path) -> bool:
    """Gives the ballast up; whether there was one."""
    try:
        (folder / "ballast").unlink()
    except OSError:
        return False
    return True


class FolderLock:
    """One process at a time has the folder; the system gives the lock back when the process dies.

    The folder itself is locked: that needs no room on the disk. `owner` says whose it is, as far as it can be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.open(folder, os.O_RDONLY)
        owner = folder / "owner"
        try:
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._folder)
            with contextlib.suppress(OSError, ValueError):
                raise StoreBusy(int(owner.read_text())) from None
            raise StoreBusy(0) from None
        with contextlib.suppress(OSError):
            owner.write_text(str(os.getpid()))

    def release(self) -> None:
        """The next one may have it."""
        if self._folder >= 0:
            os.close(self._folder)
        self._folder = -1
