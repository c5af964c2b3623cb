"""What a disk may hold after the power went: files and names as the calls up to a moment left them, less the unsynced.

Nothing counts as kept that was not waited for: bytes of a file not fsynced, names whose folder was not fsynced. Of what
was under way a disk may have kept nothing, all, a beginning, or any part. Source: SETTLED 70, SECURITY B.18, R4.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

_HEAD = struct.Struct("=cBiqII")
MADE, EMPTIED = 1, 2
Part = Literal["none", "all", "some"]
OUTCOMES: tuple[tuple[Part, Part], ...] = (("none", "none"), ("none", "all"), ("all", "none"), ("some", "some"))
"""What is kept of unsynced bytes and of unsynced names; all of both is what a kill leaves."""
SECTOR = 512


@dataclass(frozen=True)
class Call:
    """One call of the log; `op` as in shim.c."""

    op: str
    flags: int
    handle: int
    offset: int
    path: str
    data: bytes

    @property
    def changes(self) -> bool:
        """Whether a disk may differ behind it."""
        return self.op != "!" and (self.op != "o" or bool(self.flags))


def read_log(path: Path) -> list[Call]:
    """The calls of a run, in order; a torn end is left out."""
    data, at, calls = path.read_bytes(), 0, []
    while at + _HEAD.size <= len(data):
        op, flags, handle, offset, path_length, data_length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        end = at + path_length + data_length
        if end > len(data):
            break
        name = data[at : at + path_length].decode()
        calls.append(Call(op.decode(), flags, handle, offset, name, data[at + path_length : end]))
        at = end
    return calls


@dataclass
class _File:
    """Bytes that are kept, and changes not yet waited for: (offset, bytes), or (size, None) for a truncation."""

    kept: bytes = b""
    under_way: list[tuple[int, bytes | None]] = field(default_factory=list)

    def lose(self) -> None:
        """An fsync failed: the bytes under way can still be read, count as written, and never reach the disk."""
        self.under_way = [(offset, data) for offset, data in self.under_way if data is None]

    def after(self, part: Part, chance: random.Random) -> bytes:
        """What the disk holds of it."""
        if part == "none" or not self.under_way:
            return self.kept
        held = bytearray(self.kept)
        for offset, data in self.under_way:
            if part == "all" or chance.random() < 0.5:
                _change(held, offset, data if part == "all" or chance.random() < 0.8 else _torn(data, chance))
        return bytes(held)


def _torn(data: bytes | None, chance: random.Random) -> bytes | None:
    return data if data is None else data[: SECTOR * chance.randrange(0, len(data) // SECTOR + 1)]


def _change(held: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        held[offset:] = b""
        held.extend(bytes(offset - len(held)))
    elif data:
        held.extend(bytes(max(0, offset - len(held))))
        held[offset : offset + len(data)] = data


@dataclass(frozen=True)
class _Naming:
    """A change of names: file None means the name goes; `source` is set for a rename."""

    path: str
    file: _File | None
    source: str = ""

    @property
    def folders(self) -> set[str]:
        """Whose fsync keeps it."""
        return {each.rpartition("/")[0] for each in (self.path, self.source) if each}


FOLDER = _File()
"""Stands for a folder among the names."""


class Disk:
    """A folder on a disk, from its beginning (all of it kept) through the calls of a run."""

    def __init__(self, base: Path, root: Path) -> None:
        """base   a copy of the folder as it was when the run began; root: its path during the run."""
        self.root = str(root)
        self._kept: dict[str, _File] = {}
        for path in sorted(base.rglob("*")):
            name = f"{self.root}/{path.relative_to(base)}"
            self._kept[name] = FOLDER if path.is_dir() else _File(path.read_bytes())
        self._now = dict(self._kept)
        self._under_way: list[_Naming] = []
        self._handles: dict[int, tuple[str, _File]] = {}

    def follow(self, call: Call) -> None:
        """The disk after this call."""
        if call.op == "o":
            if call.flags & MADE:
                self._name(_Naming(call.path, _File()))
            file = self._now.get(call.path, FOLDER)
            self._handles[call.handle] = (call.path, file)
            if call.flags & EMPTIED:
                file.under_way.append((0, None))
        elif call.op == "w":
            self._handles[call.handle][1].under_way.append((call.offset, call.data))
        elif call.op == "t":
            self._handles[call.handle][1].under_way.append((call.offset, None))
        elif call.op == "s":
            self._sync(*self._handles[call.handle])
        elif call.op == "f":
            self._handles[call.handle][1].lose()
        elif call.op == "r":
            target = call.data.decode()
            for path in [each for each in self._now if each.startswith(call.path + "/")]:
                self._name(_Naming(target + path.removeprefix(call.path), self._now[path], path))
            self._name(_Naming(target, self._now[call.path], call.path))
        elif call.op == "l":
            self._name(_Naming(call.data.decode(), self._now[call.path]))
        elif call.op == "m":
            self._name(_Naming(call.path, FOLDER))
        elif call.op in "ud":
            self._name(_Naming(call.path, None))

    def _name(self, naming: _Naming) -> None:
        self._under_way.append(naming)
        _rename(self._now, naming)

    def _sync(self, path: str, file: _File) -> None:
        if file is FOLDER:
            for naming in [each for each in self._under_way if path in each.folders]:
                self._under_way.remove(naming)
                _rename(self._kept, naming)
        else:
            file.kept = file.after("all", random.Random(0))
            file.under_way.clear()

    def image(self, data: Part, names: Part, seed: int = 0) -> dict[str, bytes | None]:
        """What may lie there when the power goes now: path below the root → bytes, None for a folder."""
        chance = random.Random(seed)
        held = dict(self._kept)
        count = {"none": 0, "all": len(self._under_way)}.get(names)
        for naming in self._under_way[: chance.randint(0, len(self._under_way)) if count is None else count]:
            _rename(held, naming)
        start = len(self.root) + 1
        return {
            path[start:]: None if file is FOLDER else file.after(data, chance)
            for path, file in sorted(held.items())
            if _stands(held, path, self.root)
        }


def _rename(names: dict[str, _File], naming: _Naming) -> None:
    if naming.source:
        names.pop(naming.source, None)
    if naming.file is None:
        names.pop(naming.path, None)
    else:
        names[naming.path] = naming.file


def _stands(names: dict[str, _File], path: str, root: str) -> bool:
    folder = path.rpartition("/")[0]
    while folder != root:
        if folder not in names:
            return False
        folder = folder.rpartition("/")[0]
    return True


def lay(image: dict[str, bytes | None], folder: Path) -> Path:
    """Writes an image down; the folder must not exist."""
    folder.mkdir(parents=True)
    for path, data in image.items():
        if data is None:
            (folder / path).mkdir(exist_ok=True)
        else:
            (folder / path).write_bytes(data)
    return folder


@dataclass(frozen=True)
class Cut:
    """The power went behind call `at`: the image and what had been promised by then."""

    at: int
    outcome: tuple[Part, Part]
    image: dict[str, bytes | None]
    promised: tuple[str, ...]


def cuts(
    base: Path, root: Path, calls: Sequence[Call], outcomes: Sequence[tuple[Part, Part]] = OUTCOMES, seed: int = 1,
    step: int = 1,
) -> Iterator[Cut]:  # fmt: skip
    """Every different image a cut of power may leave, with the most that was promised before it.

    step   behind every call 1, behind each second one 2, …; always behind the last and behind a promise
    """
    disk = Disk(base, root)
    found: dict[int, Cut] = {}
    promised: list[str] = []
    for at, call in enumerate(calls):
        if call.op == "!":
            promised.append(call.path)
        disk.follow(call)
        if not call.changes and call.op != "!":
            continue
        if at % step and call.op != "!" and at != len(calls) - 1:
            continue
        for number, outcome in enumerate(outcomes):
            image = disk.image(*outcome, seed=seed * 1_000_003 + at * 10 + number)
            found[hash(tuple(image.items()))] = Cut(at, outcome, image, tuple(promised))
    yield from sorted(found.values(), key=lambda each: each.at)
