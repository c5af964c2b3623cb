"""Which files operations name: the rows of one subject, made anew by the projection of the record or interview."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import insert
from sqlmodel import Session, col, delete

from server.media.tables import PromisedRow
from shared.ledger.crypto import CHUNK_BYTES, TAG_BYTES
from shared.observations.record import MediaFile
from shared.values import SubjectId, is_hash

PLAIN_BYTES = 50 * 1024 * 1024
MEDIA_BYTES = 7 + PLAIN_BYTES + TAG_BYTES * (PLAIN_BYTES // CHUNK_BYTES + 1)
"""Largest ciphertext: 50 MiB sealed in chunks."""


def promise(session: Session, subject: SubjectId, files: Iterable[MediaFile]) -> None:
    """The files the operations of a subject name, made anew; whatever a body claims, only what can be a file counts."""
    rows = {
        file.sha256: {"sha256": file.sha256, "subject": subject, "role": file.role[:16], "size": file.size}
        for file in files
        if is_hash(file.sha256) and 0 < file.size <= MEDIA_BYTES
    }
    session.execute(delete(PromisedRow).where(col(PromisedRow.subject) == subject))
    if rows:
        session.execute(insert(PromisedRow), list(rows.values()))
