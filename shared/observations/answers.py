"""Answers of several members to the same questions, kept side by side until a person chooses.

Pure: what one author says last, where authors differ, what a choice settles. An author's later value replaces that
author's earlier one, from any of the author's devices; nobody's value replaces another's. Source: SETTLED decisions
32, 41, 43, 44.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from shared.errors import RuleBroken
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Words
from shared.values import OperationId, PersonId

NonAnswer = Literal["not_seen", "not_asked", "refused", "not_applicable"]
RefusedBy = Literal["", "staff", "detainee", "other"]
Value = bool | int | str | list[str]


class AnswerRecorded(Body, frozen=True):
    """The author answers an item: an open coded `value`, or sealed words {value} for text and positions.

    item  XPath with group names and row ids: "/mc/cell[a1b2c3d4]/cell_beds"
    """

    KIND = "answer_recorded"
    item: str
    value: bool | int | str | list[str] | None = None
    key: str = ""
    sealed: str = ""


class AnswerCleared(Body, frozen=True):
    """The author takes the own answer back: the item is blank again for this author."""

    KIND = "answer_cleared"
    item: str


class NonAnswerRecorded(Body, frozen=True):
    """The author says why there is no answer. sealed words: reason (of a refusal)."""

    KIND = "non_answer_recorded"
    item: str
    code: NonAnswer
    by: RefusedBy = ""
    key: str = ""
    sealed: str = ""


class ValueChosen(Body, frozen=True):
    """Where values differ a person chooses one: `over` are the entries seen, `chosen` is one of them."""

    KIND = "value_chosen"
    item: str
    over: tuple[OperationId, ...]
    chosen: OperationId


class ChoiceReversed(Body, frozen=True):
    """A choice is taken back; the values differ again."""

    KIND = "choice_reversed"
    choice: OperationId


@dataclass(frozen=True)
class Entry:
    """What one author said about an item, once. Exactly one of value, words, non_answer is set, or none: cleared."""

    operation: OperationId
    author: PersonId
    at: str
    order: tuple[int, str, int, str]
    value: Value | None = None
    words: Words | None = None
    non_answer: NonAnswer | None = None
    refused_by: RefusedBy = ""
    reason: Words | None = None

    @property
    def is_blank(self) -> bool:
        """Whether the author took the answer back."""
        return self.value is None and self.words is None and self.non_answer is None


@dataclass
class Choice:
    """A choice that stands."""

    operation: OperationId
    author: PersonId
    at: str
    over: frozenset[OperationId]
    chosen: OperationId


@dataclass
class Item:
    """Everything said about one item: all entries in order, and the choices not reversed."""

    path: str
    entries: list[Entry] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)

    def standing(self) -> dict[PersonId, Entry]:
        """Each author's last entry that is not blank."""
        last = {entry.author: entry for entry in self.entries}
        return {author: entry for author, entry in last.items() if not entry.is_blank}


@dataclass(frozen=True)
class Effective:
    """What counts for an item: the one entry, or all differing ones, or nothing.

    state   blank | one | chosen | differs
    entry   the entry that counts, when there is one
    others  the standing entries of the other authors, also the ones not chosen
    """

    state: Literal["blank", "one", "chosen", "differs"]
    entry: Entry | None
    others: tuple[Entry, ...]
    choice: Choice | None = None


def alike(left: Entry, right: Entry) -> bool:
    """Whether two entries say the same; two sealed ones never do, since the fold does not open them."""
    if left.words or right.words:
        return left.operation == right.operation
    return (left.value, left.non_answer) == (right.value, right.non_answer) and type(left.value) is type(right.value)


def effective(item: Item | None, leader: PersonId) -> Effective:
    """What counts for an item by SETTLED decisions 43 and 44: chosen, else the only or equal value, else it differs."""
    standing = sorted(item.standing().values(), key=lambda entry: entry.order) if item else []
    if not standing or item is None:
        return Effective("blank", None, ())
    choice = _standing_choice(item, {entry.operation for entry in standing}, leader)
    if choice is not None:
        chosen = next(entry for entry in item.entries if entry.operation == choice.chosen)
        others = tuple(entry for entry in standing if entry.operation != chosen.operation)
        return Effective("chosen", chosen, others, choice)
    first, rest = standing[0], standing[1:]
    if all(alike(first, entry) for entry in rest):
        return Effective("one", first, tuple(rest))
    return Effective("differs", None, tuple(standing))


def _standing_choice(item: Item, standing: set[OperationId], leader: PersonId) -> Choice | None:
    known = {entry.operation for entry in item.entries}
    covering = [choice for choice in item.choices if standing <= choice.over and choice.chosen in known]
    last_of = {choice.author: choice for choice in covering}
    if leader in last_of:
        return last_of[leader]
    return next(iter(last_of.values())) if len({choice.chosen for choice in last_of.values()}) == 1 else None


def own_or_effective(item: Item | None, person: PersonId, leader: PersonId) -> Entry | None:
    """The entry that drives relevance and calculation on a tablet: own first, then the effective one, then the
    leader's, then the first in order. Source: SETTLED decision 43."""
    if item is None:
        return None
    standing = item.standing()
    if person in standing:
        return standing[person]
    result = effective(item, leader)
    if result.entry:
        return result.entry
    return standing.get(leader) or (result.others[0] if result.others else None)


@dataclass
class Answers:
    """The items of a record, filled operation by operation."""

    items: dict[str, Item] = field(default_factory=dict)

    def at(self, path: str) -> Item:
        """The item at a path, made when it is new."""
        if path not in self.items:
            self.items[path] = Item(path)
        return self.items[path]

    def differing(self, leader: PersonId) -> list[str]:
        """Paths of the items whose values differ."""
        return [path for path, item in self.items.items() if effective(item, leader).state == "differs"]


def _add(answers: Answers, operation: Operation, path: str, **said: Any) -> None:
    entry = Entry(operation.id, operation.author, operation.at, operation.order, **said)
    answers.at(path).entries.append(entry)


def answer_recorded(answers: Answers, operation: Operation, body: AnswerRecorded) -> None:
    """Keeps the author's answer."""
    if body.sealed:
        _add(answers, operation, body.item, words=Words(operation.id, operation.kind, body.key, body.sealed))
    elif body.value is not None:
        _add(answers, operation, body.item, value=body.value)
    else:
        raise RuleBroken("body_wrong", "SETTLED 6")


def answer_cleared(answers: Answers, operation: Operation, body: AnswerCleared) -> None:
    """Keeps that the author took the answer back."""
    _add(answers, operation, body.item)


def non_answer_recorded(answers: Answers, operation: Operation, body: NonAnswerRecorded) -> None:
    """Keeps why the author has no answer."""
    reason = Words(operation.id, operation.kind, body.key, body.sealed) if body.sealed else None
    _add(answers, operation, body.item, non_answer=body.code, refused_by=body.by, reason=reason)


def value_chosen(answers: Answers, operation: Operation, body: ValueChosen) -> None:
    """Keeps a choice between values."""
    if body.chosen not in body.over:
        raise RuleBroken("body_wrong", "SETTLED 44")
    item = answers.at(body.item)
    item.choices.append(Choice(operation.id, operation.author, operation.at, frozenset(body.over), body.chosen))


def choice_reversed(answers: Answers, operation: Operation, body: ChoiceReversed) -> None:
    """Takes a choice back. Raises RuleBroken when there is none."""
    for item in answers.items.values():
        for choice in item.choices:
            if choice.operation == body.choice:
                item.choices.remove(choice)
                return
    raise RuleBroken("already_decided", "SETTLED 44")
