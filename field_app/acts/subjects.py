"""Finding the subjects of a visit, and cleaning what was typed.

The record and the report of a visit have ids that follow from the visit's, so that two tablets that begin them
offline begin the same ones. Source: SETTLED decisions 5 and 6.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from field_app.store.store import Store
from shared.errors import RuleBroken
from shared.ledger.crypto import sha256
from shared.observations.record import Record
from shared.values import SubjectId
from shared.visits import Visit

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f]")


def clean(text: str) -> str:
    """The text as the ledger takes it: as typed, line ends as one sign, other control signs left out."""
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def sister(subject: SubjectId, name: str) -> SubjectId:
    """The id of the one subject of this name that belongs to another: same time part, the rest from a hash."""
    own, drawn = uuid.UUID(subject).int, int.from_bytes(sha256(f"qorgan/{name}/1\n{subject}".encode())[:16], "big")
    mask = (1 << 80) - 1
    value = (own & ~mask) | (drawn & mask)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return SubjectId(str(uuid.UUID(int=value)))


def visit_of(store: Store, visit: SubjectId) -> Visit:
    """The state of a visit. Raises RuleBroken("not_found")."""
    state = store.state(visit)
    if not isinstance(state, Visit):
        raise RuleBroken("not_found")
    return state


def record_id(store: Store, visit: SubjectId) -> SubjectId | None:
    """The record of a visit, None when it was not opened."""
    own = sister(visit, "record")
    if isinstance(store.state(own), Record):
        return own
    return next(iter(store.children(visit, "record")), None)


def report_id(store: Store, visit: SubjectId) -> SubjectId:
    """The report of a visit; it may not have begun."""
    return next(iter(store.children(visit, "report")), sister(visit, "report"))


def record_of(store: Store, record: SubjectId) -> Record:
    """The state of a record. Raises RuleBroken("not_found")."""
    state = store.state(record)
    if not isinstance(state, Record):
        raise RuleBroken("not_found")
    return state


def words_or_empty(store: Store, subject: SubjectId, words: Any) -> dict[str, Any]:
    """Opened words, {} when they cannot be opened here."""
    return (store.words(subject, words) if words else None) or {}
