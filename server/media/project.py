"""Which files operations name: the rows of one subject, made anew by the projection of the record or interview."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, delete, insert
from sqlmodel import Session

from server.media.tables import PromisedRow
from shared.ledger.crypto import CHUNK_BYTES, TAG_BYTES
from shared.observations.record import MediaFile
from shared.values import SubjectId, is_hash

PLAIN_BYTES = 50 * 1024 * 1024
MEDIA_BYTES = 7 + PLAIN_BYTES + TAG_BYTES * (PLAIN_BYTES // CHUNK_BYTES + 1)
"""Largest ciphertext: 50 MiB sealed in chunks."""
_promised: Any = PromisedRow.__table__  # type: ignore[attr-defined]
_CLEAR = delete(_promised).where(_promised.c.subject == bindparam("of"))
_INSERT = insert(_promised)


def promise(session: Session, subject: SubjectId, files: Iterable[MediaFile]) -> None:
    """The files the operations of a subject name, made anew; whatever a body claims, only what can be a file counts."""
    rows = {
        (file.sha256, file.size): {
            "sha256": file.sha256, "subject": subject, "size": file.size, "role": file.role[:16],
        }
        for file in files
        if is_hash(file.sha256) and 0 < file.size <= MEDIA_BYTES
    }  # fmt: skip
    connection = session.connection()
    connection.execute(_CLEAR, {"of": subject})
    if rows:
        connection.execute(_INSERT, list(rows.values()))
