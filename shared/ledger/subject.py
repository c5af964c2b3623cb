"""What the folded state of every subject keeps, and how one operation is applied to it.

A capability gives a Fold: the kind of its subject, a start state, and one handler for each body. A handler that meets a
broken rule raises RuleBroken: the operation stays in the ledger and is listed as not counted, with the rule. A kind
this version does not know is listed as "needs an update". Source: SETTLED decisions 8, 31; ARCHITECTURE-STYLE 1.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.errors import RuleBroken
from shared.ledger.branch import BranchTakenIn
from shared.ledger.merge import in_order
from shared.ledger.operation import Body, Operation, UnknownBody
from shared.ledger.sealing import KeyMade, KeyWrapped, Wrap
from shared.values import OperationId, SubjectId


@dataclass(frozen=True)
class NotCounted:
    """An operation that stands in the ledger and has no effect: which one, and the rule (a code and its source)."""

    operation: OperationId
    kind: str
    author: str
    code: str
    source: str


@dataclass(frozen=True)
class Words:
    """Words still sealed: what `opened_words` needs besides the key."""

    operation: OperationId
    kind: str
    key: str
    sealed: str


@dataclass
class Subject:
    """State common to all subjects. `parent` is the folded subject this one belongs to, when there is one."""

    id: SubjectId
    parent: Subject | None = None
    clock: int = 0
    keys: dict[str, tuple[Wrap, ...]] = field(default_factory=dict)
    not_counted: list[NotCounted] = field(default_factory=list)
    needs_update: list[OperationId] = field(default_factory=list)


Handler = Callable[[Any, Operation, Any], None]


@dataclass(frozen=True)
class Fold:
    """How the subjects of one kind are folded."""

    kind: str
    start: Callable[[SubjectId, Subject | None], Subject]
    handlers: Mapping[type[Body], Handler]


def _keep_key(state: Subject, body: KeyMade | KeyWrapped) -> None:
    state.keys[body.id] = state.keys.get(body.id, ()) + body.wraps


def apply(fold: Fold, state: Subject, operation: Operation) -> None:
    """Applies one operation; never raises for anything an operation can say."""
    state.clock = max(state.clock, operation.clock)
    body = operation.body
    if isinstance(body, KeyMade | KeyWrapped):
        _keep_key(state, body)
    elif isinstance(body, BranchTakenIn):
        return  # its lines are operations of their own, see branch.with_branches
    elif isinstance(body, UnknownBody):
        state.needs_update.append(operation.id)
    else:
        try:
            handler = fold.handlers.get(type(body))
            if handler is None:
                raise RuleBroken("kind_wrong_subject", "SETTLED 14", kind=operation.kind)
            handler(state, operation, body)
        except RuleBroken as broken:
            state.not_counted.append(
                NotCounted(operation.id, operation.kind, operation.author, broken.code, broken.source)
            )


def folded(fold: Fold, subject: SubjectId, operations: Iterable[Operation], parent: Subject | None = None) -> Any:
    """The state of a subject after all its operations, in their one order."""
    state = fold.start(subject, parent)
    for operation in in_order(operations):
        apply(fold, state, operation)
    return state
