"""The compiled checklist: what the office publishes, named by the SHA-256 of its canonical bytes.

A checklist is a tree of groups, repeats and questions with its choice lists. Expressions stay text here and are parsed
once by `shared.checklists.form`. Absent means empty: no language, no expression, no list.
Source: SETTLED decisions 5, 56 and 57.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from shared.ledger.crypto import sha256
from shared.ledger.operation import canonical

NonAnswer = Literal["not_seen", "not_asked", "refused", "not_applicable"]
NON_ANSWERS: tuple[NonAnswer, ...] = ("not_seen", "not_asked", "refused", "not_applicable")

Elsewhere = Literal["finding", "report", "notice"]
"""Where an item of the form is asked instead of its place in the checklist: T7, T10, or a notice to sign on paper."""

QuestionType = Literal[
    "text",
    "integer",
    "decimal",
    "range",
    "date",
    "time",
    "datetime",
    "geopoint",
    "select_one",
    "select_multiple",
    "acknowledge",
    "image",
    "audio",
    "barcode",
    "note",
    "calculate",
]
ASKED: frozenset[str] = frozenset(
    {
        "text",
        "integer",
        "decimal",
        "range",
        "date",
        "time",
        "datetime",
        "geopoint",
        "select_one",
        "select_multiple",
        "acknowledge",
        "image",
        "audio",
        "barcode",
    }
)
"""Types a person answers; notes and calculations are not asked."""


class DamagedChecklist(ValueError):
    """The bytes are no checklist of this version, or not the one their name says."""


class Words(msgspec.Struct, frozen=True, omit_defaults=True):
    """One text in up to three languages; `${name}` stands where the value of another item is shown."""

    kk: str = ""
    ru: str = ""
    en: str = ""


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One choice of a list; `columns` are further cells that a choice filter may read."""

    name: str
    label: Words = Words()
    columns: tuple[tuple[str, str], ...] = ()


class ChoiceList(msgspec.Struct, frozen=True, omit_defaults=True):
    """A list of choices the form brings with it."""

    name: str
    choices: tuple[Choice, ...] = ()


class External(msgspec.Struct, frozen=True, omit_defaults=True):
    """A list from outside: `institutions` or `standards`, and the columns its values and labels stand in."""

    name: str
    value: str = "name"
    label: str = "label"


class Question(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="item", tag="question"):
    """Something asked, shown (`note`) or computed (`calculate`).

    parameters   pairs of the form's own (`max-pixels`, `start`, `end`, `step`)
    known        the fact of the visit this item is filled from and then read-only; empty when it is asked
    elsewhere    the other screen that asks for it; empty when the checklist does
    """

    name: str
    type: QuestionType
    label: Words = Words()
    hint: Words = Words()
    relevant: str = ""
    required: str = ""
    required_message: Words = Words()
    constraint: str = ""
    constraint_message: Words = Words()
    calculation: str = ""
    choices: str = ""
    external: External | None = None
    choice_filter: str = ""
    default: str = ""
    appearance: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    read_only: bool = False
    standards: tuple[str, ...] = ()
    institution_types: tuple[str, ...] = ()
    known: str = ""
    elsewhere: Elsewhere | Literal[""] = ""


class Group(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="item", tag="group"):
    """Items that stand together; a group at the top of the tree is a theme of the visit."""

    name: str
    label: Words = Words()
    relevant: str = ""
    appearance: str = ""
    institution_types: tuple[str, ...] = ()
    elsewhere: Elsewhere | Literal[""] = ""
    items: tuple[Group | Repeat | Question, ...] = ()


class Repeat(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="item", tag="repeat"):
    """A group asked once a row. With `count` rows are numbered, without it they bear the ids they were made with."""

    name: str
    label: Words = Words()
    relevant: str = ""
    count: str = ""
    appearance: str = ""
    institution_types: tuple[str, ...] = ()
    elsewhere: Elsewhere | Literal[""] = ""
    items: tuple[Group | Repeat | Question, ...] = ()


Item = Group | Repeat | Question


class Checklist(msgspec.Struct, frozen=True, omit_defaults=True):
    """One published version of a form. `format` is the version of this structure, not of the form."""

    form_id: str
    version: str
    title: Words
    languages: tuple[str, ...]
    format: int = 1
    items: tuple[Item, ...] = ()
    lists: tuple[ChoiceList, ...] = ()


_decoder = msgspec.json.Decoder(Checklist)


def encode(checklist: Checklist) -> tuple[bytes, str]:
    """Canonical bytes of the checklist and their SHA-256 in hex, which is its name. Raises NotCanonical."""
    data = canonical(checklist)
    return data, sha256(data).hex()


def decode(data: bytes, name: str = "") -> Checklist:
    """The checklist in these bytes.

    name   SHA-256 in hex the bytes must have; empty when the caller checked it

    Raises DamagedChecklist.
    """
    if name and sha256(data).hex() != name:
        raise DamagedChecklist("digest")
    try:
        checklist = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedChecklist("structure") from error
    if checklist.format != 1:
        raise DamagedChecklist("format")
    return checklist


def walk(items: tuple[Item, ...], above: str = "") -> Iterator[tuple[str, Item]]:
    """Every item with its path, in the order of the form. A path names groups and repeats: "/mc/cell/cell_beds"."""
    for item in items:
        path = f"{above}/{item.name}"
        yield path, item
        if not isinstance(item, Question):
            yield from walk(item.items, path)
