"""Reading the register: one institution, names, search."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec
from sqlmodel import Session, col, func, select

from server.institutions.tables import InstitutionRow
from server.ledger import queries as ledger
from server.packs import content
from shared.institutions import Institution, Register

_FIELDS = tuple(field.name for field in msgspec.structs.fields(Institution))


def institution(session: Session, key: str) -> Institution | None:
    """The institution of this key, listed or not any more; None when the office never knew it."""
    row = session.get(InstitutionRow, key)
    return _plain(row) if row else None


def names(session: Session, keys: Iterable[str], language: str = "ru") -> dict[str, str]:
    """Names by key, for the keys the office knows."""
    wanted = sorted({key for key in keys if key})
    if not wanted:
        return {}
    rows = session.exec(select(InstitutionRow).where(col(InstitutionRow.key).in_(wanted)))
    return {row.key: _plain(row).name(language) for row in rows}


def listed(session: Session) -> list[Institution]:
    """The register in force, by key."""
    rows = session.exec(select(InstitutionRow).where(col(InstitutionRow.is_listed)).order_by(InstitutionRow.key))
    return [_plain(row) for row in rows]


def count(session: Session) -> int:
    """Number of institutions in force."""
    return session.exec(select(func.count()).select_from(InstitutionRow).where(col(InstitutionRow.is_listed))).one()


def register(session: Session, name: str) -> Register:
    """The register for searching, with words for regions and types. `name` is the SHA-256 of its pack: kept by it."""
    if name not in _registers:
        _registers.clear()
        _registers[name] = Register(listed(session), words())
    return _registers[name]


_registers: dict[str, Register] = {}


@lru_cache(maxsize=1)
def words() -> dict[str, str]:
    """Names of regions and types in three languages, by code."""
    places = msgspec.json.decode(content.places())
    found: dict[str, str] = {}
    for place in places["regions"]:
        found[place["iso_code"]] = _three(place)
    for kind in places["types"]:
        for code in filter(None, (kind["key"], kind.get("checklist_type"))):
            found[code] = f"{found.get(code, '')} {_three(kind)}".strip()
    return found


def _three(row: dict[str, str]) -> str:
    return " ".join(row[language] for language in ("kk", "ru", "en") if language in row)


def search(session: Session, query: str, region: str | None, type_: str | None, limit: int) -> list[Institution]:
    """Institutions in force that hold every word of the query, nearest first; as shared.institutions.Register."""
    packs = ledger.the(session, "register").packs
    if "institutions" not in packs:
        return []
    return register(session, packs["institutions"].sha256).search(query, region, type_, limit)


def _plain(row: InstitutionRow) -> Institution:
    return Institution(**{name: getattr(row, name) for name in _FIELDS})
