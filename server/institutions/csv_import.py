"""The CSV of a register to its rows, or a refusal that names every row and column that is wrong.

Pure: takes bytes, trusts nothing in them, and gives all rows or none. Called by the command line and the console;
putting the rows into the office's tables is not its work.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from server.refusals import Problem, Refused, refused
from shared.institutions import Institution

DATA = Path(__file__).parent.parent / "data"
COLUMNS = ("key", "name_ru", "name_kk", "name_en", "type", "region_iso", "lat", "lon", "capacity", "ministry", "source")
FILE_BYTES = 20_000_000
ROWS = 100_000
KEY_LENGTH = 64
FIELD_LENGTH = 300
BOUNDS = {"lat": (40.5, 55.5), "lon": (46.4, 87.4)}
"""Degrees between which Kazakhstan lies. Source: the country's outermost points, rounded outwards."""
CAPACITY = 100_000

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_DEGREES = re.compile(r"-?\d{1,3}(\.\d{1,6})?", re.ASCII)
_WHOLE = re.compile(r"-?\d+", re.ASCII)
_TOO_MANY = 400
"""Problems after which reading stops: the file is not a register at all."""


def read_register(data: bytes) -> list[Institution] | Refused:
    """All institutions of a CSV file, or why it is refused.

    data   UTF-8, with or without byte-order mark; commas; a header with the eleven columns in any order
    """
    text, problem = decoded(data)
    if problem is not None:
        return refused([problem])
    problems: list[Problem] = []
    found: list[Institution] = []
    first_seen: dict[str, int] = {}
    try:
        records = records_of(text)
        header = next(records, (1, []))[1]
        problems += header_problems(header)
        if problems:
            return refused(problems)
        for number, cells in records:
            row, wrong = read_row(number, header, cells)
            problems += wrong
            if row is not None:
                problems += twice(row.key, number, first_seen)
                found.append(row)
            if len(problems) > _TOO_MANY:
                break
            if len(found) > ROWS:
                return refused([Problem("", number, "", "too_many_rows", {"limit": str(ROWS)})])
    except csv.Error as error:
        problems.append(Problem("", 0, "", "bad_csv", {"reason": str(error)}))
    if not found and not problems:
        problems.append(Problem("", 1, "", "no_rows"))
    return refused(problems) if problems else found


def decoded(data: bytes) -> tuple[str, Problem | None]:
    """The text of the file, or what hinders reading it."""
    if len(data) > FILE_BYTES:
        return "", Problem("", 0, "", "file_too_large", {"limit": str(FILE_BYTES // 1_000_000)})
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")):
        return "", Problem("", 0, "", "not_csv")
    if b"\x00" in data:
        return "", Problem("", data[: data.index(0)].count(b"\n") + 1, "", "zero_byte")
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        return "", Problem("", data[: error.start].count(b"\n") + 1, "", "not_utf8")


def records_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """Records that are not empty, each with the line it begins on. Raises csv.Error."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def header_problems(header: list[str]) -> list[Problem]:
    """Columns that lack, stand twice or are not known."""
    names = [name.strip() for name in header]
    problems = [Problem("", 1, name, "column_missing", {"name": name}) for name in COLUMNS if name not in names]
    for name in dict.fromkeys(names):
        if name not in COLUMNS:
            problems.append(Problem("", 1, name[:40], "column_unknown", {"name": name[:40]}))
        elif names.count(name) > 1:
            problems.append(Problem("", 1, name, "column_twice", {"name": name}))
    return problems


def read_row(number: int, header: list[str], cells: list[str]) -> tuple[Institution | None, list[Problem]]:
    """One institution, or what is wrong with its row."""
    if len(cells) != len(header):
        facts = {"found": str(len(cells)), "expected": str(len(header))}
        return None, [Problem("", number, "", "wrong_length", facts)]
    row = {name.strip(): cell.strip() for name, cell in zip(header, cells, strict=True)}
    problems = [
        Problem("", number, name, code, facts)
        for name, cell in row.items()
        for code, facts in cell_problems(name, cell)
    ]
    if bool(row["lat"]) != bool(row["lon"]):
        problems.append(Problem("", number, "lat", "half_position"))
    if problems:
        return None, problems
    capacity = row.pop("capacity")
    return Institution(**row, capacity=int(capacity) if capacity else None), []


def cell_problems(name: str, cell: str) -> Iterator[tuple[str, dict[str, str]]]:
    """What is wrong with one cell, as code and facts."""
    limit = KEY_LENGTH if name == "key" else FIELD_LENGTH
    shown = {"value": cell[:60]}
    if len(cell) > limit:
        yield "too_long", {"limit": str(limit)}
    elif any(unicodedata.category(sign) in ("Cc", "Cs", "Co", "Cn") for sign in cell):
        yield "bad_character", {}
    elif name in ("key", "name_ru", "type", "region_iso") and not cell:
        yield "empty", {}
    elif name == "key" and not _KEY.fullmatch(cell):
        yield "bad_key", shown
    elif name == "type" and cell not in institution_types():
        yield "unknown_type", shown
    elif name == "region_iso" and cell not in regions():
        yield "unknown_region", shown
    elif name in BOUNDS and cell:
        least, most = BOUNDS[name]
        if not _DEGREES.fullmatch(cell) or not least <= float(cell) <= most:
            yield "bad_degrees", {**shown, "least": str(least), "most": str(most)}
    elif (
        name == "capacity" and cell and (not _WHOLE.fullmatch(cell) or len(cell) > 9 or not 0 <= int(cell) <= CAPACITY)
    ):
        yield "bad_capacity", {**shown, "most": str(CAPACITY)}


def twice(key: str, number: int, first_seen: dict[str, int]) -> list[Problem]:
    """A key that an earlier row has; letters of either case are one."""
    first = first_seen.setdefault(key.lower(), number)
    return [] if first == number else [Problem("", number, "key", "key_twice", {"value": key, "first": str(first)})]


@cache
def institution_types() -> frozenset[str]:
    """Legal types and the coarser ones of the checklists. Source: DESIGN section 10, `day_care` included."""
    with (DATA / "institution_types.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return frozenset(row[name] for row in rows for name in ("key", "checklist_type") if row[name]) | {"day_care"}


@cache
def regions() -> frozenset[str]:
    """ISO codes of the regions."""
    with (DATA / "regions.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(row["iso_code"] for row in csv.DictReader(file))
