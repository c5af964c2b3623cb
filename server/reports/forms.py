"""The checklists a document pins, made ready once and kept: they are named by their hash and never change."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlmodel import Session

from server.institutions.places import register_cells
from server.packs.content import DATA
from server.packs.queries import pack
from shared.checklists.definition import DamagedChecklist, decode
from shared.checklists.form import Form
from shared.values import is_hash


def forms_of(session: Session, document: Mapping[str, Any]) -> list[Form]:
    """The pinned checklists of a document, in its order; one the office does not hold is left out."""
    pinned = document.get("checklists", [])
    found = [form(session, str(each[2])) for each in pinned if isinstance(each, list | tuple) and len(each) == 3]
    return [each for each in found if each is not None]


def form(session: Session, sha256: str) -> Form | None:
    """The checklist of this hash; None when no such pack is kept or it is no checklist."""
    if not is_hash(sha256):
        return None
    data = pack(session, sha256)
    return _ready(data, sha256) if data else None


@lru_cache(maxsize=16)
def _ready(data: bytes, sha256: str) -> Form | None:
    try:
        return Form(decode(data, sha256))
    except DamagedChecklist:
        return None


def outside_lists(session: Session) -> dict[str, Sequence[Mapping[str, str]]]:
    """What the checklists take from outside: the register and the standards."""
    return {"institutions.csv": register_cells(session), "standards.csv": standards()}


@lru_cache(maxsize=1)
def standards() -> tuple[dict[str, str], ...]:
    """The standards findings refer to."""
    with (DATA / "standards.csv").open(encoding="utf-8", newline="") as file:
        return tuple({key: value or "" for key, value in row.items()} for row in csv.DictReader(file))


def standard_words(key: str) -> str:
    """A standard as its instrument calls it: "instrument, rule: title"; the key for one that is not known."""
    row = next((each for each in standards() if each["key"] == key), None)
    return f"{row['instrument']}, {row['rule']}: {row['title']}" if row else key
