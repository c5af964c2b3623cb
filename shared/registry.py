"""ONE table of every kind of operation and every kind of subject.

`BODIES`: kind on the wire → body class. `FOLDS`: kind of subject → how it is folded. `subject_kind_of`: which
subject an operation kind belongs to; a subject's kind is that of its first operation. Source: SETTLED decision 14.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from shared.accounts import OFFICE, PERSON
from shared.ballots import VOTE
from shared.candidacies import ELECTION
from shared.ledger.branch import BranchTakenIn, with_branches
from shared.ledger.operation import Body, Operation
from shared.ledger.sealing import KeyMade, KeyWrapped
from shared.ledger.subject import Fold, Subject, folded
from shared.observations.interview import INTERVIEW
from shared.observations.notebook import NOTEBOOK
from shared.observations.record import RECORD
from shared.packs import FORM, LAW, REGISTER
from shared.reports import REPORT
from shared.values import SubjectId, is_id
from shared.visit_requests import VISIT_REQUEST
from shared.visits import VISIT

FOLDS: dict[str, Fold] = {
    fold.kind: fold
    for fold in (
        OFFICE,
        LAW,
        FORM,
        REGISTER,
        PERSON,
        VISIT_REQUEST,
        VOTE,
        ELECTION,
        VISIT,
        RECORD,
        INTERVIEW,
        REPORT,
        NOTEBOOK,
    )
}

ANYWHERE: tuple[type[Body], ...] = (KeyMade, KeyWrapped, BranchTakenIn)
"""Bodies that any subject may hold."""

BODIES: dict[str, type[Body]] = {body.KIND: body for fold in FOLDS.values() for body in fold.handlers} | {
    body.KIND: body for body in ANYWHERE
}
for _body in BODIES.values():
    # What msgspec knows of a class is filled in at its first decoder, in sight of other threads: two that came upon a
    # kind for the first time at once would end the process. So it is made here, while nobody else looks.
    msgspec.json.Decoder(_body)

_SUBJECT_KIND: dict[str, str] = {body.KIND: fold.kind for fold in FOLDS.values() for body in fold.handlers}

PARENT_FIELD = {"record": "visit", "interview": "visit", "report": "visit"}
"""Kinds of subject that belong to another one, and the field of the body that names it."""


def subject_kind_of(operation_kind: str) -> str | None:
    """The kind of subject the operation belongs to; None for keys (any subject) and for unknown kinds."""
    return _SUBJECT_KIND.get(operation_kind)


def kind_of_subject(operations: Iterable[Operation]) -> str | None:
    """The kind of a subject: that of its first operation whose kind says it, in order of seq and clock."""
    for operation in sorted(operations, key=lambda operation: operation.order):
        kind = subject_kind_of(operation.kind)
        if kind:
            return kind
    return None


def parent_of(operations: Iterable[Operation]) -> SubjectId | None:
    """The subject this one belongs to, as its first body that names one says."""
    for operation in sorted(operations, key=lambda operation: operation.order):
        field = PARENT_FIELD.get(subject_kind_of(operation.kind) or "")
        parent = getattr(operation.body, field, "") if field else ""
        if is_id(parent):
            return SubjectId(parent)
    return None


def strays(operations: Iterable[Operation], kind: str, parent: str | None) -> list[Operation]:
    """Those that belong to another kind of subject than this one, or say that it belongs to another parent."""
    field = PARENT_FIELD.get(kind, "")

    def is_stray(operation: Operation) -> bool:
        if subject_kind_of(operation.kind) not in (kind, None):
            return True
        named = getattr(operation.body, field, "") if field else ""
        return bool(named) and named != (parent or named)

    return [operation for operation in operations if is_stray(operation)]


def would_begin(strayed: Iterable[Operation], held: Iterable[Operation], kind: str, parent: str | None) -> bool:
    """Whether one of `strayed` stands before the operations that say of what kind the subject is and to which parent
    it belongs: every copy would then take it for another subject."""
    field = PARENT_FIELD.get(kind, "")
    saying = [each for each in held if subject_kind_of(each.kind) == kind]
    naming = [each for each in saying if getattr(each.body, field, "") == parent] if field else saying
    firsts = [min((each.order for each in those), default=None) for those in (saying, naming)]
    return any(first is None or each.order <= first for each in strayed for first in firsts)


def state_of(kind: str, subject: SubjectId, operations: Iterable[Operation], parent: Subject | None = None) -> Any:
    """The folded state of a subject of a kind, branches taken in included. Raises KeyError for a kind unknown here."""
    return folded(FOLDS[kind], subject, with_branches(operations, BODIES), parent)
