"""What a question card is given: the question as plain data, and the functions that carry out what a person does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

NOT_KNOWN, NOT_APPLICABLE = "nk", "na"
"""Codes of a list that stand in the grey row: could not be established, does not apply."""
NON_ANSWERS = ("not_seen", "not_asked", "refused", "does_not_apply")
REFUSERS = ("staff", "detainee", "other")


def nothing(*_: object) -> None:
    """Does nothing: what an action is until a screen gives one."""


@dataclass(frozen=True)
class Option:
    """One choice of a list: its code and its word in the person's language."""

    code: str
    text: str


@dataclass(frozen=True)
class RepeatRow:
    """One row of a repeat: its id, a title made from its answers ("Cell 12 · 6 beds"), counts of its questions."""

    row: str
    title: str
    answered: int
    asked: int


@dataclass(frozen=True)
class QuestionView:
    """A question as it stands now.

    value       text of the answer in the ledger's form: a code, several codes parted by blanks, digits, "2026-03-07",
                "14:05", "49.8 73.1", words; None while there is none
    shown       the value in the person's language where it is not the code of an option (search lists, calculations)
    own_words   the text field's draft or answer, with the caret where it was
    unit, hint  words beside a number; the allowed range as a sentence
    """

    item: str
    kind: str
    text: str
    number: str = ""
    second: str = ""
    value: str | None = None
    shown: str = ""
    caret: int | None = None
    options: tuple[Option, ...] = ()
    non_answer: str | None = None
    refused_by: str | None = None
    unit: str = ""
    hint: str = ""
    least: int | None = None
    appearance: str = ""
    warning: str = ""
    has_standard: bool = False
    colleague: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[RepeatRow, ...] = ()
    read_only: bool = False


@dataclass(frozen=True)
class QuestionActions:
    """What a person can do with a question. Every function is called with the item first."""

    answer: Callable[[str, str | None], object] = nothing
    non_answer: Callable[[str, str | None], object] = nothing
    refused_by: Callable[[str, str], object] = nothing
    draft: Callable[[str, str, int], object] = nothing
    step: Callable[[str, str, int], object] = nothing
    leave: Callable[[str, str], object] = nothing
    note: Callable[[str], object] = nothing
    photo: Callable[[str], object] = nothing
    finding: Callable[[str], object] = nothing
    info: Callable[[str], object] = nothing
    colleague: Callable[[str], object] = nothing
    search: Callable[[str], object] = nothing
    add_row: Callable[[str], object] = nothing
    copy_row: Callable[[str], object] = nothing
    open_row: Callable[[str, str], object] = nothing
    open_sheet: Callable[[object], object] = nothing
    today: Callable[[], str] = lambda: ""
    now: Callable[[], str] = lambda: ""
