"""A member's own loose notes, seen by nobody else, kept when no visit is open. Source: UX T5, SETTLED decision 14."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import RuleBroken
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold, Subject, Words
from shared.values import OperationId, PersonId


class LooseNoteKept(Body, frozen=True):
    """sealed words: text, language."""

    KIND = "loose_note_kept"
    key: str
    sealed: str


class LooseNoteWithdrawn(Body, frozen=True):
    """The note is hidden."""

    KIND = "loose_note_withdrawn"
    note: OperationId


@dataclass
class Notebook(Subject):
    """State of a notebook: notes that are not withdrawn, by the operation that kept each."""

    owner: PersonId = PersonId("")
    notes: dict[OperationId, Words] = field(default_factory=dict)


def _kept(state: Notebook, operation: Operation, body: LooseNoteKept) -> None:
    state.owner = state.owner or operation.author
    if operation.author != state.owner:
        raise RuleBroken("not_allowed", "SETTLED 14")
    state.notes[operation.id] = Words(operation.id, operation.kind, body.key, body.sealed)


def _withdrawn(state: Notebook, operation: Operation, body: LooseNoteWithdrawn) -> None:
    if operation.author != state.owner or body.note not in state.notes:
        raise RuleBroken("not_found", "SETTLED 42")
    del state.notes[body.note]


NOTEBOOK = Fold(
    "notebook", lambda subject, parent: Notebook(subject), {LooseNoteKept: _kept, LooseNoteWithdrawn: _withdrawn}
)
