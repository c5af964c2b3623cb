"""The files of a tablet after a start: which operation names each, what was never named, what is no longer there.

A file is laid down before the operation that names it; killed in between, the file belongs to nothing and nobody holds
its key. Rows of files can be lost with the database; the operations say again what there must be.
Source: SECURITY B.1, B.17; SETTLED decisions 59-61.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from field_app.store.errors import NotSaved
from field_app.store.kept import ALARM_LIMIT, Alarm, MediaKept
from field_app.store.opened import Opened, Writing
from shared.ledger.crypto import sha256
from shared.ledger.operation import Operation
from shared.observations.record import MediaFile
from shared.values import is_hash


def named_files(operation: Operation) -> tuple[MediaFile, ...]:
    """The files an operation names."""
    found = getattr(operation.body, "files", ())
    return tuple(each for each in found if isinstance(each, MediaFile)) if isinstance(found, tuple) else ()


def files_named(opened: Opened, operations: Iterable[Operation]) -> list[tuple[int, MediaKept]]:
    """Rows of files as they are once these operations name them."""
    found = []
    for operation in operations:
        for file in named_files(operation):
            row = opened.media.get(file.sha256)
            if row is not None:
                found.append((row[0], msgspec.structs.replace(row[1], operation=operation.id)))
    return found


def settle_files(opened: Opened) -> None:
    """Rows say again which operation names their file; leftovers of an interrupted capture go."""
    for operation, file in _own_named(opened):
        row = opened.media.get(file.sha256)
        if row is not None and not row[1].operation:
            opened.media[file.sha256] = (row[0], msgspec.structs.replace(row[1], operation=operation.id))
        elif row is None:
            _write_again(opened, operation, file)
    for name, (_, kept) in opened.media.items():
        if kept.operation and not kept.received and not (opened.folder / "media" / name).exists():
            opened.damage.lost_files += 1
    if opened.damage.is_none:
        _sweep(opened)


def is_whole(path: Path) -> bool:
    """Whether a file is there and its bytes are its name."""
    try:
        return sha256(path.read_bytes()).hex() == path.name
    except OSError:
        return False


def check_files(opened: Opened, after: str, most: int) -> str:
    """Hashes files behind the name `after`, about `most` bytes of them; the name to go on behind, "" at the end.

    A damaged one is put aside and said: what others may have of it is loaded from the office again.
    """
    size = 0
    for path in sorted((opened.folder / "media").iterdir()):
        if path.name <= after or not is_hash(path.name):
            continue
        if not is_whole(path):
            _put_aside(opened, path)
            continue
        size += path.stat().st_size
        if size >= most:
            return path.name
    return ""


def _put_aside(opened: Opened, path: Path) -> None:
    with contextlib.suppress(OSError, NotSaved):
        path.replace(path.with_name(path.name + ".damaged"))
        alarms = (*opened.meta.alarms, Alarm("file_damaged", at=opened.meta.exchanged_at))[-ALARM_LIMIT:]
        meta = msgspec.structs.replace(opened.meta, alarms=alarms)
        opened.write(lambda writing: writing.put("meta", meta, 1))
        opened.meta = meta


def _own_named(opened: Opened) -> Iterator[tuple[Operation, MediaFile]]:
    device = opened.identity.device
    for subject in opened.numbers:
        for operation in opened.book.subjects[subject].operations:
            if operation.device == device:
                for file in named_files(operation):
                    yield operation, file


def _write_again(opened: Opened, operation: Operation, file: MediaFile) -> None:
    """The row of a file was lost: the office is asked again how much of it it has."""
    kept = MediaKept(file.sha256, file.size, file.role, operation.subject, operation.id)

    def work(writing: Writing) -> int:
        return writing.put("media", kept)

    with contextlib.suppress(NotSaved):
        opened.media[file.sha256] = (opened.write(work), kept)


def _sweep(opened: Opened) -> None:
    """Only where nothing else is amiss: a file may look unnamed because its operation is what was lost."""
    orphans = [name for name, (_, kept) in opened.media.items() if not kept.operation]
    if orphans:
        with contextlib.suppress(NotSaved):
            forget_files(opened, orphans)
    for left in (opened.folder / "media").glob("*.new"):
        with contextlib.suppress(OSError):
            left.unlink()


def forget_files(opened: Opened, names: list[str]) -> None:
    """Files no operation names go, rows first. Raises NotSaved."""
    rows = [opened.media[name][0] for name in names]
    opened.write(lambda writing: writing.delete_all("media", rows))
    for name in names:
        del opened.media[name]
        with contextlib.suppress(OSError):
            (opened.folder / "media" / name).unlink()
