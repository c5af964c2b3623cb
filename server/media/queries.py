"""Reading media: whether a file is whole, where it lies, who may have it."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session, select

from server.ledger import queries as ledger
from server.media import folder
from server.media.tables import PromisedRow, UploadRow
from server.office import Office
from shared.values import PersonId, SubjectId, is_hash


def upload_size(session: Session, sha256: str) -> int | None:
    """The whole size of an announced file; None for an unknown one."""
    row = session.get(UploadRow, sha256) if is_hash(sha256) else None
    return row.size if row else None


def path_for(session: Session, office: Office, person: PersonId, sha256: str) -> Path | None:
    """Where the whole ciphertext lies, for somebody whose tablets may hold a subject that names it."""
    if not is_hash(sha256):
        return None
    subjects = session.exec(select(PromisedRow.subject).where(PromisedRow.sha256 == sha256))
    if not any(ledger.may_hold(session, person, SubjectId(subject)) for subject in subjects):
        return None
    return whole(office, sha256)


def whole(office: Office, sha256: str) -> Path | None:
    """Where the whole ciphertext lies; None while it is on its way. The caller has checked who asks."""
    path = folder.whole_path(office.media, sha256)
    return path if is_hash(sha256) and path.exists() else None
