"""Reading published checklists."""

from __future__ import annotations

from sqlmodel import Session, col, select

from server.checklists.tables import ChecklistRow


def published(session: Session) -> list[ChecklistRow]:
    """Every version, by form and oldest first."""
    return list(session.exec(select(ChecklistRow).order_by(ChecklistRow.form_id, col(ChecklistRow.number))))


def latest(session: Session) -> dict[str, ChecklistRow]:
    """The version in force of every form."""
    return {row.form_id: row for row in published(session)}


def in_force(session: Session) -> dict[str, tuple[str, str]]:
    """form_id → (version, sha256), as the importer asks for it."""
    return {form_id: (row.version, row.sha256) for form_id, row in latest(session).items()}
