"""The words behind the operations of a subject, as the office's review key opens them."""

from __future__ import annotations

from typing import Any

from server.ledger import queries
from server.ledger.opening import review_keys
from shared.ledger.sealing import opened_words
from shared.values import OperationId, SubjectId
from tests.ground import World


def opened_by_office(world: World, subject: SubjectId) -> dict[OperationId, dict[str, Any]]:
    """Every sealed body of the subject, opened; by the id of its operation."""
    with world.office.database.read() as session:
        operations = queries.operations(session, subject)
        keys = review_keys(world.office, queries.state(session, subject))
    found: dict[OperationId, dict[str, Any]] = {}
    for each in operations:
        key = getattr(each.body, "key", "")
        sealed = getattr(each.body, "sealed", "")
        if key in keys and sealed:
            words = opened_words(keys[key], subject, each.kind, sealed)
            if words is not None:
                found[each.id] = words
    return found
