"""An XLSForm workbook to a compiled checklist, or a refusal that names sheet, row, column and reason.

"Fails at the desk, not in the prison": whatever the evaluator could not follow entirely is refused here, whole, and
the version in use stays. The form is read by our own pass, its expressions are resolved as the tablet will resolve
them, and pyxform has the last word on whether it is an XLSForm at all. Source: DESIGN section 7, SETTLED 56 to 58.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from server.checklists.columns import LANGUAGES, UNSUPPORTED, Column, columns_of, language_of
from server.checklists.tree import NAME, TreeReader, header_of
from server.checklists.workbook import Row, Sheet, read_workbook
from server.refusals import Problem, Refused, refused
from shared.checklists.definition import Checklist, Choice, ChoiceList, Question, Words, encode, walk
from shared.checklists.expression import Binary, Call, Negative, Node, Unparsable, parse
from shared.checklists.expression import Path as Steps
from shared.checklists.form import Fault, Form

DATA = Path(__file__).parent.parent / "data"
EXTERNAL_COLUMNS: Mapping[str, frozenset[str]] = {
    "institutions": frozenset("key name_ru name_kk name_en type region_iso lat lon capacity ministry source".split()),
    "standards": frozenset("key instrument rule title themes source_url".split()),
}
"""Lists a form may take from outside, by the file name without ".csv", and their columns."""
VERSION = re.compile(r"\d{1,18}", re.ASCII)
_CONVERTER_FAILS = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)


@dataclass(frozen=True, slots=True)
class Imported:
    """A checklist ready to be published.

    data, sha256   canonical bytes and their name
    warnings       what the author may want to mend; nothing that hinders a visit
    is_new         False when this very version with this very content is in use already
    """

    checklist: Checklist
    data: bytes
    sha256: str
    warnings: list[Problem]
    is_new: bool


def import_workbook(data: bytes, previous: Mapping[str, tuple[str, str]] | None = None) -> Imported | Refused:
    """Takes a workbook in, or refuses it whole.

    data       bytes of the .xlsx file as uploaded
    previous   form_id → (version, sha256) of what is published now
    """
    sheets, problems = read_workbook(data)
    if problems:
        return refused(problems)
    missing = [name for name in ("survey", "settings") if name not in sheets or not sheets[name].rows]
    if missing:
        return refused([Problem(name, 0, "", "sheet_missing", {"name": name}) for name in missing])
    compiled, problems, warnings = compile_sheets(sheets)
    if compiled is None or problems:
        return refused(problems)
    problems = convert_with_pyxform(data)
    if problems:
        return refused(problems)
    encoded, name = encode(compiled)
    before = (previous or {}).get(compiled.form_id)
    problem = version_problem(compiled.version, name, before)
    if problem is not None:
        return refused([problem])
    return Imported(compiled, encoded, name, warnings, is_new=before != (compiled.version, name))


def version_problem(version: str, sha256: str, before: tuple[str, str] | None) -> Problem | None:
    """Versions rise, and one version has one content. Source: SETTLED decision 56."""
    if before is None or before == (version, sha256):
        return None
    facts = {"version": version, "published": before[0]}
    if version == before[0]:
        return Problem("settings", 2, "version", "version_taken", facts)
    if int(version) <= int(before[0]):
        return Problem("settings", 2, "version", "version_not_rising", facts)
    return None


def compile_sheets(sheets: dict[str, Sheet]) -> tuple[Checklist | None, list[Problem], list[Problem]]:
    """The checklist of these sheets, its problems and its warnings; None when the settings cannot be read."""
    columns = {name: columns_of(sheet.headers) for name, sheet in sheets.items()}
    problems = missing_columns(columns)
    if problems:
        return None, problems, []
    settings, problems = read_settings(sheets["settings"], columns["settings"])
    form_id, version = settings.get("form_id", ""), settings.get("version", "")
    notes = known_items().get(form_id, {})
    language = language_of(settings.get("default_language", "ru"))
    language = language if language in LANGUAGES else "ru"
    reader = TreeReader(columns["survey"], language, notes.get("known", {}), notes.get("elsewhere", {}))
    items = reader.read(sheets["survey"])
    lists, found, warnings = read_choices(sheets.get("choices"), columns.get("choices", {}), language)
    title = notes.get("title") or {language: settings.get("form_title", form_id)}
    used = {each.choices for _, each in walk(items) if isinstance(each, Question) and each.choices}
    checklist = Checklist(
        form_id,
        version,
        Words(**title),
        tuple(each for each in LANGUAGES if any(column.language == each for column in columns["survey"].values()))
        or (language,),
        items=items,
        lists=tuple(ChoiceList(name, choices) for name, choices in lists.items() if name in used),
    )
    problems += reader.problems + found
    problems += mapped_items_missing(checklist, notes) if not problems else []
    problems += item_problems(checklist, reader, set(lists))
    problems += [fault_problem(each, reader) for each in Form(checklist).faults]
    return checklist, problems, reader.warnings + warnings


def missing_columns(columns: dict[str, dict[str, Column]]) -> list[Problem]:
    """Columns no form can do without."""
    wanted = {"survey": ("type", "name"), "settings": ("form_id", "version"), "choices": ("list_name", "name")}
    return [
        Problem(sheet, 1, name, "column_missing", {"name": name})
        for sheet, names in wanted.items()
        if sheet in columns
        for name in names
        if name not in {column.field for column in columns[sheet].values()}
    ]


def read_settings(sheet: Sheet, columns: dict[str, Column]) -> tuple[dict[str, str], list[Problem]]:
    """The settings by field, and what is wrong with them."""
    row = sheet.rows[0]
    settings = {columns[header].field: text for header, text in row.cells.items()}
    problems = [Problem("settings", each.number, "", "one_row_only") for each in sheet.rows[1:2]]
    if not NAME.fullmatch(settings.get("form_id", "")):
        problems.append(Problem("settings", row.number, "form_id", "form_id_invalid"))
    if not VERSION.fullmatch(settings.get("version", "")):
        problems.append(Problem("settings", row.number, "version", "version_invalid"))
    for header in row.cells:
        if UNSUPPORTED.fullmatch(columns[header].field):
            problems.append(Problem("settings", row.number, header, "unsupported_column", {"name": header}))
    return settings, problems


def read_choices(
    sheet: Sheet | None, columns: dict[str, Column], language: str
) -> tuple[dict[str, tuple[Choice, ...]], list[Problem], list[Problem]]:
    """Choice lists by name, their problems and warnings. Further columns are kept for choice filters."""
    lists: dict[str, list[Choice]] = {}
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for row in sheet.rows if sheet else ():
        name, choice, found, lacking = read_choice(row, columns, language)
        problems += found
        warnings += lacking
        if found:
            continue
        if any(each.name == choice.name for each in lists.get(name, ())):
            problems.append(Problem("choices", row.number, "name", "choice_twice", {"name": choice.name}))
        lists.setdefault(name, []).append(choice)
    return {name: tuple(choices) for name, choices in lists.items()}, problems, warnings


def read_choice(
    row: Row, columns: dict[str, Column], language: str
) -> tuple[str, Choice, list[Problem], list[Problem]]:
    """One row of the choices sheet: its list, the choice, what is wrong, what is missing."""
    problems: list[Problem] = []
    labels: dict[str, str] = {}
    others: dict[str, str] = {}
    for header, text in row.cells.items():
        column = columns[header]
        if column.field == "label" and column.language != "?":
            labels.setdefault(column.language or language, text)
        elif column.field == "label" or UNSUPPORTED.fullmatch(column.field):
            problems.append(Problem("choices", row.number, header, "unsupported_column", {"name": header}))
        else:
            others[column.field] = text
    name, value = others.pop("list_name", ""), others.pop("name", "")
    if not name:
        problems.append(Problem("choices", row.number, "list_name", "list_missing", {"name": value}))
    if not value or re.search(r"\s", value):
        problems.append(Problem("choices", row.number, "name", "choice_invalid", {"name": value}))
    if not labels:
        problems.append(Problem("choices", row.number, header_of(columns, row, "label"), "label_missing"))
    missing = ", ".join(each for each in LANGUAGES if each not in labels)
    warnings = [Problem("choices", row.number, "label", "language_missing", {"languages": missing})] if missing else []
    choice = Choice(value, Words(**labels), tuple(sorted(others.items())))
    return name, choice, problems, warnings if labels else []


def item_problems(checklist: Checklist, reader: TreeReader, lists: set[str]) -> list[Problem]:
    """Lists, filter columns, standards and institution types that nothing stands behind."""
    problems: list[Problem] = []
    for place, item in walk(checklist.items):
        row = reader.rows.get(place)
        if row is None:
            continue
        wrong: list[tuple[str, str, str]] = [
            ("institution_types", "unknown_institution_type", each)
            for each in item.institution_types
            if each != "all" and each not in institution_types()
        ]
        if isinstance(item, Question):
            wrong += [("standard", "unknown_standard", each) for each in item.standards if each not in standards()]
            wrong += list_problems(item, checklist, lists)
        problems += [
            Problem("survey", row.number, header_of(reader.columns, row, name), code, {"name": fact})
            for name, code, fact in wrong
        ]
    return problems


def list_problems(item: Question, checklist: Checklist, lists: set[str]) -> list[tuple[str, str, str]]:
    """What is wrong with the choices of a question, as (field, code, name)."""
    if item.external is not None:
        columns = EXTERNAL_COLUMNS.get(item.external.name)
        if columns is None:
            return [("type", "unknown_external_list", item.external.name)]
        wrong = [("parameters", each) for each in (item.external.value, item.external.label)]
    elif item.choices:
        if item.choices not in lists:
            return [("type", "unknown_list", item.choices)]
        own = next(each for each in checklist.lists if each.name == item.choices)
        columns = frozenset({"name"} | {name for choice in own.choices for name, _ in choice.columns})
        wrong = []
    else:
        return [("choice_filter", "filter_without_list", item.name)] if item.choice_filter else []
    wrong += [("choice_filter", each) for each in filter_columns(item.choice_filter)]
    return [(name, "unknown_column", each) for name, each in wrong if each not in columns]


def filter_columns(text: str) -> set[str]:
    """Columns a choice filter reads; none when it cannot be parsed, which is a problem of its own."""

    def bare(node: Node) -> set[str]:
        match node:
            case Steps(False, 0, (name,)):
                return {name}
            case Call():
                return set().union(*map(bare, node.arguments))
            case Binary():
                return bare(node.left) | bare(node.right)
            case Negative():
                return bare(node.of)
        return set()

    try:
        return bare(parse(text)) if text else set()
    except Unparsable:
        return set()


def mapped_items_missing(checklist: Checklist, notes: Mapping[str, Any]) -> list[Problem]:
    """Items that the visit fills or another screen asks for must be in the form."""
    places = {place for place, _ in walk(checklist.items)}
    wanted = [*notes.get("known", {}), *notes.get("elsewhere", {})]
    return [
        Problem("survey", 0, "name", "mapped_item_missing", {"name": each}) for each in wanted if each not in places
    ]


def fault_problem(fault: Fault, reader: TreeReader) -> Problem:
    """A fault of the form at the row and column it was written in."""
    row = reader.rows.get(fault.place)
    name = {"count": "repeat_count"}.get(fault.field, fault.field)
    header = header_of(reader.columns, row, name) if row is not None else name
    return Problem("survey", row.number if row is not None else 0, header, fault.code, fault.facts)


def convert_with_pyxform(data: bytes) -> list[Problem]:
    """What pyxform has against the workbook, which our own pass let through."""
    from pyxform.errors import PyXFormError  # heavy, and a serving process seldom takes a workbook in
    from pyxform.xls2xform import convert

    try:
        convert(io.BytesIO(data), file_type=".xlsx")
    except (PyXFormError, *_CONVERTER_FAILS) as error:
        text = re.sub(r"\s+", " ", str(error))[:300]
        row = re.search(r"\[row : (\d+)\]", text)
        return [Problem("survey", int(row[1]) if row else 0, "", "converter", {"reason": text})]
    return []


@cache
def known_items() -> dict[str, dict[str, Any]]:
    """What `known.toml` says for each form."""
    return tomllib.loads((DATA / "checklists" / "known.toml").read_text(encoding="utf-8"))


@cache
def standards() -> frozenset[str]:
    """Keys of the standards an item may name."""
    return _column("standards.csv", "key")


@cache
def institution_types() -> frozenset[str]:
    """Types of institution an item may be meant for."""
    return _column("institution_types.csv", "checklist_type") | {"day_care"}


def _column(file: str, name: str) -> frozenset[str]:
    with (DATA / file).open(encoding="utf-8", newline="") as source:
        return frozenset(row[name] for row in csv.DictReader(source) if row[name])
