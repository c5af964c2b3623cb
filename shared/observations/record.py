"""The common record of a visit: answers, rows, notes, photos, findings, draft texts, the list of interviews.

Written by the whole group. Nothing is deleted: `withdrawn` hides with a reason, and a later word about the same thing
brings it back. Source: domain section 6.4, SETTLED decisions 14, 29, 42, 47, 57-60.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.errors import RuleBroken
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold, Handler, Subject, Words
from shared.observations import answers as a
from shared.values import OperationId, PersonId, SubjectId
from shared.visits import Visit, in_group

Severity = Literal["low", "medium", "high", "critical"]
MediaRole = Literal["original", "derivative", "thumbnail"]


class RecordOpened(Body, frozen=True):
    """The record of a visit begins; the versions of its checklists are pinned: [form_id, version, sha256]."""

    KIND = "record_opened"
    visit: SubjectId
    checklists: tuple[tuple[str, str, str], ...]


class RowAdded(Body, frozen=True):
    """A row of a repeat: `of` is the repeat's path, `row` 8 random hex digits. `after` copies nothing: it orders."""

    KIND = "row_added"
    of: str
    row: str


class NoteRecorded(Body, frozen=True):
    """A note. sealed words: text, language, place. `of` names what it belongs to: an item path, an operation, or ""."""

    KIND = "note_recorded"
    key: str
    sealed: str
    of: str = ""


class NoteChanged(Body, frozen=True):
    """A later text of a note; `over` is the version its author saw. `of` links it anew when given."""

    KIND = "note_changed"
    note: OperationId
    over: OperationId
    key: str
    sealed: str
    of: str = ""


class MediaFile(Body, frozen=True):
    """One stored file of a photo: SHA-256 and size of its ciphertext. Not an operation: part of bodies."""

    role: MediaRole
    sha256: str
    size: int


class PhotoTaken(Body, frozen=True):
    """A photo. sealed words: caption, language, keys (role → base64 key), original_sha256, width, height, taken_at."""

    KIND = "photo_taken"
    files: tuple[MediaFile, ...]
    key: str
    sealed: str
    of: str = ""


class PhotoCleared(Body, frozen=True):
    """A member looked: no face, nothing that identifies (`clear`), or not so. Source: SETTLED decision 60."""

    KIND = "photo_cleared"
    photo: OperationId
    clear: bool


class FindingRecorded(Body, frozen=True):
    """A finding: codes open, words sealed.

    sealed words: saw, told, told_by, concluded, language, recommendation {addressee, text, due}
    evidence      item paths and ids of notes, photos, interviews
    standards     keys of the register of standards
    """

    KIND = "finding_recorded"
    severity: Severity
    standards: tuple[str, ...]
    evidence: tuple[str, ...]
    key: str
    sealed: str
    urgent: bool = False


class FindingChanged(Body, frozen=True):
    """The finding said anew; `over` are the versions its author saw."""

    KIND = "finding_changed"
    finding: OperationId
    over: tuple[OperationId, ...]
    severity: Severity
    standards: tuple[str, ...]
    evidence: tuple[str, ...]
    key: str
    sealed: str
    urgent: bool = False


class Withdrawn(Body, frozen=True):
    """Something of the record is hidden, with a preset reason; it stays in history."""

    KIND = "withdrawn"
    of: str
    reason: Literal["entered_by_mistake", "wrong_place", "consent_withdrawn", "repeated"]


class Restored(Body, frozen=True):
    """Something withdrawn is shown again."""

    KIND = "restored"
    of: str


class DraftWritten(Body, frozen=True):
    """A text of the report to be, seen by the group alone. sealed words: text, language."""

    KIND = "draft_written"
    part: str
    key: str
    sealed: str


class InterviewCounted(Body, frozen=True):
    """An interview was begun: its subject and its name ("A-03"). What was said lies elsewhere."""

    KIND = "interview_counted"
    interview: SubjectId
    number: str


@dataclass(frozen=True)
class Version:
    """One version of a note or finding: who, when, words, what it is linked to."""

    operation: OperationId
    author: PersonId
    at: str
    words: Words
    of: str = ""
    body: FindingRecorded | FindingChanged | None = None


@dataclass
class Versioned:
    """A note or a finding with all its versions; the heads are those no later one was written over."""

    id: OperationId
    versions: dict[OperationId, Version] = field(default_factory=dict)
    heads: list[OperationId] = field(default_factory=list)
    withdrawn: str = ""

    def add(self, version: Version, over: tuple[OperationId, ...]) -> None:
        """One more version, written over those."""
        self.versions[version.operation] = version
        self.heads = [head for head in self.heads if head not in over] + [version.operation]

    @property
    def current(self) -> Version:
        """The last head in order."""
        return self.versions[self.heads[-1]]

    @property
    def differs(self) -> bool:
        """Whether two members changed it without seeing each other's version."""
        return len(self.heads) > 1


@dataclass
class Photo:
    """A photo of the record."""

    id: OperationId
    author: PersonId
    at: str
    files: dict[MediaRole, MediaFile]
    words: Words
    of: str
    cleared: bool | None = None
    cleared_by: PersonId = PersonId("")
    withdrawn: str = ""


@dataclass
class Row:
    """A row of a repeat."""

    id: str
    of: str
    author: PersonId
    at: str
    operation: OperationId
    withdrawn: str = ""


@dataclass
class Record(Subject):
    """State of a record."""

    visit: SubjectId = SubjectId("")
    opened_by: PersonId = PersonId("")
    checklists: tuple[tuple[str, str, str], ...] = ()
    answers: a.Answers = field(default_factory=a.Answers)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    notes: dict[OperationId, Versioned] = field(default_factory=dict)
    photos: dict[OperationId, Photo] = field(default_factory=dict)
    findings: dict[OperationId, Versioned] = field(default_factory=dict)
    drafts: dict[str, dict[PersonId, Words]] = field(default_factory=dict)
    interviews: dict[SubjectId, tuple[str, PersonId, str]] = field(default_factory=dict)

    @property
    def leader(self) -> PersonId:
        """The leader whose choice stands over a member's."""
        return (self.parent.leader or self.parent.planned_by) if isinstance(self.parent, Visit) else PersonId("")

    def effective(self, path: str) -> a.Effective:
        """What counts for an item."""
        return a.effective(self.answers.items.get(path), self.leader)


def _opened(state: Record, operation: Operation, body: RecordOpened) -> None:
    if state.visit:
        raise RuleBroken("visit_started", "SETTLED 56")
    state.visit, state.opened_by, state.checklists = body.visit, operation.author, body.checklists


def _row_added(state: Record, operation: Operation, body: RowAdded) -> None:
    rows = state.rows.setdefault(body.of, [])
    if all(row.id != body.row for row in rows):
        rows.append(Row(body.row, body.of, operation.author, operation.at, operation.id))


def _note_recorded(state: Record, operation: Operation, body: NoteRecorded) -> None:
    words = Words(operation.id, operation.kind, body.key, body.sealed)
    note = state.notes[operation.id] = Versioned(operation.id)
    note.add(Version(operation.id, operation.author, operation.at, words, body.of), ())


def _note_changed(state: Record, operation: Operation, body: NoteChanged) -> None:
    note = state.notes.get(body.note)
    if note is None:
        raise RuleBroken("not_found", "SETTLED 42")
    words = Words(operation.id, operation.kind, body.key, body.sealed)
    of = body.of or note.current.of
    note.add(Version(operation.id, operation.author, operation.at, words, of), (body.over,))
    note.withdrawn = ""


def _photo_taken(state: Record, operation: Operation, body: PhotoTaken) -> None:
    files = {file.role: file for file in body.files}
    words = Words(operation.id, operation.kind, body.key, body.sealed)
    state.photos[operation.id] = Photo(operation.id, operation.author, operation.at, files, words, body.of)


def _photo_cleared(state: Record, operation: Operation, body: PhotoCleared) -> None:
    photo = state.photos.get(body.photo)
    if photo is None:
        raise RuleBroken("media_unknown", "SETTLED 60")
    photo.cleared, photo.cleared_by = body.clear, operation.author


def _finding_recorded(state: Record, operation: Operation, body: FindingRecorded) -> None:
    words = Words(operation.id, operation.kind, body.key, body.sealed)
    finding = state.findings[operation.id] = Versioned(operation.id)
    finding.add(Version(operation.id, operation.author, operation.at, words, body=body), ())


def _finding_changed(state: Record, operation: Operation, body: FindingChanged) -> None:
    finding = state.findings.get(body.finding)
    if finding is None:
        raise RuleBroken("finding_unknown", "SETTLED 42")
    words = Words(operation.id, operation.kind, body.key, body.sealed)
    finding.add(Version(operation.id, operation.author, operation.at, words, body=body), body.over)
    finding.withdrawn = ""


def _named(state: Record, of: str) -> Versioned | Photo | Row:
    op = OperationId(of)
    found: Versioned | Photo | Row | None = state.notes.get(op) or state.findings.get(op) or state.photos.get(op)
    found = found or next((row for rows in state.rows.values() for row in rows if row.operation == op), None)
    if found is None:
        raise RuleBroken("not_found", "SETTLED 42")
    return found


def _withdrawn(state: Record, operation: Operation, body: Withdrawn) -> None:
    _named(state, body.of).withdrawn = body.reason


def _restored(state: Record, operation: Operation, body: Restored) -> None:
    _named(state, body.of).withdrawn = ""


def _draft(state: Record, operation: Operation, body: DraftWritten) -> None:
    words = Words(operation.id, operation.kind, body.key, body.sealed)
    state.drafts.setdefault(body.part, {})[operation.author] = words


def _interview(state: Record, operation: Operation, body: InterviewCounted) -> None:
    state.interviews[body.interview] = (body.number, operation.author, operation.at)


def _by_group(handler: Handler) -> Handler:
    """The handler, for members of the group only; others' acts are not counted."""

    def guarded(state: Record, operation: Operation, body: Any) -> None:
        if isinstance(state.parent, Visit) and not (
            in_group(state.parent, operation.author) or operation.author in state.parent.ever_members
        ):
            raise RuleBroken("not_in_group", "visit.group.former")
        handler(state, operation, body)

    return guarded


def _on_answers(handler: Callable[[a.Answers, Operation, Any], None]) -> Handler:
    return lambda state, operation, body: handler(state.answers, operation, body)


_HANDLERS: dict[type[Body], Handler] = {
    RecordOpened: _opened,
    a.AnswerRecorded: _on_answers(a.answer_recorded),
    a.AnswerCleared: _on_answers(a.answer_cleared),
    a.NonAnswerRecorded: _on_answers(a.non_answer_recorded),
    a.ValueChosen: _on_answers(a.value_chosen),
    a.ChoiceReversed: _on_answers(a.choice_reversed),
    RowAdded: _row_added,
    NoteRecorded: _note_recorded,
    NoteChanged: _note_changed,
    PhotoTaken: _photo_taken,
    PhotoCleared: _photo_cleared,
    FindingRecorded: _finding_recorded,
    FindingChanged: _finding_changed,
    Withdrawn: _withdrawn,
    Restored: _restored,
    DraftWritten: _draft,
    InterviewCounted: _interview,
}

RECORD = Fold(
    "record",
    lambda subject, parent: Record(subject, parent),
    {body: _by_group(handler) for body, handler in _HANDLERS.items()},
)
