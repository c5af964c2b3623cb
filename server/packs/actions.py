"""Keeping packs and naming them in the subjects of law, form and register.

A pack and the operation that names it go in by one transaction: a tablet never learns of a file that is not there.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from server.ledger import queries as ledger
from server.ledger.actions import record
from server.office import Office, new_subject
from server.packs import content
from server.packs.tables import PackRow
from shared.ledger.crypto import sha256
from shared.ledger.operation import Body
from shared.packs import ChecklistPublished, PackKind, RegisterPublished, RulesPublished
from shared.values import PersonId, SubjectId


def keep(session: Session, kind: PackKind, data: bytes) -> str:
    """Keeps the bytes and gives their SHA-256; the same bytes are kept once."""
    name = sha256(data).hex()
    if session.get(PackRow, name) is None:
        session.add(PackRow(sha256=name, kind=kind, size=len(data), data=data))
        session.flush()
    return name


def publish_register(
    session: Session, office: Office, author: PersonId, what: str, data: bytes, count: int, now: datetime,
    *, synthetic: bool = False, subject: SubjectId | None = None,
) -> str:  # fmt: skip
    """A new register, list of places or list of standards is in force; the earlier pack stays reachable."""
    name = keep(session, what, data)  # type: ignore[arg-type]
    body = RegisterPublished(what=what, sha256=name, size=len(data), count=count, synthetic=synthetic)  # type: ignore[arg-type]
    record(session, office, subject or ledger.subjects(session, "register")[0], author, [body], now)
    return name


def publish_checklist(
    session: Session, office: Office, author: PersonId, form_id: str, version: str, titles: dict[str, str],
    data: bytes, now: datetime,
) -> str:  # fmt: skip
    """A checklist version is in force. Raises RuleBroken("wrong_version") unless the version rises."""
    name = keep(session, "checklist", data)
    body = ChecklistPublished(
        form_id=form_id, version=version, sha256=name, size=len(data), title_kk=titles["kk"], title_ru=titles["ru"],
        title_en=titles["en"],
    )  # fmt: skip
    known = ledger.subjects(session, "form")
    record(session, office, known[0] if known else new_subject(now), author, [body], now)
    return name


def publish_law(session: Session, office: Office, author: PersonId, subject: SubjectId, now: datetime) -> None:
    """Rules and calendar as they stand in the product, in one frame."""
    bodies: list[Body] = []
    for what, data in (("rules", content.rules()), ("calendar", content.calendar())):
        name = keep(session, what, data)  # type: ignore[arg-type]
        bodies.append(RulesPublished(what=what, sha256=name, size=len(data)))  # type: ignore[arg-type]
    record(session, office, subject, author, bodies, now)
