"""Reading media: how far a file is, its bytes once it is whole, who may have it."""

from __future__ import annotations

from typing import NamedTuple

from sqlmodel import Session, select

from server.ledger import queries as ledger
from server.media import folder
from server.media.store import store_of
from server.media.tables import AnnouncedRow, PromisedRow, UploadRow
from server.office import Office
from shared.values import DeviceId, PersonId, SubjectId, is_hash


class Upload(NamedTuple):
    """A file as one tablet sees it: its size in bytes, and whether the office has it whole already."""

    size: int
    is_whole: bool


def upload(session: Session, device: DeviceId, person: PersonId, sha256: str) -> Upload | None:
    """A whole file, for a tablet that announced it or may hold a subject that names it; else what it announced."""
    if not is_hash(sha256):
        return None
    row, said = session.get(UploadRow, sha256), session.get(AnnouncedRow, (sha256, device))
    if row is not None and row.done_at is not None:
        is_theirs = said is not None or row.device == device or may_have(session, person, sha256)
        return Upload(row.size, True) if is_theirs else None
    return Upload(said.size, False) if said is not None else None


def may_have(session: Session, person: PersonId, sha256: str) -> bool:
    """Whether the person's tablets may hold a subject that names this file."""
    if not is_hash(sha256):
        return False
    subjects = session.exec(select(PromisedRow.subject).where(PromisedRow.sha256 == sha256))
    return any(ledger.may_hold(session, person, SubjectId(subject)) for subject in subjects)


def arrived(office: Office, device: DeviceId, sha256: str) -> int:
    """How many bytes are held of a file: all of them when it is whole, else those this tablet sent."""
    return folder.offset(office.media, store_of(office), sha256, device)


def whole(office: Office, sha256: str) -> bytes | None:
    """The whole ciphertext; None while it is on its way. The caller has checked who asks."""
    if not is_hash(sha256):
        return None
    try:
        return b"".join(store_of(office).read(sha256))
    except KeyError:
        return None
