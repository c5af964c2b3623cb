"""What stands in the packs that come from files of the product: rules, calendar, places, standards.

Each is canonical JSON with a `format` line; a tablet refuses one it does not know. Cells without a value are left out.
"""

from __future__ import annotations

import csv
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from shared.deadlines import HOLIDAYS
from shared.law.law import RULES
from shared.ledger.operation import canonical

DATA = Path(__file__).parent.parent / "data"


def rules() -> bytes:
    """The first rules as the file holds them: {format, rule: [{key, value, unit, …}]}."""
    return canonical({"format": "qorgan.rules/1", **_plain(tomllib.loads(RULES.read_text(encoding="utf-8")))})


def calendar() -> bytes:
    """Working days and holidays as the file holds them."""
    return canonical({"format": "qorgan.calendar/1", **_plain(tomllib.loads(HOLIDAYS.read_text(encoding="utf-8")))})


def places() -> bytes:
    """Regions and types of institution with their names in three languages: {format, regions, types}."""
    regions = [_row(row, "iso_code", "en", "ru", "kk", "kind") for row in _rows("regions.csv")]
    types = [_row(row, "key", "checklist_type", "en", "ru", "kk") for row in _rows("institution_types.csv")]
    return canonical({"format": "qorgan.places/1", "regions": regions, "types": types})


def standards() -> bytes:
    """The standards findings refer to: {format, standards: [{key, instrument, rule, title, themes, source_url}]}."""
    return canonical({"format": "qorgan.standards/1", "standards": _rows("standards.csv")})


def standards_count() -> int:
    """Number of standards."""
    return len(_rows("standards.csv"))


def regions_count() -> int:
    """Number of regions."""
    return len(_rows("regions.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return [{key: value for key, value in row.items() if value} for row in csv.DictReader(file)]


def _row(row: dict[str, str], *names: str) -> dict[str, str]:
    return {name: row[name] for name in names if row.get(name)}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case date():
            return value.isoformat()
        case _:
            return value
