"""The common record: answers and non-answers, rows, notes, findings, choices, draft texts, hiding and showing again.

Coded answers stay open, words are sealed. Source: UX T4, T5, T7; SETTLED decisions 29, 40-44, 47.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from field_app.acts.checklists import is_words
from field_app.acts.subjects import clean, record_of
from field_app.store.store import Store
from shared.errors import RuleBroken
from shared.ledger.crypto import random_bytes
from shared.observations.answers import (
    AnswerCleared,
    AnswerRecorded,
    ChoiceReversed,
    NonAnswer,
    NonAnswerRecorded,
    RefusedBy,
    Value,
    ValueChosen,
)
from shared.observations.notebook import LooseNoteKept, LooseNoteWithdrawn
from shared.observations.record import (
    DraftWritten,
    FindingChanged,
    FindingRecorded,
    NoteChanged,
    NoteRecorded,
    PhotoCleared,
    Restored,
    RowAdded,
    Severity,
    Withdrawn,
)
from shared.values import OperationId, SubjectId

Withdrawal = Literal["entered_by_mistake", "wrong_place", "consent_withdrawn", "repeated"]


def answer(store: Store, record: SubjectId, item: str, value: Value, now: datetime, draft: str = "") -> Any:
    """Answers an item; the state after it.

    value   text, whole number, truth, or names of choices; a decimal is text
    draft   name of the draft this text was; it goes with the save
    """
    state = record_of(store, record)
    if isinstance(value, str):
        value = clean(value)
    if is_words(store, state, item, value):
        key, sealed = store.sealed(record, AnswerRecorded.KIND, {"value": value}, now)
        return store.record(record, AnswerRecorded(item=item, key=key, sealed=sealed), now=now, drop=draft)
    return store.record(record, AnswerRecorded(item=item, value=value), now=now, drop=draft)


def clear(store: Store, record: SubjectId, item: str, now: datetime, draft: str = "") -> Any:
    """Takes the own answer back."""
    return store.record(record, AnswerCleared(item=item), now=now, drop=draft)


def non_answer(
    store: Store, record: SubjectId, item: str, code: NonAnswer, now: datetime, by: RefusedBy = "", reason: str = ""
) -> Any:
    """Says why there is no answer."""
    words = {"reason": clean(reason)}
    key, sealed = store.sealed(record, NonAnswerRecorded.KIND, words, now) if reason.strip() else ("", "")
    return store.record(record, NonAnswerRecorded(item=item, code=code, by=by, key=key, sealed=sealed), now=now)


def own_value(store: Store, record: SubjectId, item: str) -> Value | None:
    """This person's standing answer to an item, opened; None when blank, a non-answer, or not to be opened."""
    found = record_of(store, record).answers.items.get(item)
    entry = found.standing().get(store.person) if found else None
    if entry is None:
        return None
    if entry.words:
        value: Value | None = (store.words(record, entry.words) or {}).get("value")
        return value
    return entry.value


def add_row(store: Store, record: SubjectId, of: str, now: datetime) -> str:
    """Adds a row to the repeat at this path; the row's 8 hex digits."""
    row = random_bytes(4).hex()
    store.record(record, RowAdded(of=of, row=row), now=now)
    return row


def choose(store: Store, record: SubjectId, item: str, chosen: OperationId, now: datetime) -> Any:
    """Chooses one of the differing values of an item; the others stay in its history."""
    found = record_of(store, record).answers.items.get(item)
    if found is None:
        raise RuleBroken("not_found")
    over = tuple(sorted({entry.operation for entry in found.standing().values()} | {chosen}))
    return store.record(record, ValueChosen(item=item, over=over, chosen=chosen), now=now)


def reverse_choice(store: Store, record: SubjectId, choice: OperationId, now: datetime) -> Any:
    """Takes a choice back: the values differ again."""
    return store.record(record, ChoiceReversed(choice=choice), now=now)


def note(
    store: Store, record: SubjectId, text: str, now: datetime, of: str = "", language: str = "", place: str = "",
    draft: str = "",
) -> OperationId:  # fmt: skip
    """Keeps a note; its id. of: an item path, an operation, or "" (to be sorted later)."""
    words = {"text": clean(text), "language": language, "place": clean(place)}
    key, sealed = store.sealed(record, NoteRecorded.KIND, words, now)
    return store.save(record, NoteRecorded(key=key, sealed=sealed, of=of), now=now, drop=draft).ids[0]


def change_note(
    store: Store, record: SubjectId, note_id: OperationId, text: str, now: datetime, of: str = "", language: str = "",
    draft: str = "",
) -> Any:  # fmt: skip
    """A later text of a note, or another thing it belongs to."""
    known = record_of(store, record).notes.get(note_id)
    if known is None:
        raise RuleBroken("not_found", "SETTLED 42")
    key, sealed = store.sealed(record, NoteChanged.KIND, {"text": clean(text), "language": language}, now)
    body = NoteChanged(note=note_id, over=known.current.operation, key=key, sealed=sealed, of=of)
    return store.record(record, body, now=now, drop=draft)


def loose_note(store: Store, text: str, now: datetime, language: str = "") -> OperationId:
    """A note with no visit open, seen by nobody else."""
    book = next(iter(store.subjects("notebook")), None) or store.new_subject(now)
    key, sealed = store.sealed(book, LooseNoteKept.KIND, {"text": clean(text), "language": language}, now, "notebook")
    return store.save(book, LooseNoteKept(key=key, sealed=sealed), now=now).ids[0]


def withdraw_loose_note(store: Store, note_id: OperationId, now: datetime) -> Any:
    """Hides a loose note."""
    return store.record(store.subjects("notebook")[0], LooseNoteWithdrawn(note=note_id), now=now)


def _finding_words(words: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: clean(text) for name, text in words.items() if isinstance(text, str) and text.strip()}
    if words.get("recommendation"):
        kept["recommendation"] = {
            name: clean(str(text)) for name, text in words["recommendation"].items() if str(text).strip()
        }
    return kept


def finding(
    store: Store, record: SubjectId, *, severity: Severity, now: datetime, evidence: Sequence[str] = (),
    standards: Sequence[str] = (), urgent: bool = False, saw: str = "", told: str = "", told_by: str = "",
    concluded: str = "", language: str = "", recommendation: dict[str, str] | None = None, draft: str = "",
) -> OperationId:  # fmt: skip
    """Keeps a finding; its id. recommendation: addressee, text, due."""
    words = _finding_words({
        "saw": saw, "told": told, "told_by": told_by, "concluded": concluded, "language": language,
        "recommendation": recommendation,
    })  # fmt: skip
    key, sealed = store.sealed(record, FindingRecorded.KIND, words, now)
    body = FindingRecorded(
        severity=severity, standards=tuple(standards), evidence=tuple(evidence), key=key, sealed=sealed, urgent=urgent
    )
    return store.save(record, body, now=now, drop=draft).ids[0]


def change_finding(
    store: Store, record: SubjectId, finding_id: OperationId, *, now: datetime, draft: str = "", **changes: Any
) -> Any:
    """The finding said anew: what is not among `changes` (names as in `finding`) stays as it was."""
    known = record_of(store, record).findings.get(finding_id)
    if known is None or known.current.body is None:
        raise RuleBroken("finding_unknown", "SETTLED 42")
    current, body = known.current, known.current.body
    names = ("saw", "told", "told_by", "concluded", "language", "recommendation")
    words = (store.words(record, current.words) or {}) | {name: changes[name] for name in names if name in changes}
    key, sealed = store.sealed(record, FindingChanged.KIND, _finding_words(words), now)
    changed = FindingChanged(
        finding=finding_id, over=tuple(known.heads), severity=changes.get("severity", body.severity),
        standards=tuple(changes.get("standards", body.standards)),
        evidence=tuple(changes.get("evidence", body.evidence)),
        key=key, sealed=sealed, urgent=changes.get("urgent", body.urgent),
    )  # fmt: skip
    return store.record(record, changed, now=now, drop=draft)


def withdraw(store: Store, record: SubjectId, of: str, reason: Withdrawal, now: datetime) -> Any:
    """Hides a note, finding, photo or row (its operation) with a preset reason; history keeps it."""
    return store.record(record, Withdrawn(of=of, reason=reason), now=now)


def restore(store: Store, record: SubjectId, of: str, now: datetime) -> Any:
    """Shows something hidden again."""
    return store.record(record, Restored(of=of), now=now)


def clear_photo(store: Store, record: SubjectId, photo: OperationId, is_clear: bool, now: datetime) -> Any:
    """A member looked: no face and nothing that identifies, or not so."""
    return store.record(record, PhotoCleared(photo=photo, clear=is_clear), now=now)


def write_text(
    store: Store, record: SubjectId, part: str, text: str, now: datetime, language: str = "", draft: str = ""
) -> Any:
    """A text of the report to be (part: summary, …), seen by the group alone until the freeze."""
    key, sealed = store.sealed(record, DraftWritten.KIND, {"text": clean(text), "language": language}, now)
    return store.record(record, DraftWritten(part=part, key=key, sealed=sealed), now=now, drop=draft)
