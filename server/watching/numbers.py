"""Numbers that several processes of one office count together, without a lock between them.

Each process has a small file of its own, mapped into memory: counting adds to a double in it. Whoever is asked sums all
files. A process that ended leaves its file; the next one that starts adds it to `past`, so that no counter ever falls.
The place of every number is fixed by `NAMES`; a file of another release has another name and is passed over.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterable
from pathlib import Path

from shared.ledger.crypto import sha256

SIZE = 8


class Numbers:
    """Counters by name, shared through the files of a folder."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        """names   every number there will ever be in this release"""
        self._places = {name: number for number, name in enumerate(dict.fromkeys(names))}
        self._release = sha256("\n".join(self._places).encode()).hex()[:12]
        self._folder = folder
        self._lock = threading.Lock()
        self._map: memoryview | None = None
        self._process = 0

    def add(self, *amounts: tuple[str, float]) -> None:
        """Adds to numbers by name. An unknown one is passed over: what is counted was said at the start."""
        with self._lock:
            own = self._own()
            for name, amount in amounts:
                place = self._places.get(name)
                if place is not None:
                    own[place] += amount

    def sums(self) -> dict[str, float]:
        """Every number over all processes, those that ended too."""
        with self._lock:
            self._own()
        totals = [0.0] * len(self._places)
        for path in self._folder.glob(f"{self._release}-*"):
            for place, value in enumerate(self._read(path)):
                totals[place] += value
        return dict(zip(self._places, totals, strict=True))

    def _read(self, path: Path) -> tuple[float, ...]:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return ()
        count = len(self._places)
        return struct.unpack(f"{count}d", data) if len(data) == count * SIZE else ()

    def _own(self) -> memoryview:
        """This process's file; a forked child makes its own."""
        if self._map is None or self._process != os.getpid():
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._gather_ended()
                self._process = os.getpid()
                path = self._folder / f"{self._release}-{self._process}"
                size = max(1, len(self._places)) * SIZE
                if not path.exists() or path.stat().st_size != size:
                    path.write_bytes(bytes(size))
                with path.open("r+b") as file:
                    self._map = memoryview(mmap.mmap(file.fileno(), size)).cast("d")
        return self._map

    def _gather_ended(self) -> None:
        past = self._folder / f"{self._release}-past"
        totals = list(self._read(past)) or [0.0] * len(self._places)
        ended = [path for path in self._folder.glob(f"{self._release}-[0-9]*") if not _lives(path)]
        for path in ended:
            for place, value in enumerate(self._read(path)):
                totals[place] += value
        if ended:
            fresh = past.with_name("gathering")
            fresh.write_bytes(struct.pack(f"{len(totals)}d", *totals))
            fresh.replace(past)
            for path in ended:
                path.unlink()


def _lives(path: Path) -> bool:
    try:
        os.kill(int(path.name.rsplit("-", 1)[1]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
