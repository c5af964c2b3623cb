"""The folder of ciphertexts: `parts/<hash>` while a file comes, `<2 hex>/<hash>` once it is whole.

The length of a part is its offset; a piece is on the disk before the answer leaves. One writer a file, also among
several processes. Nothing here knows what a file is about.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RESERVE = 64 * 1024 * 1024
"""Bytes that stay free for the database."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class DiskFull(Exception):
    """There is no room for these bytes; what was stored before is untouched."""


class WrongOffset(Exception):
    """The part does not end where the piece begins. `offset` is where it ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(str(offset))
        self.offset = offset


class HashWrong(Exception):
    """The whole file has another hash than its name; the part is gone."""


def whole_path(folder: Path, sha256: str) -> Path:
    """Where the whole file lies."""
    return folder / sha256[:2] / sha256


def part_path(folder: Path, sha256: str) -> Path:
    """Where the file lies while it comes."""
    return folder / "parts" / sha256


def offset(folder: Path, sha256: str) -> int:
    """How many bytes are held, of the whole file or of its part."""
    for path in (whole_path(folder, sha256), part_path(folder, sha256)):
        if path.exists():
            return path.stat().st_size
    return 0


def check_room(folder: Path, size: int) -> None:
    """Raises DiskFull when a file of this size would leave less than the reserve."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(folder).free < size + RESERVE:
        raise DiskFull


def append(folder: Path, sha256: str, at: int, piece: bytes, size: int) -> int:
    """Writes a piece at the end of the part and gives the new offset; the last piece makes the file whole.

    Raises WrongOffset, DiskFull, HashWrong.
    """
    path = part_path(folder, sha256)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(path) as handle:
        held = os.fstat(handle).st_size
        if whole_path(folder, sha256).exists():
            held = size
        if held != at:
            raise WrongOffset(held)
        _write(handle, held, piece)
        if held + len(piece) == size:
            _finish(folder, sha256, path)
        return held + len(piece)


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _write(handle: int, at: int, piece: bytes) -> None:
    try:
        written = 0
        while written < len(piece):
            written += os.pwrite(handle, piece[written:], at + written)
        os.fsync(handle)
    except OSError as error:
        os.ftruncate(handle, at)
        if error.errno in _FULL:
            raise DiskFull from error
        raise


def _finish(folder: Path, sha256: str, part: Path) -> None:
    with part.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            part.unlink()
            raise HashWrong
    target = whole_path(folder, sha256)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part.rename(target)
    for each in (target.parent, part.parent):
        _sync_folder(each)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(folder: Path, sha256: str) -> None:
    """Forgets a file that nothing names."""
    for path in (whole_path(folder, sha256), part_path(folder, sha256)):
        path.unlink(missing_ok=True)
