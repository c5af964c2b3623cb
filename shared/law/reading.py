"""The rules in force as the operations of the law subject changed them; the same on the tablet and in the office.

A change that cannot be read leaves the rule as it was: it was checked when it was made, by a version that knew it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from shared.law.law import LawBook, RuleUnknown
from shared.packs import RuleChanged


def changed_by(book: LawBook, changes: Iterable[RuleChanged]) -> LawBook:
    """The book after these changes, in their order."""
    for change in changes:
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
