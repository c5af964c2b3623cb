"""The report on the tablet: freeze, compare, sign alone with the PIN, submit, answer the office.

A signature is given only for bytes this tablet built itself from its own operations. Source: UX T10, SETTLED
decisions 45-47.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from field_app.acts.subjects import clean, record_id, report_id
from field_app.store.outgoing import cut_frames
from field_app.store.store import Store
from shared.errors import RuleBroken
from shared.ledger.crypto import sha256
from shared.ledger.operation import Operation, canonical
from shared.report_document import Covers, Lacking, document
from shared.reports import QuestionAnswered, Report, ReportFrozen, ReportSigned, ReportSubmitted, Stand, packed
from shared.values import OperationId, PersonId, SubjectId


@dataclass(frozen=True)
class Comparison:
    """A frozen version against what this tablet holds. lacking: what is missing here, None when nothing is."""

    is_same: bool
    lacking: Lacking | None
    late: int
    """Operations held here that the version does not cover."""


def _operations(store: Store, visit: SubjectId) -> tuple[SubjectId, list[Operation]]:
    record = record_id(store, visit)
    if record is None:
        raise RuleBroken("not_found")
    return record, store.operations(visit) + store.operations(record)


def draft_document(store: Store, visit: SubjectId, covers: Covers | None = None) -> dict[str, Any]:
    """The document as it would be frozen now, or a frozen version built again. Raises Lacking."""
    record, operations = _operations(store, visit)
    return document(visit, record, operations, store.words, covers)


def freeze(store: Store, visit: SubjectId, now: datetime) -> SubjectId:
    """Freezes the next version; earlier signatures no longer hold. The report's subject. Raises Lacking, RuleBroken."""
    report = report_id(store, visit)
    state = store.state(report)
    if isinstance(state, Report) and state.submitted:
        raise RuleBroken("report_submitted", "report.per_visit")
    version = len(state.versions) + 1 if isinstance(state, Report) else 1
    made = draft_document(store, visit)
    text, name = packed(made)
    covers = tuple((each[0], each[1], each[2], each[3]) for each in made["covers"])
    store.record(report, ReportFrozen(visit=visit, version=version, document=text, sha256=name, covers=covers), now=now)
    return report


def _frozen(store: Store, visit: SubjectId) -> tuple[SubjectId, ReportFrozen]:
    report = report_id(store, visit)
    state = store.state(report)
    if not isinstance(state, Report) or state.current is None:
        raise RuleBroken("report_missing", "report.signatures")
    return report, state.current.body


def compare(store: Store, visit: SubjectId) -> Comparison:
    """Builds the current version again from this tablet's own operations and compares the hash."""
    _, body = _frozen(store, visit)
    _, operations = _operations(store, visit)
    limits = {(subject, device): seq for subject, device, seq, _ in body.covers}
    late = sum(each.seq > limits.get((each.subject, each.device), 0) for each in operations)
    try:
        again = draft_document(store, visit, body.covers)
    except Lacking as lacking:
        return Comparison(False, lacking, late)
    return Comparison(sha256(canonical(again)).hex() == body.sha256, None, late)


def sign(
    store: Store, visit: SubjectId, pin: str, stand: Stand, now: datetime, text: str = "", language: str = ""
) -> Any:
    """Signs the current version after the PIN; the frame is cut at once. The report's state.

    Raises PinWrong, PinWait, SlotDestroyed; RuleBroken("report_changed") when this tablet builds other bytes, with
    `lacking` among its facts; RuleBroken(no_reason, already_signed, report_missing).
    """
    store.check_pin(pin, now)
    report, body = _frozen(store, visit)
    compared = compare(store, visit)
    if not compared.is_same:
        raise RuleBroken("report_changed", "SETTLED 45", lacking=compared.lacking)
    if stand != "agree" and not text.strip():
        raise RuleBroken("no_reason", "report.separate_opinion")
    if store.person in store.state(report).current.signatures:
        raise RuleBroken("already_signed", "report.signatures")
    signed = ReportSigned(version=body.version, sha256=body.sha256, stand=stand, text=clean(text), language=language)
    state = store.record(report, signed, now=now)
    cut_frames(store)
    return state


def submit(store: Store, visit: SubjectId, now: datetime, missing: dict[str, str] | None = None) -> Any:
    """Hands the report in; missing: person id → why the signature is missing. Raises RuleBroken."""
    report, body = _frozen(store, visit)
    reasons = {PersonId(person): clean(reason) for person, reason in (missing or {}).items()}
    state: Report = store.state(report)
    for person in state.unsigned():
        if not reasons.get(person, "").strip():
            raise RuleBroken("report_unsigned", "report.signatures", person=person)
    done = store.record(report, ReportSubmitted(version=body.version, missing=tuple(sorted(reasons.items()))), now=now)
    cut_frames(store)
    return done


def answer_question(
    store: Store,
    report: SubjectId,
    question: OperationId,
    text: str,
    now: datetime,
    language: str = "",
    draft: str = "",
) -> Any:
    """Answers a question of the office."""
    body = QuestionAnswered(question=question, text=clean(text), language=language)
    return store.record(report, body, now=now, drop=draft)
