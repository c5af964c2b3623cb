"""Kinds of subjects this process has met: a subject's kind never changes, so it is asked of the database once."""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from shared.ledger.operation import id_bytes

KEPT = 10_000
_kinds: dict[str, str] = {}


def know_kind(subject: str, kind: str) -> None:
    """Remembers the kind of a subject that stands in the ledger."""
    if len(_kinds) >= KEPT:
        _kinds.clear()
    _kinds[subject] = kind


def known_kind(subject: str) -> str:
    """The kind, if this process met the subject; "" otherwise."""
    return _kinds.get(subject, "")


def kind_of(session: Session, subject: str) -> str:
    """The kind of a subject; "" for one that does not stand."""
    if subject not in _kinds:
        row = session.execute(text("SELECT kind FROM subjects WHERE id = :id"), {"id": id_bytes(subject)}).first()
        if row is None:
            return ""
        know_kind(subject, row[0])
    return _kinds[subject]
