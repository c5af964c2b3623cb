"""Kinds of subjects this process has met: a subject's kind never changes, so it is asked of the database once."""

from __future__ import annotations

from collections.abc import Iterable

from server.db import Database
from server.ledger.ordinary_rows import OrdinaryRows
from shared.values import SubjectId

KEPT = 10_000
_kinds: dict[str, str] = {}


def know_kind(subject: str, kind: str) -> None:
    """Remembers the kind of a subject that stands in the ledger."""
    if len(_kinds) >= KEPT:
        _kinds.clear()
    _kinds[subject] = kind


def kinds_of(database: Database, subjects: Iterable[str]) -> dict[str, str]:
    """The kind of each of these subjects that stands; those this process did not meet are asked for in one question."""
    wanted = set(subjects)
    found = {subject: _kinds[subject] for subject in wanted if subject in _kinds}
    if unmet := [SubjectId(subject) for subject in wanted.difference(found)]:
        with database.lent() as connection:
            standing = database.kept(OrdinaryRows).subjects(connection, unmet, lock=False)
        for subject, row in standing.items():
            know_kind(subject, row.kind)
            found[subject] = row.kind
    return found
