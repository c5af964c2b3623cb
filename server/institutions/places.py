"""The register in force, ready for searching, and the names of regions and types in the reader's language."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache

from sqlmodel import Session

from server.institutions import queries
from server.institutions.csv_import import DATA
from server.ledger import queries as ledger
from shared.institutions import Institution, Register
from shared.texts import LANGUAGES, texts

COARSE = (
    "colony", "sizo", "nsc_sizo", "ivs", "spec_reception", "distribution", "police", "guardhouse", "psych_hospital",
    "narcology", "tb_hospital", "social_care", "children_social", "day_care", "temp_stay", "orphanage", "baby_home",
    "juvenile_adapt", "special_school", "boarding_school",
)  # fmt: skip
"""The coarser types of checklists and synthetic register. Source: DESIGN section 10."""

_EMPTY = Register([])
_cells: dict[int, Sequence[Mapping[str, str]]] = {}


def register_of(session: Session) -> Register:
    """The register in force; an empty one before the first import."""
    try:
        packs = ledger.the(session, "register").packs
    except LookupError:
        return _EMPTY
    return queries.register(session, packs["institutions"].sha256) if "institutions" in packs else _EMPTY


def register_cells(session: Session) -> Sequence[Mapping[str, str]]:
    """Its rows as checklists read them; made once a version."""
    register = register_of(session)
    if id(register) not in _cells:
        _cells.clear()
        _cells[id(register)] = [row.cells() for row in register.institutions]
    return _cells[id(register)]


def is_synthetic(session: Session) -> bool:
    """Whether the register in force is made up."""
    try:
        return bool(ledger.the(session, "register").synthetic)
    except LookupError:
        return False


def institution_of(session: Session, key: str) -> Institution | None:
    """The institution of this key, also one that left the register."""
    return queries.institution(session, key) if key else None


@cache
def regions() -> dict[str, dict[str, str]]:
    """ISO code of a region → its names in kk, ru, en."""
    with (DATA / "regions.csv").open(encoding="utf-8", newline="") as file:
        return {row["iso_code"]: {each: row[each] for each in LANGUAGES} for row in csv.DictReader(file)}


@cache
def legal_types() -> dict[str, dict[str, str]]:
    """Legal type of an institution → its names and the authority as the list gives it."""
    with (DATA / "institution_types.csv").open(encoding="utf-8", newline="") as file:
        return {row["key"]: dict(row) for row in csv.DictReader(file)}


def region_name(iso: str, language: str) -> str:
    """The name of a region; the code for one that is not known."""
    return regions().get(iso, {}).get(language, iso)


def type_name(key: str, language: str) -> str:
    """The name of a legal type, else of the coarse one of the checklists; the key for one that is not known."""
    words = texts(language)
    if words.has(f"register.type.{key}"):
        return words(f"register.type.{key}")
    return legal_types().get(key, {}).get(language, "") or key
