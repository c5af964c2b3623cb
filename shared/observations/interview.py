"""One private interview, a subject of its own: only its author (and those it is shared with) ever reads it.

Open are that it exists, its number and the consent; all that was said is sealed, even which question it answers. No
name has a field. Source: UX T6, SETTLED decisions 14, 17, 29, 34.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shared.errors import RuleBroken
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold, Subject, Words
from shared.observations.record import MediaFile
from shared.values import OperationId, PersonId, SubjectId

Consent = Literal["agrees", "no_record", "declines"]


class InterviewOpened(Body, frozen=True):
    """The interview begins; its checklist is pinned: [form_id, version, sha256]."""

    KIND = "interview_opened"
    visit: SubjectId
    record: SubjectId
    number: str
    checklist: tuple[str, str, str]


class ConsentRecorded(Body, frozen=True):
    """What the person allows; asked first. `note`, `audio`, `photo`: each allowed or not."""

    KIND = "consent_recorded"
    consent: Consent
    note: bool = False
    audio: bool = False
    photo: bool = False


class ConsentWithdrawn(Body, frozen=True):
    """The person takes the consent back: everything of this interview is hidden at once."""

    KIND = "consent_withdrawn"


class InterviewAnswered(Body, frozen=True):
    """sealed words: item, and one of value, non_answer {code, by}, cleared."""

    KIND = "interview_answered"
    key: str
    sealed: str


class InterviewRowAdded(Body, frozen=True):
    """sealed words: of, row."""

    KIND = "interview_row_added"
    key: str
    sealed: str


class InterviewNoted(Body, frozen=True):
    """sealed words: text, language."""

    KIND = "interview_noted"
    key: str
    sealed: str


class InterviewPhotoTaken(Body, frozen=True):
    """A photo the person allowed. sealed words as in `photo_taken`."""

    KIND = "interview_photo_taken"
    files: tuple[MediaFile, ...]
    key: str
    sealed: str


class InterviewShared(Body, frozen=True):
    """The author lets further members of the group read it; their keys follow by `key_wrapped`."""

    KIND = "interview_shared"
    persons: tuple[PersonId, ...]


class InterviewClosed(Body, frozen=True):
    """The talk is over."""

    KIND = "interview_closed"


@dataclass
class Interview(Subject):
    """State of an interview; what was said stays sealed."""

    visit: SubjectId = SubjectId("")
    record: SubjectId = SubjectId("")
    number: str = ""
    author: PersonId = PersonId("")
    opened_at: str = ""
    checklist: tuple[str, str, str] = ("", "", "")
    consent: ConsentRecorded | None = None
    withdrawn_at: str = ""
    said: list[Words] = field(default_factory=list)
    files: dict[OperationId, tuple[MediaFile, ...]] = field(default_factory=dict)
    shared_with: set[PersonId] = field(default_factory=set)
    closed_at: str = ""


def _opened(state: Interview, operation: Operation, body: InterviewOpened) -> None:
    if state.author:
        raise RuleBroken("visit_started", "SETTLED 17")
    state.visit, state.record, state.number = body.visit, body.record, body.number
    state.author, state.opened_at, state.checklist = operation.author, operation.at, body.checklist


def _require_author(state: Interview, operation: Operation) -> None:
    if operation.author != state.author:
        raise RuleBroken("not_allowed", "SETTLED 14")


def _consent(state: Interview, operation: Operation, body: ConsentRecorded) -> None:
    _require_author(state, operation)
    state.consent, state.withdrawn_at = body, ""


def _consent_withdrawn(state: Interview, operation: Operation, body: ConsentWithdrawn) -> None:
    _require_author(state, operation)
    state.withdrawn_at = operation.at


def _said(state: Interview, operation: Operation, body: InterviewAnswered | InterviewRowAdded | InterviewNoted) -> None:
    _require_author(state, operation)
    state.said.append(Words(operation.id, operation.kind, body.key, body.sealed))


def _photo(state: Interview, operation: Operation, body: InterviewPhotoTaken) -> None:
    _require_author(state, operation)
    state.said.append(Words(operation.id, operation.kind, body.key, body.sealed))
    state.files[operation.id] = body.files


def _shared(state: Interview, operation: Operation, body: InterviewShared) -> None:
    _require_author(state, operation)
    state.shared_with |= set(body.persons)


def _closed(state: Interview, operation: Operation, body: InterviewClosed) -> None:
    _require_author(state, operation)
    state.closed_at = operation.at


INTERVIEW = Fold(
    "interview",
    lambda subject, parent: Interview(subject, parent),
    {
        InterviewOpened: _opened,
        ConsentRecorded: _consent,
        ConsentWithdrawn: _consent_withdrawn,
        InterviewAnswered: _said,
        InterviewRowAdded: _said,
        InterviewNoted: _said,
        InterviewPhotoTaken: _photo,
        InterviewShared: _shared,
        InterviewClosed: _closed,
    },
)
