"""The folder where ciphertexts come in: `parts/<hash>-<device>`, until a file is whole and goes to the media store.

Each tablet has a part of its own: what another sends under the same hash neither lengthens nor shortens it. The length
of a part is its offset. A piece is written before it is answered, and all of them are on the disk before
the last one is: until then the tablet keeps the file, and after a loss of power it goes on where the part ends. One
writer a part, also among several processes.
Of a piece whose line broke the bytes that came are kept: the sum promised for it stays owed (`<part>.owed`) and is
settled when the bytes behind it have come; where it is wrong, the part goes back to where that piece began.
Nothing here knows what a file is about. Source: SETTLED decision 61, `shared/ledger/PROTOCOL.md` section on media.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from server.media.store import MediaStore, make_folders
from shared.values import DeviceId

RESERVE = 64 * 1024 * 1024
"""Bytes that stay free for the database."""
LARGE = 1024 * 1024
"""Bytes from which a whole file does not stay in the machine's memory: an original is seldom read, the ledger always,
and the next file finds these pages free. What others look at, pictures made small, is smaller and stays."""
OWED_SUFFIX = ".owed"
OWED_LIMIT = 1024
"""Most sums owed at a time; beyond it the hash of the whole file alone decides."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class DiskFull(Exception):
    """There is no room for these bytes; what was stored before is untouched."""


class WrongOffset(Exception):
    """The part does not end where the piece begins. `offset` is where it ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(str(offset))
        self.offset = offset


class SumWrong(Exception):
    """A piece is not what its sum promised; its bytes are not kept. `offset` is where the part ends now."""

    def __init__(self, offset: int) -> None:
        super().__init__(str(offset))
        self.offset = offset


class HashWrong(Exception):
    """The whole file has another hash than its name; the part is gone."""


@dataclass(frozen=True)
class Owed:
    """The sum (hex) of the bytes from `begin` up to `end`, promised by a piece of which not all has come yet."""

    begin: int
    end: int
    algorithm: str
    digest: str


def part_path(folder: Path, sha256: str, device: DeviceId) -> Path:
    """Where the file lies while it comes from this tablet."""
    return folder / "parts" / f"{sha256}-{device}"


def offset(folder: Path, store: MediaStore, sha256: str, device: DeviceId) -> int:
    """How many bytes are held: of the whole file, or of what this tablet sent of it."""
    whole = store.size(sha256)
    if whole is not None:
        return whole
    try:
        return part_path(folder, sha256, device).stat().st_size
    except FileNotFoundError:
        return store.size(sha256) or 0


def _begun_anew(part: Path) -> None:
    """Removes a part that was let go and could not be removed then. Raises OSError."""
    if part in _unsure:
        part.unlink(missing_ok=True)
        _unsure.discard(part)


def check_room(folder: Path, size: int) -> None:
    """Raises DiskFull when a file of this size would leave less than the reserve."""
    make_folders(folder)
    if shutil.disk_usage(folder).free < size + RESERVE:
        raise DiskFull


def begin_anew(folder: Path, sha256: str, device: DeviceId, size: int) -> None:
    """Throws away a part that is as long as this size or longer: it cannot become the file."""
    path = part_path(folder, sha256, device)
    if not path.exists():
        return
    with _alone(path) as handle:
        if os.fstat(handle).st_size >= size:
            os.ftruncate(handle, 0)
            _write_owed(path, [])


def append(
    folder: Path, store: MediaStore, sha256: str, device: DeviceId, at: int, piece: bytes, size: int,
    owed: Owed | None = None, known: Callable[[], str] | None = None,
) -> int:  # fmt: skip
    """Writes bytes at the end of the tablet's part and gives the new offset; the last ones make the file whole.

    owed   the sum of the piece these bytes are the beginning of, when its line broke
    known  gives the SHA-256 of `piece` where it is the whole file: it is not read again for its hash. Asked when the
           bytes are on the disk, so that it may be made meanwhile; where it raises, nothing of the piece is kept

    Raises WrongOffset, SumWrong, DiskFull, HashWrong.
    """
    if (whole := store.size(sha256)) is not None:
        if at != whole or piece:
            raise WrongOffset(whole)
        store.settle(sha256)
        return whole
    path = part_path(folder, sha256, device)
    make_folders(path.parent)
    _begun_anew(path)
    with _alone(path) as handle:
        held = os.fstat(handle).st_size
        if held == 0 and (whole := store.size(sha256)) is not None:  # made whole while this one waited
            path.unlink()
            _write_owed(path, [])
            raise WrongOffset(whole)
        if held != at:
            raise WrongOffset(held)
        owed_before = _read_owed(path)
        if owed is not None and piece:
            owed_before = [*owed_before, owed][:OWED_LIMIT]
            _write_owed(path, owed_before)
        _write(handle, held, piece)
        reached = held + len(piece)
        _settle(handle, path, owed_before, reached)
        if reached == size:
            _finish(store, sha256, path, handle, known if len(piece) == size else None)
        return reached


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """The part, for one writer. Whoever had it before may have made it whole, or ended it: then a new one begins."""
    handle = _locked(path)
    while handle is None:
        handle = _locked(path)
    try:
        yield handle
    finally:
        os.close(handle)


def _locked(path: Path) -> int | None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if _stands_for(handle, path):
            return handle
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _stands_for(handle: int, path: Path) -> bool:
    """Whether this name still means the open file: one made whole lies elsewhere, and nothing may be done to it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _write(handle: int, at: int, piece: bytes) -> None:
    if not piece:
        return
    try:
        written = 0
        while written < len(piece):
            written += os.pwrite(handle, piece[written:], at + written)
    except OSError as error:
        os.ftruncate(handle, at)
        if error.errno in _FULL:
            raise DiskFull from error
        raise


# ── sums that are still owed ────────────────────────────────────────────────────────────────────────────────────────


def _owed_path(part: Path) -> Path:
    return part.with_name(part.name + OWED_SUFFIX)


def _read_owed(part: Path) -> list[Owed]:
    try:
        lines = _owed_path(part).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        fields = line.split()
        if len(fields) == 4 and fields[0].isdigit() and fields[1].isdigit():  # a line cut by a crash owes nothing
            found.append(Owed(int(fields[0]), int(fields[1]), fields[2], fields[3]))
    return found


def _write_owed(part: Path, owed: list[Owed]) -> None:
    path = _owed_path(part)
    if not owed:
        path.unlink(missing_ok=True)
        return
    text = "".join(f"{each.begin} {each.end} {each.algorithm} {each.digest}\n" for each in owed)
    path.write_text(text, encoding="ascii")


def _settle(handle: int, part: Path, owed: list[Owed], reached: int) -> None:
    """Checks every sum whose bytes are all here; the part goes back to the first piece that is not what it promised."""
    due = [each for each in owed if each.end <= reached]
    if not due:
        return
    wrong = [
        each.begin
        for each in due
        if hashlib.new(each.algorithm, os.pread(handle, each.end - each.begin, each.begin)).hexdigest() != each.digest
    ]
    if not wrong:
        _write_owed(part, [each for each in owed if each.end > reached])
        return
    back = min(wrong)
    os.ftruncate(handle, back)
    os.fsync(handle)
    _write_owed(part, [each for each in owed if each.end <= back])
    raise SumWrong(back)


def _finish(store: MediaStore, sha256: str, part: Path, handle: int, known: Callable[[], str] | None) -> None:
    """The last byte is here: on the disk, then held to its hash, and only then under its own name."""
    try:
        os.fsync(handle)
    except OSError as error:
        _let_go(part)
        if error.errno in _FULL:
            raise DiskFull from error
        raise
    try:
        found = _hash_of(handle) if known is None else known()
    except SumWrong:
        os.ftruncate(handle, 0)
        raise
    if found != sha256:
        part.unlink()
        _write_owed(part, [])
        raise HashWrong
    store.take(sha256, part)
    _write_owed(part, [])
    if os.fstat(handle).st_size >= LARGE:
        with suppress(OSError):  # a wish; the file is there whoever grants it
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def _hash_of(handle: int) -> str:
    with open(handle, "rb", closefd=False) as file:
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


_unsure: set[Path] = set()
"""Parts whose bytes may not be on the disk although they can be read, and that could not be removed at once."""


def _let_go(part: Path) -> None:
    """After an fsync that failed the next one proves nothing: the file has to come anew. Source: decision 0015."""
    _unsure.add(part)
    with suppress(OSError):
        part.unlink()
        _unsure.discard(part)
        _write_owed(part, [])


def forget(folder: Path, sha256: str, devices: Iterable[DeviceId]) -> None:
    """Throws away what these tablets sent of a file that is whole, or that nothing names."""
    for device in devices:
        part = part_path(folder, sha256, device)
        if part.exists():
            with _alone(part):
                part.unlink()
                _write_owed(part, [])
