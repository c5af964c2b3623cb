"""The rules in force: the file read at start, then every change of the law subject in its order."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session

from server.ledger import queries as ledger
from server.office import Office
from shared.law.law import Law, LawBook
from shared.law.reading import changed_by
from shared.packs import LawSubject


def office_book(session: Session, office: Office) -> LawBook:
    """All rules with their history. A change that cannot be read leaves the rule as it was."""
    try:
        state: LawSubject = ledger.the(session, "law")
    except LookupError:
        return office.rules
    return changed_by(office.rules, state.changes)


def office_law(session: Session, office: Office, today: date) -> Law:
    """The rules in force on a day."""
    return office_book(session, office).on(today)
