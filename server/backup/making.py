"""Making a backup while the office runs: one state of the database, its files, read back before it counts.

Nothing half stands: a backup gets its name when it was proven, and only then does the office tell tablets that what it
covers is durable. *Proven* means: the files of photos lie beside it under their hashes, the backup was read back from
the disk through its key, every piece authentic, every frame leading to the head of the ledger it names. What stays
unproven is that the holder of the backup key can open the box: `qorgan backup-check --key` and the drill show that.
Source: SETTLED decisions 10, 25; decision 0014.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, select

from server.backup import archive, files
from server.backup.content import BACKED_UP, Walk, columns_of, rows_of
from server.backup.keys import kept_address
from server.backup.tables import BackupRow, StandingRow
from server.ledger import queries
from server.media.store import store_of, sync_folder
from server.media.tables import UploadRow
from server.office import Office
from shared.values import stamp

Progress = Callable[[str, int, int], None]
"""Told what is done, how far, of how much."""
SUFFIX = ".backup"


class BackupRuns(Exception):
    """Another backup is being made into this folder. The message is the folder."""


@dataclass(frozen=True)
class Made:
    """A backup as it stands. missing: files the office should have and has not; then nothing became durable."""

    path: Path
    sha256: str
    header: archive.Header
    operations: int
    files: int
    copied: int
    missing: tuple[str, ...] = ()

    @property
    def is_proven(self) -> bool:
        """Whether everything it names was read back."""
        return not self.missing


def make_backup(office: Office, target: Path, now: Callable[[], datetime], progress: Progress) -> Made:
    """A backup of the running office in a folder, proven, named, and counted as durable.

    Raises NoBackupKey, BackupRuns, BackupUnreadable (what was written could not be read back), OSError, LookupError
    (the office is not founded). Then nothing half stands.
    """
    address = kept_address(office.config.keys)
    with _alone(target):
        for left in target.glob(".*.part"):
            left.unlink()
        began = now()
        part = target / f".{began.astimezone(UTC):%Y%m%dT%H%M%SZ}.part"
        try:
            made = _written(office, target, part, address, began, progress)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _keep(office, made, began, now())
        return made


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (target / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupRuns(str(target)) from error
        yield


def _written(
    office: Office, target: Path, part: Path, address: str, began: datetime, progress: Progress
) -> Made:  # fmt: skip
    with office.database.read() as session:
        counter = queries.counter(session)
        header, key = archive.new_header(
            address, epoch=counter.epoch, position=counter.value, head=counter.head, made_at=stamp(began),
            schema=_schema(session), signer=office.keys.sign_key,
        )  # fmt: skip
        wanted = _whole_files(session, office)
        records = _records(session, wanted, progress)
        sha256 = archive.write(part, header, key, office.keys.sign_secret, records)
    copied, missing = 0, []
    try:
        copied = files.copy_all(
            store_of(office), files.beside(target), target / "media", wanted, _told(progress, "files")
        )
    except files.FilesMissing as error:
        missing = error.names
    proof = prove(part, header, key, _told(progress, "proof"))
    name = f"qorgan-{began.astimezone(UTC):%Y%m%dT%H%M%SZ}-{header.epoch}-{header.position}"
    path = target / (name + (".unproven" if missing else SUFFIX))
    part.replace(path)
    sync_folder(target)
    return Made(path, sha256, header, proof.operations, len(wanted), copied, tuple(missing))


def _told(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, of: progress(what, done, of)


def _schema(session: Session) -> str:
    return str(session.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def _whole_files(session: Session, office: Office) -> list[tuple[str, int]]:
    """Files whose last byte came: those the office said so of, and those that lie whole."""
    store = store_of(office)
    rows = session.exec(select(UploadRow.sha256, UploadRow.size, UploadRow.done_at).order_by(UploadRow.sha256))
    return [(name, size) for name, size, done in rows if done is not None or store.size(name) == size]


def _records(session: Session, wanted: list[tuple[str, int]], progress: Progress) -> Iterator[Any]:
    counts: dict[str, int] = {}
    for number, name in enumerate(BACKED_UP, 1):
        yield ["table", name, columns_of(name)]
        counts[name] = 0
        for rows in rows_of(session, name):
            yield ["rows", rows]
            counts[name] += len(rows)
        progress("tables", number, len(BACKED_UP))
    for name, size in wanted:
        yield ["file", name, size]
    yield ["end", counts, len(wanted)]


def prove(path: Path, header: archive.Header, key: bytes, progress: Callable[[int, int], None]) -> Walk:
    """Reads a backup whole through its key and holds it against itself. Raises BackupUnreadable."""
    archive.check_footer(path, progress)
    walk = Walk(header.head)
    for record in archive.records(path, key):
        walk.step(record)
    walk.finish()
    return walk


def _keep(office: Office, made: Made, began: datetime, proven: datetime) -> None:
    """Notes a proven backup: what it covers is durable from now on, unless the office was restored meanwhile."""
    if not made.is_proven:
        return
    with office.database.write() as session:
        header = made.header
        session.merge(
            BackupRow(
                sha256=made.sha256, name=made.path.name, made_at=began, proven_at=proven, epoch=header.epoch,
                position=header.position, head=header.head, size=made.path.stat().st_size, operations=made.operations,
                files=made.files,
            )
        )  # fmt: skip
        standing = session.get(StandingRow, 1) or StandingRow(id=1)
        if queries.counter(session).epoch == header.epoch:
            standing.durable = max(standing.durable, header.position)
        session.add(standing)
