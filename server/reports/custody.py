"""The custody of a photo, as the ledger, the media store's rows and the read log tell it: nobody writes such a list.

Who took it and when, each stored file with its hash, when the office began to receive it and when its hash was found
right, and who opened it since. The hash of the original as it was taken lies in sealed words and is shown by whoever
opens those. Source: SETTLED decisions 59, 65.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from server.ledger.tables import ReadRow
from server.media.tables import UploadRow
from shared.observations.record import Photo, Record
from shared.values import OperationId, PersonId, moment_of

READS_SHOWN = 5
"""Newest openings of one photo on the page; the log holds them all."""


@dataclass(frozen=True)
class Stored:
    """One file of a photo: its role, the hash of its ciphertext; began and whole are None until it comes."""

    role: str
    sha256: str
    began_at: datetime | None
    whole_at: datetime | None


@dataclass(frozen=True)
class Opening:
    """Somebody opened the photo."""

    person: PersonId
    at: datetime


@dataclass(frozen=True)
class Custody:
    """The way of one photo; `reads` counts every opening, `openings` are the newest."""

    taken_by: PersonId
    taken_at: datetime
    files: tuple[Stored, ...]
    reads: int
    openings: tuple[Opening, ...]


def custody(session: Session, record: Record, photos: Iterable[Photo]) -> dict[OperationId, Custody]:
    """By photo, in two reads whatever their number. The caller has checked that the reader may see the record."""
    photos = list(photos)
    names = {file.sha256 for photo in photos for file in photo.files.values()}
    uploads = {row.sha256: row for row in session.exec(select(UploadRow).where(col(UploadRow.sha256).in_(names)))}
    log = session.exec(
        select(ReadRow)
        .where(ReadRow.subject == record.id, ReadRow.verb == "photo.read")
        .order_by(col(ReadRow.number).desc())
    ).all()
    return {photo.id: _one(photo, uploads, log) for photo in photos}


def _one(photo: Photo, uploads: dict[str, UploadRow], log: Iterable[ReadRow]) -> Custody:
    order = {"original": 0, "derivative": 1, "thumbnail": 2}
    files = [
        Stored(role, file.sha256, row.began_at if row else None, row.done_at if row else None)
        for role, file in sorted(photo.files.items(), key=lambda each: order.get(each[0], 3))
        for row in (uploads.get(file.sha256),)
    ]
    mine = [line for line in log if line.object.endswith(f":{photo.id[:16]}")]
    openings = tuple(Opening(PersonId(line.person), line.at) for line in mine[:READS_SHOWN])
    return Custody(photo.author, moment_of(photo.at), tuple(files), len(mine), openings)
