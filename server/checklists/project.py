"""Rows of the published checklists, made anew from the one subject of forms."""

from __future__ import annotations

from sqlmodel import Session, delete

from server.checklists.tables import ChecklistRow
from shared.packs import Forms


def form(session: Session, state: Forms) -> None:
    """Every version of every form."""
    session.execute(delete(ChecklistRow))
    for form_id, versions in state.versions.items():
        for number, pack in enumerate(versions, 1):
            titles = {f"title_{language}": title for language, title in pack.titles}
            session.add(
                ChecklistRow(form_id=form_id, version=pack.version, number=number, sha256=pack.sha256, **titles)
            )
    session.flush()
