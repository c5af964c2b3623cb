"""The files of photos and recordings in a folder of backups: `media/<2 hex>/<hash>`, each once however many backups.

They are ciphertext already, sealed on the tablet, and named by their hash: copying them as they are keeps backups small
and lets anybody prove them without a key. Nothing that stands is overwritten. Source: SETTLED decision 59; decision
0009.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from server.media.store import FolderStore, MediaStore

Progress = Callable[[int, int], None]
Wanted = Iterable[tuple[str, int]]
"""Files as (hash, size)."""


class FilesMissing(Exception):
    """Files that should be here are not, or are not what their name says. `names` are their hashes."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{len(names)}")
        self.names = names


def copy_all(source: MediaStore, target: MediaStore, workshop: Path, wanted: Wanted, progress: Progress) -> int:
    """Copies the files that the target lacks or holds with another size; each is read back and on the disk.

    workshop  a folder beside the target, where a file lies until it is whole and proven

    Returns how many were copied. Raises FilesMissing when everything else is copied.
    """
    files, missing, copied = list(wanted), [], 0
    workshop.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number, (name, size) in enumerate(files, 1):
        if target.size(name) != size:
            part = workshop / f".{name}.part"
            if _written(source, name, part):
                target.take(name, part)
                copied += 1
            else:
                missing.append(name)
        progress(number, len(files))
    if missing:
        raise FilesMissing(missing)
    return copied


def _written(source: MediaStore, name: str, part: Path) -> bool:
    """Whether the file lies in the part now, as read back from the disk."""
    try:
        pieces = source.read(name)
    except KeyError:
        return False
    with part.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with part.open("rb") as file:
        is_right = hashlib.file_digest(file, "sha256").hexdigest() == name
    if not is_right:
        part.unlink()
    return is_right


def wrong(store: MediaStore, wanted: Wanted, progress: Progress) -> Iterator[str]:
    """Names of files that are missing or whose bytes are not what their name says; every byte is read."""
    files = list(wanted)
    for number, (name, _) in enumerate(files, 1):
        digest = hashlib.sha256()
        try:
            for piece in store.read(name):
                digest.update(piece)
        except KeyError:
            yield name
        else:
            if digest.hexdigest() != name:
                yield name
        progress(number, len(files))


def beside(target: Path) -> FolderStore:
    """The files in a folder of backups."""
    return FolderStore(target / "media")
