"""Publishing a checklist from its workbook: taken in whole or refused whole; the version in force stays until then."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from server.checklists import queries
from server.checklists.importer import Imported, import_workbook
from server.office import Office
from server.packs.actions import publish_checklist
from server.refusals import Refused
from shared.values import PersonId


def import_checklist(
    session: Session, office: Office, author: PersonId, data: bytes, now: datetime
) -> Imported | Refused:
    """Takes in a workbook and puts its checklist in force; a version in force already changes nothing."""
    imported = import_workbook(data, queries.in_force(session))
    if isinstance(imported, Refused) or not imported.is_new:
        return imported
    checklist = imported.checklist
    titles = {language: getattr(checklist.title, language) or checklist.form_id for language in ("kk", "ru", "en")}
    publish_checklist(session, office, author, checklist.form_id, checklist.version, titles, imported.data, now)
    return imported
