"""Undo of what a person did on a record: always a new operation, never a lost one; the history keeps both.

What can be taken back is read from the person's own operations, so it survives a restart. An undo is an operation too
and is stepped over, together with what it undid. Source: UX section 2, SETTLED decision 41.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from field_app.acts import records
from field_app.acts.subjects import record_of
from shared.ledger.operation import Operation
from shared.observations.answers import (
    AnswerCleared,
    AnswerRecorded,
    ChoiceReversed,
    Entry,
    NonAnswerRecorded,
    ValueChosen,
)
from shared.observations.record import FindingRecorded, NoteRecorded, PhotoTaken, Restored, RowAdded, Withdrawn
from shared.values import OperationId, SubjectId

if TYPE_CHECKING:
    from field_app.store.store import Store

SAID = (AnswerRecorded, AnswerCleared, NonAnswerRecorded)
MADE = (RowAdded, NoteRecorded, FindingRecorded, PhotoTaken)
STEPS = 50


def steps(store: Store, record: SubjectId) -> list[Operation]:
    """Own acts that can be taken back, the last one first, at most 50; an act and its undo leave no step."""
    found: list[Operation] = []
    for operation in store.operations(record):
        if operation.author != store.person or not isinstance(operation.body, (*SAID, *MADE, ValueChosen, Withdrawn,
                                                                               Restored, ChoiceReversed)):  # fmt: skip
            continue
        if found and _undoes(store, record, operation, found):
            continue
        found.append(operation)
    wanted = (*SAID, *MADE, ValueChosen)
    return [each for each in reversed(found) if isinstance(each.body, wanted)][:STEPS]


def _undoes(store: Store, record: SubjectId, operation: Operation, found: list[Operation]) -> bool:
    """Whether the operation takes back the step before it, which then is no step any more."""
    last, body = found[-1], operation.body
    undone = (isinstance(body, Withdrawn) and body.of == last.id) or (
        isinstance(body, ChoiceReversed) and body.choice == last.id
    )
    if isinstance(body, SAID) and isinstance(last.body, SAID) and body.item == last.body.item:
        undone = _said(store, record, operation) == _said_before(store, record, last)
    if undone:
        found.pop()
    return undone


def _entries(store: Store, record: SubjectId, item: str) -> list[Entry]:
    known = record_of(store, record).answers.items.get(item)
    return [entry for entry in known.entries if entry.author == store.person] if known else []


def _plain(store: Store, record: SubjectId, entry: Entry | None) -> tuple[Any, ...]:
    if entry is None or entry.is_blank:
        return ()
    words = (store.words(record, entry.words) or {}).get("value") if entry.words else entry.value
    return (words, entry.non_answer, entry.refused_by)


def _said(store: Store, record: SubjectId, operation: Operation) -> tuple[Any, ...]:
    item = operation.body.item
    return _plain(store, record, next((e for e in _entries(store, record, item) if e.operation == operation.id), None))


def _before(store: Store, record: SubjectId, operation: Operation) -> Entry | None:
    earlier = [e for e in _entries(store, record, operation.body.item) if e.order < operation.order]
    return earlier[-1] if earlier else None


def _said_before(store: Store, record: SubjectId, operation: Operation) -> tuple[Any, ...]:
    return _plain(store, record, _before(store, record, operation))


def undo_last(store: Store, record: SubjectId, now: datetime) -> str:
    """Takes the last own act back; the item or thing it was about, "" when there is nothing. Raises NotSaved."""
    last = next(iter(steps(store, record)), None)
    if last is None:
        return ""
    body = last.body
    if isinstance(body, SAID):
        _say_again(store, record, body.item, _before(store, record, last), now)
        return str(body.item)
    if isinstance(body, ValueChosen):
        records.reverse_choice(store, record, last.id, now)
        return body.item
    records.withdraw(store, record, last.id, "entered_by_mistake", now)
    return body.of if isinstance(body, RowAdded) else str(OperationId(last.id))


def _say_again(store: Store, record: SubjectId, item: str, before: Entry | None, now: datetime) -> None:
    """The earlier value of an item as a new operation."""
    if before is None or before.is_blank:
        records.clear(store, record, item, now)
    elif before.non_answer:
        reason = (store.words(record, before.reason) or {}).get("reason", "") if before.reason else ""
        records.non_answer(store, record, item, before.non_answer, now, before.refused_by, reason)
    elif before.words:
        records.answer(store, record, item, (store.words(record, before.words) or {}).get("value", ""), now)
    elif before.value is not None:
        records.answer(store, record, item, before.value, now)
