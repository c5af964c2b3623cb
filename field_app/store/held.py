"""A subject in memory: its operations in order, the chains they stand in, and the folded state.

Appending an own operation, which is always the last in order, applies it to the state; anything else folds anew.
Pure: no disk, no keys.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.ledger.branch import with_branches
from shared.ledger.door import Held as ChainHeld
from shared.ledger.frame import Frame
from shared.ledger.merge import by_order, digest, in_order, operations_of
from shared.ledger.operation import Operation, genesis
from shared.ledger.subject import Subject, apply
from shared.registry import BODIES, FOLDS, PARENT_FIELD, state_of, subject_kind_of
from shared.values import DeviceId, SubjectId


@dataclass
class Held:
    """One subject as this tablet holds it. chains: device → ids (hex) by seq, unreadable lines too."""

    id: SubjectId
    kind: str = ""
    parent: SubjectId = SubjectId("")
    operations: list[Operation] = field(default_factory=list)
    chains: dict[DeviceId, list[str]] = field(default_factory=dict)
    clock: int = 0
    state: Any = None

    def chain(self, device: DeviceId) -> ChainHeld:
        """How far a device's chain is held."""
        ids = self.chains.get(device)
        return ChainHeld(len(ids), ids[-1]) if ids else ChainHeld(0, genesis(device, self.id).hex())

    def digest(self) -> str:
        """To be compared with the office's."""
        return digest((device, len(ids), ids[-1]) for device, ids in self.chains.items() if ids)

    def copied(self) -> Held:
        """A copy that can be changed without this one noticing; without its state."""
        chains = {device: ids[:] for device, ids in self.chains.items()}
        return Held(self.id, self.kind, self.parent, self.operations[:], chains, self.clock)

    def append(self, operation: Operation) -> None:
        """Adds the operation that follows in its device's chain."""
        self.chains.setdefault(operation.device, []).append(operation.id)
        is_last = not self.operations or operation.order > self.operations[-1].order
        if is_last:
            self.operations.append(operation)
        else:
            insort(self.operations, operation, key=by_order)
        self.clock = max(self.clock, operation.clock)
        self._learn_kind(operation)
        if self.state is not None and is_last:
            apply(FOLDS[self.kind], self.state, operation)
        else:
            self.state = None

    def extend(self, frame: Frame, skip: int, operations: Sequence[Operation] | None = None) -> list[Operation]:
        """Adds a frame that fits behind its chain, without its first `skip` lines; the readable operations added.

        operations  those of the frame, where the caller has read them already
        """
        if operations is None:
            operations = operations_of(frame, BODIES)[0]
        fresh = [operation for operation in operations if operation.seq >= frame.header.first + skip]
        self.chains.setdefault(frame.header.device, []).extend(id_.hex() for id_ in frame.ids()[skip:])
        self.add(fresh)
        return fresh

    def add(self, fresh: Iterable[Operation]) -> None:
        """Puts operations in their places among those held, and learns of what kind the subject is."""
        self.operations = in_order([*self.operations, *fresh])
        self.clock = max((each.clock for each in with_branches(self.operations, BODIES)), default=0)
        self.kind, self.parent, self.state = "", SubjectId(""), None
        for operation in self.operations:
            self._learn_kind(operation)
            if self.kind and (self.parent or self.kind not in PARENT_FIELD):
                return

    def _learn_kind(self, operation: Operation) -> None:
        if not self.kind:
            self.kind = subject_kind_of(operation.kind) or ""
        if self.kind and not self.parent:
            name = PARENT_FIELD.get(self.kind, "")
            self.parent = SubjectId(getattr(operation.body, name, "") if name else "")

    def fold(self, parent: Subject | None) -> Any:
        """The state after all operations; None while nothing says of what kind the subject is."""
        if self.state is None and self.kind in FOLDS:
            self.state = state_of(self.kind, self.id, self.operations, parent)
        return self.state


class Book:
    """All subjects of a store by id."""

    def __init__(self) -> None:
        self.subjects: dict[SubjectId, Held] = {}
        self._children: dict[SubjectId, set[SubjectId]] = {}

    def at(self, subject: SubjectId) -> Held:
        """The subject, made when it is new."""
        if subject not in self.subjects:
            self.subjects[subject] = Held(subject)
        return self.subjects[subject]

    def state(self, subject: SubjectId) -> Any:
        """The folded state, None when the subject is not held."""
        held = self.subjects.get(subject)
        if held is None:
            return None
        return held.fold(self.state(held.parent) if held.parent else None)

    def changed(self, held: Held) -> None:
        """Puts a subject in its place; those that belong to it are folded anew when they are asked for."""
        self.subjects[held.id] = held
        if held.parent:
            self._children.setdefault(held.parent, set()).add(held.id)
        for child in self._children.get(held.id, ()):
            self.subjects[child].state = None

    def of_kind(self, kind: str) -> list[SubjectId]:
        """Subjects of a kind, oldest id first."""
        return sorted(id_ for id_, held in self.subjects.items() if held.kind == kind)

    def children(self, subject: SubjectId, kind: str) -> list[SubjectId]:
        """Subjects of a kind that belong to this one."""
        return sorted(id_ for id_ in self._children.get(subject, ()) if self.subjects[id_].kind == kind)

    def with_candidates(self, candidates: Iterable[Held]) -> Book:
        """This book as it would be with these subjects changed; this one stays as it is."""
        trial = Book()
        trial.subjects = dict(self.subjects)
        trial._children = {parent: set(children) for parent, children in self._children.items()}
        changed = list(candidates)
        for held in changed:
            trial.subjects[held.id] = held
        touched = {held.id for held in changed}
        for parent in touched:
            for child in trial._children.get(parent, set()) - touched:
                trial.subjects[child] = trial.subjects[child].copied()
        for held in changed:
            if held.parent:
                trial._children.setdefault(held.parent, set()).add(held.id)
        return trial


def counted(state: Subject | None, operations: Sequence[Operation]) -> int:
    """How many of these operations count in the state."""
    if state is None:
        return 0
    idle = {each.operation for each in state.not_counted} | set(state.needs_update)
    return sum(operation.id not in idle for operation in operations)
