"""What the database and the disk say of the office's health: numbers and moments, no content."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from server.accounts.tables import DeviceRow
from server.backup.tables import BackupRow
from server.ledger import queries as ledger
from server.ledger.tables import ContactRow, HeldFrameRow, ReadRow, SubjectRow
from server.media.tables import UploadRow
from server.office import Office

LEAST_ROOM = 256 * 1024 * 1024
"""Bytes left on the disk under which the office is not well: a push or a backup may not fit."""
MOST_LAG = 10_000
"""Positions the tables may lie behind the ledger: more means that nobody brings them up."""


@dataclass(frozen=True)
class DeviceSeen:
    """A tablet that may speak: when it was heard of, and what it said it had not delivered then."""

    id: str
    contact_age_seconds: int
    undelivered: int
    undelivered_age_seconds: int


@dataclass(frozen=True)
class Seen:
    """The office at one moment. behind: subjects accepted and not projected; held: (status, reason) → frames."""

    position: int
    behind: int
    held: dict[tuple[str, str], int]
    stopped: int
    read_log_lines: int
    media_bytes: int
    media_unfinished: int
    disk_free_bytes: int
    backup_age_seconds: int | None
    devices: tuple[DeviceSeen, ...]


def disk_free(office: Office) -> int:
    """Bytes left on the disk of the data folder."""
    folder = office.config.data
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def behind(session: Session) -> int:
    """Subjects whose tables are older than the ledger."""
    query = select(func.count()).select_from(SubjectRow).where(col(SubjectRow.projected) < col(SubjectRow.accepted))
    return int(session.exec(query).one())


def lag(session: Session) -> int:
    """How many positions of the ledger the oldest subject that waits for its tables lies behind."""
    oldest = session.exec(
        select(func.min(SubjectRow.accepted)).where(col(SubjectRow.projected) < col(SubjectRow.accepted))
    ).one()
    return 0 if oldest is None else max(0, ledger.counter(session).value - int(oldest))


def backup_age(session: Session, now: datetime) -> int | None:
    """Seconds since the last backup that was proven; None when there is none."""
    proven = session.exec(select(func.max(BackupRow.proven_at))).one()
    return None if proven is None else max(0, int((now - proven).total_seconds()))


def seen(session: Session, office: Office, now: datetime) -> Seen:
    """Everything at once."""
    held = session.exec(
        select(HeldFrameRow.status, HeldFrameRow.reason, func.count()).group_by(
            HeldFrameRow.status, HeldFrameRow.reason
        )
    )
    whole = select(func.coalesce(func.sum(UploadRow.size), 0)).where(col(UploadRow.done_at).is_not(None))
    unfinished = select(func.count()).select_from(UploadRow).where(col(UploadRow.done_at).is_(None))
    stopped = select(func.count()).select_from(ContactRow).where(col(ContactRow.frozen).is_(True))
    return Seen(
        position=ledger.counter(session).value, behind=behind(session),
        held={(status, reason): int(count) for status, reason, count in held},
        stopped=int(session.exec(stopped).one()),
        read_log_lines=int(session.exec(select(func.coalesce(func.max(ReadRow.number), 0))).one()),
        media_bytes=int(session.exec(whole).one()), media_unfinished=int(session.exec(unfinished).one()),
        disk_free_bytes=disk_free(office), backup_age_seconds=backup_age(session, now),
        devices=_devices(session, now),
    )  # fmt: skip


def _devices(session: Session, now: datetime) -> tuple[DeviceSeen, ...]:
    rows = session.exec(
        select(ContactRow)
        .join(DeviceRow, col(DeviceRow.id) == col(ContactRow.device))
        .where(col(DeviceRow.revoked_at).is_(None))
        .order_by(col(ContactRow.device))
    )
    found = []
    for row in rows:
        age = max(0, int((now - row.seen_at).total_seconds()))
        found.append(DeviceSeen(row.device, age, row.undelivered, row.oldest_seconds + age if row.undelivered else 0))
    return tuple(found)
