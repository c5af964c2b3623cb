"""Putting a backup into an empty database: whole or not at all, under a new epoch and a new device of the office.

The database is the one place that changes, in one transaction; files come first and change nothing that stands. Every
projected table is made from the frames, so a backup of one database fits another. What tablets did since the backup
comes back from them: they see the new epoch and offer everything above the position it began at. Source: SETTLED
decisions 11, 23, 65; decision 0014.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, update
from sqlmodel import Session, SQLModel, col, func, select

import server.migrations.tables  # noqa: F401  (every table)
from server.accounts import queries as accounts
from server.backup import archive, files
from server.backup.content import BACKED_UP, NOT_TWICE, Walk, go_on_numbering, insert_rows, table
from server.backup.making import Progress, prove
from server.backup.tables import BackupRow, StandingRow
from server.keys import Keys
from server.ledger import queries
from server.ledger.actions import record
from server.ledger.contacts import WHATEVER
from server.ledger.opening import log_reads
from server.ledger.rebuild import project_all
from server.ledger.tables import ContactRow, CounterRow, FrameRow, HeldFrameRow, SubjectRow
from server.ledger.verify import verify
from server.media.store import FolderStore, store_of
from server.media.tables import UploadRow
from server.office import Office, Reader
from shared.accounts import EpochBegun, Role, ServerNamed
from shared.ledger.crypto import new_id
from shared.values import DeviceId, PersonId, moment_of


class NotEmpty(Exception):
    """The database holds a ledger already: nothing is ever restored over another."""


class Stranger(Exception):
    """The backup was made by an office with other keys than those in the key file. The message is its signer."""


class NotWhole(Exception):
    """What the backup holds does not verify. The message names the first bad place."""


@dataclass(frozen=True)
class Contact:
    """A tablet the backup knew: when it was last heard of, and what it said it had not delivered."""

    label: str
    name: str
    seen_at: datetime | None
    undelivered: int


@dataclass(frozen=True)
class Restored:
    """What stands now. held: frames that wait or are quarantined; unfinished: files still on their way then."""

    header: archive.Header
    epoch: int
    operations: int
    files: int
    held: int
    unfinished: int
    contacts: tuple[Contact, ...]


def restore(
    office: Office, path: Path, secret: bytes, media: Path, now: datetime, progress: Progress
) -> Restored:  # fmt: skip
    """Restores a backup into the office's empty database, with its files.

    secret  private half of the backup key
    media   folder that the backup's files lie in

    Raises BackupUnreadable, Stranger, NotEmpty, FilesMissing, NotWhole; then the database is as empty as before.
    """
    header, sha256 = archive.check_footer(path)
    if header.signer != office.keys.sign_key:
        raise Stranger(header.signer)
    with office.database.read() as session:
        _check_empty(session)
    key = archive.file_key(header, secret)
    walk = prove(path, header, key, lambda done, of: progress("proof", done, of))
    files.copy_all(
        FolderStore(media), store_of(office), office.media, walk.files.items(),
        lambda done, of: progress("files", done, of),
    )  # fmt: skip
    keys = replace(office.keys, device=DeviceId(new_id(int(now.timestamp() * 1000))))
    with office.database.write() as session:
        _check_empty(session)
        _fill(session, path, header, key, progress)
        project_all(session, lambda done, of: progress("subjects", done, of))
        _begin_epoch(session, replace(office, keys=keys), header.position, header.epoch + 1, now)
        _note(session, path, header, sha256, walk, now)
        found = verify(session, lambda done, of: progress("frames", done, of))
        if not found.is_whole:
            raise NotWhole(found.wrong[0])
        return Restored(
            header, header.epoch + 1, walk.operations, len(walk.files), _count(session, HeldFrameRow),
            _unfinished(session), _contacts(session),
        )  # fmt: skip


def _check_empty(session: Session) -> None:
    if _count(session, FrameRow) or _count(session, SubjectRow):
        raise NotEmpty


def _count(session: Session, row: type[SQLModel]) -> int:
    return session.exec(select(func.count()).select_from(row)).one()


def _fill(session: Session, path: Path, header: archive.Header, key: bytes, progress: Progress) -> None:
    walk = Walk(header.head)
    for entry in archive.records(path, key):
        rows = walk.step(entry)
        if rows is None:
            continue
        if rows[0] in BACKED_UP:
            insert_rows(session, *rows)
            progress("rows", sum(walk.counts.values()), 0)
    walk.finish()
    go_on_numbering(session)
    counter = session.get(CounterRow, 1) or CounterRow(id=1, value=0, epoch=1, head="")
    counter.value, counter.epoch, counter.head = header.position, header.epoch, header.head
    session.add(counter)
    session.flush()


def _begin_epoch(session: Session, office: Office, position: int, epoch: int, now: datetime) -> None:
    """The office says under which device it goes on and above which position; read log and standing say so too."""
    counter = queries.counter_row(session)
    counter.epoch = epoch
    session.flush()
    subject = queries.subjects(session, "office")[0]
    author = accounts.first_admin(session) or PersonId(subject)
    bodies = [
        ServerNamed(device=office.keys.device, key=office.keys.sign_key), EpochBegun(epoch=epoch, position=position),
    ]  # fmt: skip
    record(session, office, subject, author, bodies, now)
    standing = session.get(StandingRow, 1) or StandingRow(id=1)
    standing.server, standing.restored_at = office.keys.device, now
    standing.durable = min(standing.durable, position)
    session.add(standing)
    log_reads(session, Reader(author, Role.ADMIN), "office.restored", [(subject, f"epoch {epoch}")], "restore", now)


def begin_epoch(office: Office, now: datetime) -> tuple[int, int, Keys]:
    """A copy was put back by other means than `restore`: the office goes on in a new epoch under a new device.

    Returns the epoch, the position above which it began, and the keys it seals with from now on.
    """
    keys = replace(office.keys, device=DeviceId(new_id(int(now.astimezone(UTC).timestamp() * 1000))))
    with office.database.write() as session:
        counter = queries.counter(session)
        position, epoch = counter.value, counter.epoch + 1
        session.execute(update(ContactRow).values(shown=WHATEVER, issued=""))  # the copy forgot the last of them
        for name in sorted(NOT_TWICE):
            session.execute(delete(table(name)))
        _begin_epoch(session, replace(office, keys=keys), position, epoch, now)
    return epoch, position, keys


def _note(
    session: Session, path: Path, header: archive.Header, sha256: str, walk: Walk, now: datetime
) -> None:  # fmt: skip
    """The backup that was just read whole is proven, and covers what stands."""
    session.merge(
        BackupRow(
            sha256=sha256, name=path.name[:120], made_at=moment_of(header.made_at), proven_at=now, epoch=header.epoch,
            position=header.position, head=header.head, size=path.stat().st_size, operations=walk.operations,
            files=len(walk.files),
        )
    )  # fmt: skip
    standing = session.get(StandingRow, 1)
    assert standing is not None
    standing.durable = header.position
    session.flush()


def _unfinished(session: Session) -> int:
    return session.exec(select(func.count()).select_from(UploadRow).where(col(UploadRow.done_at).is_(None))).one()


def _contacts(session: Session) -> tuple[Contact, ...]:
    seen = {row.device: row for row in session.exec(select(ContactRow))}
    found = []
    for person in accounts.people(session):
        for device in person.devices:
            row = seen.get(device.id)
            found.append(
                Contact(device.label, person.name, row.seen_at if row else None, row.undelivered if row else 0)
            )  # fmt: skip
    return tuple(found)
