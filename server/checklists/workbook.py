"""An XLSForm workbook as rows of text, read only after its archive was found harmless.

Sizes, entry counts and XML are checked before any spreadsheet library sees the bytes: a workbook that would unpack to
gigabytes, name entities or claim a million rows is refused. Never looks at what the rows mean.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from xml.parsers import expat

from server.refusals import Problem

FILE_BYTES = 5_000_000
ENTRIES = 200
ENTRY_BYTES = 20_000_000
WHOLE_BYTES = 40_000_000
RATIO = 150
ROWS = 5_000
COLUMNS = 200
CELL_LENGTH = 10_000
SHEETS = ("survey", "choices", "settings")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    SyntaxError,
    OverflowError,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
)
"""What zipfile and openpyxl are known to raise on damaged files; SyntaxError is the parent of XML's ParseError."""


def _invalid_file() -> type[Exception]:
    from openpyxl.utils.exceptions import InvalidFileException

    invalid: type[Exception] = InvalidFileException
    return invalid


class _Harmful(Exception):
    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet: its number as the spreadsheet shows it, and its filled cells by the header above them."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its headers in order, and its rows that are not empty."""

    name: str
    headers: list[str]
    rows: list[Row]


def read_workbook(data: bytes) -> tuple[dict[str, Sheet], list[Problem]]:
    """The sheets an XLSForm uses, by name, and what is wrong with the file as a file.

    data   bytes as uploaded; nothing about them is trusted
    """
    try:
        check_archive(data)
        return _read_sheets(data)
    except _Harmful as harm:
        return {}, [Problem("", 0, "", harm.code, harm.facts)]
    except (_invalid_file(), *_UNREADABLE):
        return {}, [Problem("", 0, "", "damaged_file")]


def check_archive(data: bytes) -> None:
    """Raises _Harmful when the archive is no workbook or would harm the machine that opens it."""
    if len(data) > FILE_BYTES:
        raise _Harmful("file_too_large", limit=str(FILE_BYTES // 1_000_000))
    if not data.startswith(b"PK\x03\x04"):
        raise _Harmful("no_workbook")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        names = [each.filename for each in entries]
        if "xl/workbook.xml" not in names or len(set(names)) != len(names):
            raise _Harmful("no_workbook")
        packed = sum(each.compress_size for each in entries)
        if (
            len(entries) > ENTRIES
            or packed > len(data)
            or sum(each.file_size for each in entries) > WHOLE_BYTES
            or any(each.file_size > ENTRY_BYTES for each in entries)
            or any(each.file_size > RATIO * max(each.compress_size, 1_000) for each in entries)
            or any(each.flag_bits & 1 for each in entries)
        ):
            raise _Harmful("archive_bomb")
        for each in entries:
            if each.filename.endswith((".xml", ".rels", ".vml")):
                _check_xml(archive, each)


class _SheetWatch:
    """Follows a sheet's XML and refuses a value that stands beyond the rows and columns we read; empty cells may."""

    def __init__(self) -> None:
        self.row = 0
        self.column = 0

    def element(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                given = attributes.get("r", "")
                self.row = int(given[:9]) if given.isascii() and given.isdigit() else self.row + 1
                self.column = 0
            case "c":
                found = _REFERENCE.fullmatch(attributes.get("r", ""))
                self.column = column_number(found[1]) if found else self.column + 1
                self.row = int(found[2]) if found else self.row
            case "v" | "is" if self.row > ROWS or self.column > COLUMNS:
                raise _Harmful("too_many_rows", rows=str(ROWS), columns=str(COLUMNS))


def _check_xml(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Reads an XML part piece by piece: no document type, no far value, not more than its declared size."""
    parser = expat.ParserCreate()

    def doctype(*_: object) -> None:
        raise _Harmful("xml_entities")

    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = doctype
    if entry.filename.startswith("xl/worksheets/"):
        parser.StartElementHandler = _SheetWatch().element
    read = 0
    with archive.open(entry) as part:
        while piece := part.read(65_536):
            read += len(piece)
            if read > ENTRY_BYTES:
                raise _Harmful("archive_bomb")
            _feed(parser, piece)
    _feed(parser, b"", is_last=True)


def _feed(parser: expat.XMLParserType, piece: bytes, is_last: bool = False) -> None:
    try:
        parser.Parse(piece, is_last)
    except expat.ExpatError as error:
        raise _Harmful("damaged_file") from error


def column_number(letters: str) -> int:
    """A = 1, Z = 26, AA = 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _read_sheets(data: bytes) -> tuple[dict[str, Sheet], list[Problem]]:
    import openpyxl  # heavy, and a serving process seldom reads a workbook

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    sheets: dict[str, Sheet] = {}
    problems: list[Problem] = []
    try:
        for title in book.sheetnames:
            name = title.strip().lower()
            if name not in SHEETS:
                if name in ("external_choices", "entities", "osm"):
                    problems.append(Problem(title, 0, "", "unsupported_sheet", {"name": title}))
                continue
            sheet, found = _read_sheet(name, book[title])
            sheets[name] = sheet
            problems += found
    finally:
        book.close()
    return sheets, problems


def _read_sheet(name: str, source: Any) -> tuple[Sheet, list[Problem]]:
    problems: list[Problem] = []
    headers: list[str] = []
    rows: list[Row] = []
    for number, cells in enumerate(source.iter_rows(values_only=True, max_col=COLUMNS, max_row=ROWS), 1):
        texts = [cell_text(each) for each in cells]
        if not headers:
            headers = texts if any(texts) else []
            problems += [
                Problem(name, number, header, "column_twice", {"name": header})
                for header in sorted({each for each in headers if each and headers.count(each) > 1})
            ]
            continue
        filled = {header: text for header, text in zip(headers, texts, strict=False) if header and text}
        for header, text in filled.items():
            if len(text) > CELL_LENGTH:
                problems.append(Problem(name, number, header, "cell_too_long", {"limit": str(CELL_LENGTH)}))
            if _CONTROL.search(text):
                problems.append(Problem(name, number, header, "bad_character"))
        if filled:
            rows.append(Row(number, filled))
    return Sheet(name, [each for each in headers if each], rows), problems


def cell_text(value: object) -> str:
    """A cell as text: whole numbers without a point, truth as XLSForm writes it, dates as 2026-03-07."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return str(int(value)) if value == value and abs(value) < 1e15 and value == int(value) else repr(value)
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat()
        case date() | time():
            return value.isoformat()
        case _:
            return str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").strip()
