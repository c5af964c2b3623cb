"""Private interviews: begun, consent first, answered, closed; only the author (and those shared with) reads them.

Everything said is sealed, even which question it answers. Source: UX T6, SETTLED decisions 14, 17, 29, 34.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from field_app.acts.subjects import clean, record_of
from field_app.acts.visits import newest_checklists
from field_app.store.store import Store
from shared.errors import RuleBroken
from shared.ledger.crypto import random_bytes
from shared.observations.answers import NonAnswer, RefusedBy, Value
from shared.observations.interview import (
    Consent,
    ConsentRecorded,
    ConsentWithdrawn,
    Interview,
    InterviewAnswered,
    InterviewClosed,
    InterviewNoted,
    InterviewOpened,
    InterviewRowAdded,
    InterviewShared,
)
from shared.observations.record import InterviewCounted
from shared.values import PersonId, SubjectId
from shared.visits import Visit

FORM = "npm_interview"


def begin(store: Store, record: SubjectId, now: datetime) -> SubjectId:
    """Begins an interview and counts it in the record; its subject. Its number is the tablet's letter and counter."""
    state = record_of(store, record)
    visit = state.parent
    letter = visit.letter_of(store.person) if isinstance(visit, Visit) else "X"
    own = [number for number, author, _ in state.interviews.values() if author == store.person]
    number = f"{letter}-{len(own) + 1:02d}"
    pinned = {form_id: (form_id, version, name) for form_id, version, name in state.checklists}
    checklist = pinned.get(FORM) or {each[0]: each for each in newest_checklists(store)}.get(FORM) or (FORM, "", "")
    interview = store.new_subject(now)
    opened = InterviewOpened(visit=state.visit, record=record, number=number, checklist=checklist)
    store.record(interview, opened, now=now)
    store.record(record, InterviewCounted(interview=interview, number=number), now=now)
    return interview


def _interview(store: Store, interview: SubjectId) -> Interview:
    state = store.state(interview)
    if not isinstance(state, Interview):
        raise RuleBroken("not_found")
    return state


def consent(
    store: Store, interview: SubjectId, said: Consent, now: datetime, note: bool = False, audio: bool = False,
    photo: bool = False,
) -> Any:  # fmt: skip
    """What the person allows; asked before anything else."""
    body = ConsentRecorded(consent=said, note=note, audio=audio, photo=photo)
    return store.record(interview, body, now=now)


def withdraw_consent(store: Store, interview: SubjectId, now: datetime) -> Any:
    """The person takes the consent back: everything of the interview is hidden."""
    return store.record(interview, ConsentWithdrawn(), now=now)


def _say(store: Store, interview: SubjectId, words: dict[str, Any], now: datetime, draft: str) -> Any:
    if _interview(store, interview).consent is None:
        raise RuleBroken("not_allowed", "UX T6")
    key, sealed = store.sealed(interview, InterviewAnswered.KIND, words, now)
    return store.record(interview, InterviewAnswered(key=key, sealed=sealed), now=now, drop=draft)


def answer(store: Store, interview: SubjectId, item: str, value: Value, now: datetime, draft: str = "") -> Any:
    """Answers a question of the interview. Raises RuleBroken("not_allowed") before consent was asked."""
    value = clean(value) if isinstance(value, str) else value
    return _say(store, interview, {"item": item, "value": value}, now, draft)


def clear(store: Store, interview: SubjectId, item: str, now: datetime, draft: str = "") -> Any:
    """Takes an answer back."""
    return _say(store, interview, {"item": item, "cleared": True}, now, draft)


def non_answer(
    store: Store, interview: SubjectId, item: str, code: NonAnswer, now: datetime, by: RefusedBy = ""
) -> Any:
    """Says why there is no answer."""
    said = {"code": code} | ({"by": by} if by else {})
    return _say(store, interview, {"item": item, "non_answer": said}, now, "")


def add_row(store: Store, interview: SubjectId, of: str, now: datetime) -> str:
    """Adds a row to a repeat of the interview; the row's 8 hex digits."""
    row = random_bytes(4).hex()
    key, sealed = store.sealed(interview, InterviewRowAdded.KIND, {"of": of, "row": row}, now)
    store.record(interview, InterviewRowAdded(key=key, sealed=sealed), now=now)
    return row


def note(store: Store, interview: SubjectId, text: str, now: datetime, language: str = "", draft: str = "") -> Any:
    """Free words of the interview. Raises RuleBroken("not_allowed") when the person allowed no notes."""
    allowed = _interview(store, interview).consent
    if allowed is None or not allowed.note or allowed.consent != "agrees":
        raise RuleBroken("not_allowed", "UX T6")
    key, sealed = store.sealed(interview, InterviewNoted.KIND, {"text": clean(text), "language": language}, now)
    return store.record(interview, InterviewNoted(key=key, sealed=sealed), now=now, drop=draft)


def share(store: Store, interview: SubjectId, persons: Sequence[str], now: datetime) -> Any:
    """Lets further members of the group read it; the keys follow at once to the tablets known here."""
    state = store.record(interview, InterviewShared(persons=tuple(map(PersonId, persons))), now=now)
    store.wrap_missing(now)
    return state


def close(store: Store, interview: SubjectId, now: datetime) -> Any:
    """The talk is over."""
    return store.record(interview, InterviewClosed(), now=now)


def said(store: Store, interview: SubjectId) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]], list[str]]:
    """What was said, opened: (item → {value} or {non_answer}, repeat → row ids, notes). Empty after withdrawal."""
    state = _interview(store, interview)
    answers: dict[str, dict[str, Any]] = {}
    rows: dict[str, list[str]] = {}
    notes: list[str] = []
    for sealed in () if state.withdrawn_at else state.said:
        words = store.words(interview, sealed) or {}
        if "row" in words:
            rows.setdefault(words["of"], []).append(words["row"])
        elif "item" in words:
            answers.pop(words["item"], None)
            if not words.get("cleared"):
                answers[words["item"]] = {name: words[name] for name in ("value", "non_answer") if name in words}
        elif "text" in words:
            notes.append(words["text"])
    return answers, rows, notes
