"""The report of a visit: frozen document, signatures with reservation or dissent, submission, and the office's review.

A signature holds for exactly the frozen bytes; a new version voids them all. The office asks and accepts, it never
corrects. Source: domain section 8, SETTLED decisions 45-47.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import msgspec

from shared.errors import RuleBroken
from shared.ledger.crypto import sha256
from shared.ledger.operation import UNDECODABLE, Body, Operation, canonical
from shared.ledger.subject import Fold, Subject
from shared.values import OperationId, PersonId, SubjectId
from shared.visits import Visit, in_group, require_outside

DOCUMENT_BYTES = 8 * 1024 * 1024
Stand = Literal["agree", "reservation", "dissent"]


class ReportFrozen(Body, frozen=True):
    """A version of the report, frozen by its hash.

    document  base64 of the zlib-packed canonical JSON; sha256 of the plain document
    covers    the head of every chain used: [subject, device, seq, id]
    """

    KIND = "report_frozen"
    visit: SubjectId
    version: int
    document: str
    sha256: str
    covers: tuple[tuple[str, str, int, str], ...]


class ReportSigned(Body, frozen=True):
    """One member's signature: agrees, agrees with a reservation, or dissents, in own words and language."""

    KIND = "report_signed"
    version: int
    sha256: str
    stand: Stand
    text: str = ""
    language: str = ""


class ReportSubmitted(Body, frozen=True):
    """The leader hands the report in; [person, reason] for each member who did not sign."""

    KIND = "report_submitted"
    version: int
    missing: tuple[tuple[PersonId, str], ...] = ()


class QuestionAsked(Body, frozen=True):
    """The office asks about a finding (its operation id) or about the whole report (empty)."""

    KIND = "question_asked"
    finding: OperationId
    text: str
    language: str = ""


class QuestionAnswered(Body, frozen=True):
    """A member of the group answers a question (the id of the operation that asked it)."""

    KIND = "question_answered"
    question: OperationId
    text: str
    language: str = ""


class FindingAccepted(Body, frozen=True):
    """The office takes the finding as it stands; a critical one counts as taken when two officers said so."""

    KIND = "finding_accepted"
    finding: OperationId


class FindingReopened(Body, frozen=True):
    """The office takes its acceptance back, with the reason."""

    KIND = "finding_reopened"
    finding: OperationId
    reason: str


class ReportAccepted(Body, frozen=True):
    """The review is done; the report feeds recommendations and the annual report."""

    KIND = "report_accepted"


@dataclass(frozen=True)
class Signature:
    """A signature as it was given."""

    person: PersonId
    stand: Stand
    text: str
    language: str
    at: str
    operation: OperationId


@dataclass
class Version:
    """A frozen version with its signatures."""

    body: ReportFrozen
    by: PersonId
    at: str
    signatures: dict[PersonId, Signature] = field(default_factory=dict)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The frozen document, unpacked once. Raises RuleBroken("report_changed")."""
        return unpacked(self.body)

    @cached_property
    def findings(self) -> dict[OperationId, dict[str, Any]]:
        """The findings of the document by id; what has not the shape of a finding is left out."""
        listed = self.document.get("findings")
        found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        return {OperationId(each["id"]): each for each in found if isinstance(each.get("id"), str)}


@dataclass
class Question:
    """A question of the office and its answer."""

    id: OperationId
    finding: OperationId
    text: str
    language: str
    by: PersonId
    at: str
    answer: str = ""
    answer_language: str = ""
    answered_by: PersonId = PersonId("")
    answered_at: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the answer is still awaited."""
        return not self.answered_at


@dataclass
class Report(Subject):
    """State of a report."""

    visit: SubjectId = SubjectId("")
    versions: list[Version] = field(default_factory=list)
    submitted: ReportSubmitted | None = None
    submitted_at: str = ""
    submitted_by: PersonId = PersonId("")
    questions: dict[OperationId, Question] = field(default_factory=dict)
    accepted_findings: dict[OperationId, tuple[PersonId, str]] = field(default_factory=dict)
    half_accepted: dict[OperationId, tuple[PersonId, str]] = field(default_factory=dict)
    accepted_at: str = ""
    accepted_by: PersonId = PersonId("")
    history: list[tuple[str, str, PersonId, str]] = field(default_factory=list)

    @property
    def current(self) -> Version | None:
        """The version that stands."""
        return self.versions[-1] if self.versions else None

    @property
    def stage(self) -> Literal["none", "frozen", "signing", "signed", "submitted", "accepted"]:
        """How far the report is."""
        if self.accepted_at:
            return "accepted"
        if self.submitted:
            return "submitted"
        if self.current is None:
            return "none"
        members = self._members()
        if members and members <= set(self.current.signatures):
            return "signed"
        return "signing" if self.current.signatures else "frozen"

    def unsigned(self) -> tuple[PersonId, ...]:
        """Members of the group whose signature under the current version is missing."""
        return tuple(sorted(self._members() - set(self.current.signatures if self.current else ())))

    def _members(self) -> set[PersonId]:
        return set(self.parent.members or (self.parent.planned_by,)) if isinstance(self.parent, Visit) else set()


def packed(document: dict[str, Any]) -> tuple[str, str]:
    """A document as it travels: (base64 of its zlib-packed canonical JSON, SHA-256 of the plain bytes)."""
    plain = canonical(document)
    return base64.b64encode(zlib.compress(plain, 9)).decode(), sha256(plain).hex()


def unpacked(body: ReportFrozen) -> dict[str, Any]:
    """The frozen document. Raises RuleBroken("report_changed") when its bytes are not those of the hash."""
    try:
        unpack = zlib.decompressobj()
        plain = unpack.decompress(base64.b64decode(body.document, validate=True), DOCUMENT_BYTES)
        document = msgspec.json.decode(plain)
    except (*UNDECODABLE, ValueError, zlib.error) as error:
        raise RuleBroken("report_changed", "SETTLED 45") from error
    if not unpack.eof or sha256(plain).hex() != body.sha256 or not isinstance(document, dict):
        raise RuleBroken("report_changed", "SETTLED 45")
    return document


def _require_group(state: Report, person: PersonId) -> None:
    if isinstance(state.parent, Visit) and not in_group(state.parent, person):
        raise RuleBroken("not_in_group", "report.signatures")


def _note(state: Report, operation: Operation, about: str = "") -> None:
    state.history.append((operation.at, operation.kind, operation.author, about))


def _frozen(state: Report, operation: Operation, body: ReportFrozen) -> None:
    _require_group(state, operation.author)
    if state.submitted:
        raise RuleBroken("report_submitted", "report.per_visit")
    if body.version != len(state.versions) + 1:
        raise RuleBroken("wrong_version", "SETTLED 46", version=body.version, latest=len(state.versions))
    version = Version(body, operation.author, operation.at)
    _ = version.document  # a document that cannot be read is no version: nobody could sign or review it
    state.visit = body.visit
    state.versions.append(version)
    _note(state, operation, str(body.version))


def _signed(state: Report, operation: Operation, body: ReportSigned) -> None:
    _require_group(state, operation.author)
    current = state.current
    if current is None:
        raise RuleBroken("report_missing", "report.signatures")
    if state.submitted:
        raise RuleBroken("report_submitted", "report.signatures")
    if body.version != current.body.version or body.sha256 != current.body.sha256:
        raise RuleBroken("wrong_version", "SETTLED 46", version=body.version, latest=current.body.version)
    if operation.author in current.signatures:
        raise RuleBroken("already_signed", "report.signatures")
    if body.stand != "agree" and not body.text.strip():
        raise RuleBroken("no_reason", "report.separate_opinion")
    current.signatures[operation.author] = Signature(
        operation.author, body.stand, body.text, body.language, operation.at, operation.id
    )
    _note(state, operation, body.stand)


def _submitted(state: Report, operation: Operation, body: ReportSubmitted) -> None:
    _require_group(state, operation.author)
    current = state.current
    if current is None:
        raise RuleBroken("report_missing", "report.per_visit")
    if state.submitted:
        raise RuleBroken("report_submitted", "report.per_visit")
    if body.version != current.body.version:
        raise RuleBroken("wrong_version", "SETTLED 46", version=body.version, latest=current.body.version)
    reasons = dict(body.missing)
    for person in state.unsigned():
        if not reasons.get(person, "").strip():
            raise RuleBroken("report_unsigned", "report.signatures", person=person)
    state.submitted, state.submitted_at, state.submitted_by = body, operation.at, operation.author
    _note(state, operation, str(body.version))


def _require_review(state: Report, person: PersonId) -> None:
    """Only what is handed in is reviewed, and never by somebody of its own group."""
    if isinstance(state.parent, Visit):
        require_outside(state.parent, person)
    if state.submitted is None:
        raise RuleBroken("report_missing", "report.per_visit")


def findings_of(state: Report) -> dict[OperationId, dict[str, Any]]:
    """The findings of the current document, by the id of the operation that recorded each."""
    return state.current.findings if state.current else {}


def needs_two(finding: dict[str, Any]) -> bool:
    """Whether one officer's word is not enough. Source: UX C7, four eyes for the highest severity."""
    return finding.get("severity") == "critical"


def _asked(state: Report, operation: Operation, body: QuestionAsked) -> None:
    _require_review(state, operation.author)
    if body.finding and body.finding not in findings_of(state):
        raise RuleBroken("finding_unknown", "domain VR-6")
    if not body.text.strip():
        raise RuleBroken("no_reason", "domain VR-6")
    if state.accepted_at:
        raise RuleBroken("already_decided", "domain VR-6")
    state.accepted_findings.pop(body.finding, None)
    state.half_accepted.pop(body.finding, None)
    state.questions[operation.id] = Question(
        operation.id, body.finding, body.text, body.language, operation.author, operation.at
    )
    _note(state, operation, body.finding)


def _answered(state: Report, operation: Operation, body: QuestionAnswered) -> None:
    _require_group(state, operation.author)
    question = state.questions.get(body.question)
    if question is None or not question.is_open:
        raise RuleBroken("question_unknown", "domain VR-6")
    question.answer, question.answer_language = body.text, body.language
    question.answered_by, question.answered_at = operation.author, operation.at
    _note(state, operation, question.finding)


def open_questions(state: Report, finding: OperationId) -> list[Question]:
    """Questions about the finding that wait for their answer."""
    return [question for question in state.questions.values() if question.finding == finding and question.is_open]


def _accepted_finding(state: Report, operation: Operation, body: FindingAccepted) -> None:
    _require_review(state, operation.author)
    finding = findings_of(state).get(body.finding)
    if finding is None:
        raise RuleBroken("finding_unknown", "domain VR-6")
    if open_questions(state, body.finding):
        raise RuleBroken("question_open", "domain VR-6")
    if body.finding in state.accepted_findings:
        raise RuleBroken("already_decided", "domain VR-6")
    _take(state, operation, body.finding, needs_two(finding))
    _note(state, operation, body.finding)


def _take(state: Report, operation: Operation, finding: OperationId, two: bool) -> None:
    """One word of an officer; the finding is taken by it, or by the second when it wants two different officers."""
    if two and finding not in state.half_accepted:
        state.half_accepted[finding] = (operation.author, operation.at)
        return
    if two and state.half_accepted[finding][0] == operation.author:
        raise RuleBroken("second_officer_needed", "UX C7")
    state.accepted_findings[finding] = (operation.author, operation.at)


def _reopened(state: Report, operation: Operation, body: FindingReopened) -> None:
    _require_review(state, operation.author)
    if state.accepted_at:
        raise RuleBroken("already_decided", "domain VR-6")
    if body.finding not in state.accepted_findings and body.finding not in state.half_accepted:
        raise RuleBroken("finding_unknown", "domain VR-6")
    if not body.reason.strip():
        raise RuleBroken("no_reason", "domain VR-6")
    state.accepted_findings.pop(body.finding, None)
    state.half_accepted.pop(body.finding, None)
    _note(state, operation, body.finding)


def _accepted(state: Report, operation: Operation, body: ReportAccepted) -> None:
    _require_review(state, operation.author)
    if state.accepted_at:
        raise RuleBroken("already_decided", "domain VR-6")
    left = set(findings_of(state)) - set(state.accepted_findings)
    if left or any(question.is_open for question in state.questions.values()):
        raise RuleBroken("question_open", "domain VR-6")
    state.accepted_at, state.accepted_by = operation.at, operation.author
    _note(state, operation)


REPORT = Fold(
    "report",
    lambda subject, parent: Report(subject, parent),
    {
        ReportFrozen: _frozen,
        ReportSigned: _signed,
        ReportSubmitted: _submitted,
        QuestionAsked: _asked,
        QuestionAnswered: _answered,
        FindingAccepted: _accepted_finding,
        FindingReopened: _reopened,
        ReportAccepted: _accepted,
    },
)
