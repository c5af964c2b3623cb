"""Reading packs."""

from __future__ import annotations

from sqlmodel import Session

from server.packs.tables import PackRow


def pack(session: Session, name: str) -> bytes | None:
    """The bytes behind a SHA-256; None when no such pack is kept."""
    row = session.get(PackRow, name)
    return row.data if row else None
