"""The rules in force: the file read at start, then every change of the law subject in its order."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session

from server.ledger import queries as ledger
from server.office import Office
from shared.law.law import Law, LawBook, RuleUnknown
from shared.packs import LawSubject, RuleChanged


def office_book(session: Session, office: Office) -> LawBook:
    """All rules with their history. A change that cannot be read leaves the rule as it was."""
    try:
        state: LawSubject = ledger.the(session, "law")
    except LookupError:
        return office.rules
    book = office.rules
    for change in state.changes:
        book = _changed(book, change)
    return book


def _changed(book: LawBook, change: RuleChanged) -> LawBook:
    try:
        valid_from = date.fromisoformat(change.valid_from)
        return book.changed(
            change.key, change.value, legal_basis=change.legal_basis, confidence=change.confidence,  # type: ignore[arg-type]
            decided_on=valid_from, valid_from=valid_from,
            valid_to=date.fromisoformat(change.valid_to) if change.valid_to else None,
            unit=change.unit or None, note=change.note,
        )  # fmt: skip
    except (RuleUnknown, ValueError):
        return book


def office_law(session: Session, office: Office, today: date) -> Law:
    """The rules in force on a day."""
    return office_book(session, office).on(today)
