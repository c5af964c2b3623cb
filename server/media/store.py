"""Where whole ciphertexts lie: in a folder (as it comes) or in a bucket of any store that speaks S3.

One small interface; what comes in pieces lies in a local folder first (`server.media.folder`) and moves here when it is
whole and its hash is right. Nothing here knows what a file is about. Source: SETTLED decisions 59, 61, 70.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from server.office import Office

READ_BYTES = 256 * 1024


class MediaStore(Protocol):
    """Whole files by SHA-256 (64 hex). Every method may be called from any thread."""

    def size(self, sha256: str) -> int | None:
        """Bytes of the file; None when it is not here."""

    def take(self, sha256: str, part: Path) -> None:
        """Takes over a whole file whose hash was checked; durable when this returns, and `part` is gone."""

    def settle(self, sha256: str) -> None:
        """A whole file that somebody may have left here without waiting for the disk is durable when this returns."""

    def read(self, sha256: str, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        """The bytes from `first` to `last`, both counted from 0 and inclusive, piece by piece. Raises KeyError."""

    def remove(self, sha256: str) -> None:
        """Forgets a file that nothing names."""

    def names(self) -> Iterator[str]:
        """Every file here, in order of its name."""


class FolderStore:
    """Files as `<2 hex>/<hash>` below a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where a file lies or will lie."""
        return self._folder / sha256[:2] / sha256

    def size(self, sha256: str) -> int | None:
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def take(self, sha256: str, part: Path) -> None:
        target = self.path(sha256)
        make_folders(target.parent)
        part.rename(target)
        sync_folder(target.parent)  # a name left in the other folder after a loss of power is swept away

    def settle(self, sha256: str) -> None:
        sync_folder(self.path(sha256).parent)  # its bytes were on the disk before it got this name

    def read(self, sha256: str, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        try:
            file = self.path(sha256).open("rb")
        except FileNotFoundError:
            raise KeyError(sha256) from None
        return _pieces(file, first, last)

    def remove(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        for folder in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(path.name for path in folder.iterdir())


def _pieces(file: object, first: int, last: int | None) -> Iterator[bytes]:
    with file:  # type: ignore[attr-defined]
        file.seek(first)  # type: ignore[attr-defined]
        left = None if last is None else last - first + 1
        while left is None or left > 0:
            piece = file.read(READ_BYTES if left is None else min(left, READ_BYTES))  # type: ignore[attr-defined]
            if not piece:
                return
            left = None if left is None else left - len(piece)
            yield piece


_named: set[Path] = set()
"""Folders whose names this process saw on the disk."""


def make_folders(folder: Path) -> None:
    """The folder with all above it, their names on the disk: a file goes with the name of any folder above it.

    One that stands may have been made by a process that was killed before it waited for the disk: the first time a
    process meets it, it waits for its name and the one above. That brings the names beside it to the disk too.
    """
    if folder in _named and folder.exists():
        return
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = [Path(each.path) for each in os.scandir(folder.parent) if each.is_dir(follow_symlinks=False)]
    for each in dict.fromkeys((folder, folder.parent, *missing)):
        sync_folder(each.parent)
    _named.update(beside, (folder,))


def sync_folder(path: Path) -> None:
    """The names in the folder are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@lru_cache(maxsize=8)
def store_at(folder: Path, address: str) -> MediaStore:
    """The store behind the setting QORGAN_MEDIA; "" means the folder. Raises ValueError for another address."""
    if not address:
        return FolderStore(folder)
    from server.media.bucket import bucket_at

    return bucket_at(address)


def store_of(office: Office) -> MediaStore:
    """The store of an office."""
    return store_at(office.media, office.config.media_store)
