"""The register in force, ready for searching, and the names of regions and types. Read once a version, then kept."""

from __future__ import annotations

import csv
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache

from sqlmodel import Session

from server.institutions.csv_import import DATA
from server.ledger import queries as ledger
from server.packs.queries import pack
from shared.institutions import DamagedRegister, Institution, Register, decode_register
from shared.texts import LANGUAGES, texts

KEPT = 4
"""Versions of the register held in memory: a change of it must not make pages of older visits slow."""

COARSE = (
    "colony", "sizo", "nsc_sizo", "ivs", "spec_reception", "distribution", "police", "guardhouse", "psych_hospital",
    "narcology", "tb_hospital", "social_care", "children_social", "day_care", "temp_stay", "orphanage", "baby_home",
    "juvenile_adapt", "special_school", "boarding_school",
)  # fmt: skip
"""The coarser types of checklists and synthetic register. Source: DESIGN section 10."""

_registers: OrderedDict[str, tuple[Register, Sequence[Mapping[str, str]]]] = OrderedDict()
_turn = threading.Lock()


def register_name(session: Session) -> str:
    """SHA-256 of the register in force; empty before the first import."""
    try:
        state = ledger.the(session, "register")
    except LookupError:
        return ""
    found = state.packs.get("institutions")
    return found.sha256 if found else ""


def register_of(session: Session) -> Register:
    """The register in force; an empty one before the first import."""
    return _ready(session)[0]


def register_cells(session: Session) -> Sequence[Mapping[str, str]]:
    """Its rows as checklists read them."""
    return _ready(session)[1]


def _ready(session: Session) -> tuple[Register, Sequence[Mapping[str, str]]]:
    name = register_name(session)
    with _turn:
        if name not in _registers:
            rows = _rows(pack(session, name), name) if name else []
            _registers[name] = (Register(rows, search_words()), [row.cells() for row in rows])
            if len(_registers) > KEPT:
                _registers.popitem(last=False)
        return _registers[name]


def _rows(data: bytes | None, name: str) -> list[Institution]:
    try:
        return decode_register(data, name) if data else []
    except DamagedRegister:
        return []


def institution_of(session: Session, key: str) -> Institution | None:
    """The institution of this key in the register in force."""
    return register_of(session).get(key) if key else None


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
    words = texts(language)  # type: ignore[arg-type]
    if words.has(f"register.type.{key}"):
        return words(f"register.type.{key}")
    return legal_types().get(key, {}).get(language, "") or key


@cache
def search_words() -> dict[str, str]:
    """Further words a row is found by: its region and its type, in all three languages."""
    found = {iso: " ".join(names.values()) for iso, names in regions().items()}
    for key, row in legal_types().items():
        found[key] = " ".join(row[each] for each in LANGUAGES if row.get(each))
    for language in LANGUAGES:
        for key in COARSE:
            found[key] = f"{found.get(key, '')} {type_name(key, language)}".strip()
    return found
