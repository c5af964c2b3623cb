"""Reading media: how far a file is, its bytes once it is whole, who may have it."""

from __future__ import annotations

from sqlmodel import Session, select

from server.ledger import queries as ledger
from server.media import folder
from server.media.store import store_of
from server.media.tables import PromisedRow, UploadRow
from server.office import Office
from shared.values import DeviceId, PersonId, SubjectId, is_hash


def upload(session: Session, device: DeviceId, person: PersonId, sha256: str) -> UploadRow | None:
    """An announced file, for the tablet that announced it or one that may hold a subject that names it."""
    row = session.get(UploadRow, sha256) if is_hash(sha256) else None
    if row is None or not (row.device == device or may_have(session, person, sha256)):
        return None
    return row


def may_have(session: Session, person: PersonId, sha256: str) -> bool:
    """Whether the person's tablets may hold a subject that names this file."""
    if not is_hash(sha256):
        return False
    subjects = session.exec(select(PromisedRow.subject).where(PromisedRow.sha256 == sha256))
    return any(ledger.may_hold(session, person, SubjectId(subject)) for subject in subjects)


def arrived(office: Office, sha256: str) -> int:
    """How many bytes of an announced file are held."""
    return folder.offset(office.media, store_of(office), sha256)


def whole(office: Office, sha256: str) -> bytes | None:
    """The whole ciphertext; None while it is on its way. The caller has checked who asks."""
    if not is_hash(sha256):
        return None
    try:
        return b"".join(store_of(office).read(sha256))
    except KeyError:
        return None
