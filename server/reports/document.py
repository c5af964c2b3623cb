"""The frozen document of a report as the office reads it: every field checked, nothing trusted.

A document comes from a tablet; whoever wrote it may have been wrong or hostile. What has not this shape is refused as
a whole before a page or a paper shows a line of it. Source: SETTLED decision 45.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from shared.errors import RuleBroken
from shared.values import PersonId


class Said(msgspec.Struct, frozen=True):
    """What one member said about an item: a value (codes or words), or why there is none, perhaps with a reason."""

    author: str = ""
    at: str = ""
    operation: str = ""
    value: bool | int | str | list[str] | None = None
    non_answer: str = ""
    refused_by: str = ""
    reason: str = ""


class Item(msgspec.Struct, frozen=True):
    """What counts for one item. `values` holds one entry, or every differing one."""

    item: str
    state: Literal["one", "chosen", "differs"] = "one"
    values: tuple[Said, ...] = ()
    chosen_by: str = ""


class Recommendation(msgspec.Struct, frozen=True):
    """What the group asks for, of whom, until when."""

    addressee: str = ""
    text: str = ""
    due: str = ""


class Finding(msgspec.Struct, frozen=True):
    """A finding in the words of its author."""

    id: str
    severity: str = "low"
    urgent: bool = False
    standards: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    saw: str = ""
    told: str = ""
    told_by: str = ""
    concluded: str = ""
    language: str = ""
    recommendation: Recommendation = Recommendation()
    author: str = ""
    at: str = ""
    differs: bool = False


class Member(msgspec.Struct, frozen=True):
    """A member of the group."""

    person: str
    name: str = ""
    leader: bool = False


class Text(msgspec.Struct, frozen=True):
    """A part of the report written as running text."""

    part: str
    text: str = ""
    language: str = ""


class Photo(msgspec.Struct, frozen=True):
    """A photo named by the report: [role, SHA-256 of the stored file] each, and whether a member cleared it."""

    id: str = ""
    author: str = ""
    at: str = ""
    cleared: bool = False
    files: tuple[tuple[str, str], ...] = ()


class VisitFacts(msgspec.Struct, frozen=True):
    """Where and when. Moments as the ledger writes them."""

    id: str = ""
    kind: str = ""
    institution: str = ""
    arrived_at: str = ""
    admitted_at: str = ""
    left_at: str = ""
    held_count: int = 0
    delay_minutes: int = 0
    mandate: str = ""


class RowList(msgspec.Struct, frozen=True):
    """The rows of a repeat, in their order."""

    of: str
    rows: tuple[str, ...] = ()


class Document(msgspec.Struct, frozen=True):
    """A frozen report, or the record as it stands in the same shape."""

    document: int = 1
    visit: VisitFacts = VisitFacts()
    group: tuple[Member, ...] = ()
    checklists: tuple[tuple[str, str, str], ...] = ()
    rows: tuple[RowList, ...] = ()
    items: tuple[Item, ...] = ()
    findings: tuple[Finding, ...] = ()
    texts: tuple[Text, ...] = ()
    photos: tuple[Photo, ...] = ()
    interviews: int = 0
    messages: int | None = None
    covers: tuple[tuple[str, str, int, str], ...] = ()

    def name_of(self, person: str) -> str:
        """The name of a member as the document gives it; empty for somebody outside the group."""
        return next((each.name for each in self.group if each.person == person), "")

    @property
    def leader(self) -> PersonId:
        """The leader of the group."""
        return PersonId(next((each.person for each in self.group if each.leader), ""))


def document_of(raw: dict[str, Any], names: Mapping[PersonId, str]) -> Document:
    """The document in its shape, members without a printed name called as the office knows them.

    Raises RuleBroken("report_changed").
    """
    try:
        found = msgspec.convert(raw, Document)
    except msgspec.ValidationError as error:
        raise RuleBroken("report_changed", "SETTLED 45") from error
    group = tuple(
        each if each.name else msgspec.structs.replace(each, name=names.get(PersonId(each.person), ""))
        for each in found.group
    )
    return msgspec.structs.replace(found, group=group)
