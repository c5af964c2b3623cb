"""Workbooks at the door: the three real ones come in whole; broken, odd and harmful ones are refused with their place."""
# ruff: noqa: C408, E501

from __future__ import annotations

import io
import json
import random
import zipfile
from argparse import ArgumentParser
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.styles import PatternFill

from server.checklists.commands import add_commands
from server.checklists.importer import DATA, Imported, import_workbook
from server.checklists.tree import TYPES
from server.checklists.workbook import FILE_BYTES
from server.refusals import PROBLEMS_LIMIT, Problem, Refused, sentence
from shared.checklists.definition import Question, Repeat, decode, encode, walk
from shared.texts import LANGUAGES

WORKBOOKS = DATA / "checklists"
SETTINGS = [["form_title", "form_id", "version"], ["A form", "a_form", "2026030701"]]
HEADER = ["type", "name", "label::Kazakh (kk)", "label::Russian (ru)", "label::English (en)"]
CHOICES = [
    ["list_name", "name", *HEADER[2:], "region"],
    ["yes_no", "yes", "Иә", "Да", "Yes", "35"],
    ["yes_no", "no", "Жоқ", "Нет", "No", "10"],
]


def a_row(kind: str, name: str, *more: str) -> list[str]:
    return [kind, name, "мәтін", "текст", "text", *more]


def a_workbook(survey, choices=CHOICES, settings=SETTINGS, **sheets) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in {"survey": survey, "choices": choices, "settings": settings, **sheets}.items():
        if rows is not None:
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def problems_of(data: bytes, previous=None) -> list[Problem]:
    result = import_workbook(data, previous)
    assert isinstance(result, Refused), "it was taken in"
    for problem in result.problems:
        for language in LANGUAGES:
            text = sentence(problem, "checklists", language)
            assert text
            assert not problem.row or str(problem.row) in text
    return result.problems


def found(data: bytes, previous=None) -> set[tuple[str, int, str, str]]:
    return {(each.sheet, each.row, each.column, each.code) for each in problems_of(data, previous)}


@pytest.mark.parametrize(
    ("name", "questions", "repeats"),
    [("npm_visit", 308, 3), ("npm_interview", 66, 2), ("npm_psychiatric_social", 95, 1)],
)
def test_the_real_workbooks_come_in_entirely(name: str, questions: int, repeats: int) -> None:
    data = (WORKBOOKS / f"{name}.xlsx").read_bytes()
    result = import_workbook(data)
    assert isinstance(result, Imported), result
    rows = list(
        openpyxl.load_workbook(io.BytesIO(data), read_only=True)["survey"].iter_rows(min_row=2, values_only=True)
    )
    wanted = [row[1] for row in rows if row[0] not in ("start", "end") and not row[0].startswith(("begin", "end"))]
    items = [item for _, item in walk(result.checklist.items)]
    assert [item.name for item in items if isinstance(item, Question)] == wanted
    assert sum(isinstance(item, Repeat) for item in items) == repeats
    assert len(wanted) == questions
    assert result.checklist.languages == ("kk", "ru", "en")
    assert {each.code for each in result.warnings} <= {"language_missing"}
    assert all(getattr(result.checklist.title, language) for language in LANGUAGES)
    assert encode(decode(result.data, result.sha256)) == (result.data, result.sha256)
    assert import_workbook(data).data == result.data


def test_every_cell_of_a_row_reaches_the_checklist() -> None:
    checklist = import_workbook((WORKBOOKS / "npm_visit.xlsx").read_bytes()).checklist
    items = dict(walk(checklist.items))
    delay = items["/acc/acc_delay"]
    assert (delay.type, delay.relevant, delay.constraint) == (
        "integer",
        "selected(${acc_problem}, 'delay')",
        ". >= 0 and . <= 1440",
    )
    assert (delay.constraint_message.en, delay.standards, delay.institution_types) == (
        "Minutes, 0 to 1440",
        ("OPCAT-20",),
        ("all",),
    )
    place = items["/visit/institution"]
    assert (place.external.name, place.external.value, place.external.label) == ("institutions", "key", "name_ru")
    assert (place.known, place.required, place.choice_filter) == (
        "institution",
        "true()",
        "region_iso = ${region} and type = ${inst_type}",
    )
    assert (items["/he/death"].count, items["/finding"].elsewhere, items["/close/close_sign"].elsewhere) == (
        "${he_deaths_n}",
        "finding",
        "report",
    )
    assert items["/mc/cell/cell_sanit_m2"].default == "0"
    assert items["/mc/cell/cell_photo"].parameters == (("max-pixels", "1600"),)


def test_versions_rise_and_one_version_has_one_content() -> None:
    data = a_workbook([HEADER, a_row("text", "a")])
    first = import_workbook(data)
    assert first.is_new
    same = import_workbook(data, {"a_form": ("2026030701", first.sha256)})
    assert not same.is_new
    assert ("settings", 2, "version", "version_taken") in found(data, {"a_form": ("2026030701", "0" * 64)})
    assert ("settings", 2, "version", "version_not_rising") in found(data, {"a_form": ("2026030702", "0" * 64)})
    assert import_workbook(data, {"a_form": ("2026030700", "0" * 64), "other": ("9" * 18, "")}).is_new


TEXT = a_row("text", "a")
BROKEN = [
    (dict(survey=None), ("survey", 0, "", "sheet_missing")),
    (dict(settings=None), ("settings", 0, "", "sheet_missing")),
    (dict(settings=[["form_title"], ["x"]]), ("settings", 1, "form_id", "column_missing")),
    (dict(settings=[["form_id", "version"], ["a b", "1"]]), ("settings", 2, "form_id", "form_id_invalid")),
    (dict(settings=[["form_id", "version"], ["a", "v1"]]), ("settings", 2, "version", "version_invalid")),
    (dict(settings=[*SETTINGS, ["x", "y", "3"]]), ("settings", 3, "", "one_row_only")),
    (dict(settings=[["form_id", "version", "public_key"], ["a", "1", "x"]]), ("settings", 2, "public_key", "unsupported_column")),
    (dict(survey=[["type", "label"], ["text", "x"]]), ("survey", 1, "name", "column_missing")),
    (dict(survey=[[*HEADER, "name"], TEXT]), ("survey", 1, "name", "column_twice")),
    (dict(survey=[HEADER, TEXT, a_row("hologram", "b")]), ("survey", 3, "type", "unknown_type")),
    (dict(survey=[HEADER, a_row("video", "b")]), ("survey", 2, "type", "unknown_type")),
    (dict(survey=[HEADER, a_row("begin loop over x", "b")]), ("survey", 2, "type", "unknown_type")),
    (dict(survey=[HEADER, a_row("rank yes_no", "b")]), ("survey", 2, "type", "unknown_type")),
    (dict(survey=[HEADER, a_row("select_one yes_no or_other", "b")]), ("survey", 2, "type", "or_other")),
    (dict(survey=[HEADER, a_row("select_one", "b")]), ("survey", 2, "type", "list_missing")),
    (dict(survey=[HEADER, a_row("select_one nope", "b")]), ("survey", 2, "type", "unknown_list")),
    (dict(survey=[HEADER, a_row("select_one_from_file people.csv", "b")]), ("survey", 2, "type", "unknown_external_list")),
    (dict(survey=[[*HEADER, "parameters"], a_row("select_one_from_file standards.csv", "b", "value=id, label=title")]), ("survey", 2, "parameters", "unknown_column")),
    (dict(survey=[[*HEADER, "choice_filter"], a_row("select_one yes_no", "b", "size = 1")]), ("survey", 2, "choice_filter", "unknown_column")),
    (dict(survey=[[*HEADER, "choice_filter"], a_row("text", "b", "region = 1")]), ("survey", 2, "choice_filter", "filter_without_list")),
    (dict(survey=[[*HEADER, "parameters"], a_row("select_one yes_no", "b", "randomize=true")]), ("survey", 2, "parameters", "unsupported_parameter")),
    (dict(survey=[[*HEADER, "trigger"], a_row("text", "b", "${b}")]), ("survey", 2, "trigger", "unsupported_column")),
    (dict(survey=[[*HEADER, "media::image"], a_row("text", "b", "x.png")]), ("survey", 2, "media::image", "unsupported_column")),
    (dict(survey=[HEADER, TEXT, TEXT]), ("survey", 3, "name", "name_twice")),
    (dict(survey=[HEADER, a_row("text", "")]), ("survey", 2, "name", "name_missing")),
    (dict(survey=[HEADER, a_row("text", "1a")]), ("survey", 2, "name", "name_invalid")),
    (dict(survey=[HEADER, a_row("text", "аты")]), ("survey", 2, "name", "name_invalid")),
    (dict(survey=[HEADER, ["", "b", "x"]]), ("survey", 2, "type", "type_missing")),
    (dict(survey=[HEADER, ["text", "b"]]), ("survey", 2, "label::Kazakh (kk)", "label_missing")),
    (dict(survey=[["type", "name", "label::Uzbek (uz)"], ["text", "b", "x"]]), ("survey", 2, "label::Uzbek (uz)", "unknown_language")),
    (dict(survey=[HEADER, a_row("begin group", "g"), TEXT]), ("survey", 2, "type", "never_closed")),
    (dict(survey=[HEADER, TEXT, ["end group"]]), ("survey", 3, "type", "not_open")),
    (dict(survey=[HEADER, a_row("begin_repeat", "g"), TEXT, ["end_group"]]), ("survey", 4, "type", "not_open")),
    (dict(survey=[HEADER, a_row("begin group", "g"), ["end group"], TEXT]), ("survey", 2, "type", "empty_group")),
    (dict(survey=[HEADER, *(a_row("begin group", f"g{n}") for n in range(14)), TEXT, *([["end group"]] * 14)]), ("survey", 14, "type", "too_deep")),
    (dict(survey=[HEADER, a_row("calculate", "b")]), ("survey", 2, "calculation", "calculation_missing")),
    (dict(survey=[[*HEADER, "relevant"], a_row("text", "b", "${nope} = 1")]), ("survey", 2, "relevant", "unknown_reference")),
    (dict(survey=[[*HEADER, "relevance"], a_row("text", "b", "pulldata('x')")]), ("survey", 2, "relevance", "unknown_function")),
    (dict(survey=[[*HEADER, "constraint"], a_row("text", "b", ". > (")]), ("survey", 2, "constraint", "unparsable")),
    (dict(survey=[[*HEADER, "constraint"], a_row("text", "b", "‘x’ = .")]), ("survey", 2, "constraint", "unparsable")),
    (dict(survey=[[*HEADER, "calculation"], a_row("calculate", "b", "${b} + 1")]), ("survey", 2, "calculation", "circular")),
    (dict(survey=[[*HEADER, "repeat_count"], a_row("begin repeat", "r", "${nope}"), TEXT, ["end repeat"]]), ("survey", 2, "repeat_count", "unknown_reference")),
    (dict(survey=[HEADER, ["note", "b", "${nope} бар", "x", "y"]]), ("survey", 2, "label::Kazakh (kk)", "unknown_reference")),
    (dict(survey=[[*HEADER, "standard"], a_row("text", "b", "OPCAT-20 NOPE-1")]), ("survey", 2, "standard", "unknown_standard")),
    (dict(survey=[[*HEADER, "institution_types"], a_row("text", "b", "colony castle")]), ("survey", 2, "institution_types", "unknown_institution_type")),
    (dict(survey=[HEADER, a_row("text", "b" * 65)]), ("survey", 2, "name", "name_invalid")),
    (dict(survey=[HEADER, ["text", "b", "x" * 10_001]]), ("survey", 2, "label::Kazakh (kk)", "cell_too_long")),
    (dict(survey=[HEADER, a_row("select_one yes_no", "b")], choices=[CHOICES[0], CHOICES[1], CHOICES[1]]), ("choices", 3, "name", "choice_twice")),
    (dict(survey=[HEADER, TEXT], choices=[CHOICES[0], ["yes_no", "a b", "x"]]), ("choices", 2, "name", "choice_invalid")),
    (dict(survey=[HEADER, TEXT], choices=[CHOICES[0], ["", "ab", "x"]]), ("choices", 2, "list_name", "list_missing")),
    (dict(survey=[HEADER, TEXT], choices=[CHOICES[0], ["l", "ab"]]), ("choices", 2, "label::Kazakh (kk)", "label_missing")),
    (dict(survey=[HEADER, TEXT], entities=[["x"], ["y"]]), ("entities", 0, "", "unsupported_sheet")),
    (dict(survey=[HEADER, TEXT], settings=[["form_id", "version"], ["npm_visit", "9"]]), ("survey", 0, "name", "mapped_item_missing")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sheets", "problem"), BROKEN, ids=[f"{n}-{problem[3]}" for n, (_, problem) in enumerate(BROKEN)]
)
def test_a_broken_workbook_is_refused_with_its_place(sheets, problem) -> None:
    assert problem in found(a_workbook(**{"survey": [HEADER, TEXT], **sheets}))


def test_all_problems_are_listed_up_to_a_limit() -> None:
    rows = [a_row("hologram", f"b{n}") for n in range(PROBLEMS_LIMIT + 30)]
    problems = problems_of(a_workbook([HEADER, *rows]))
    assert [each.row for each in problems] == list(range(2, PROBLEMS_LIMIT + 2))


def test_every_supported_type_comes_in() -> None:
    kinds = [f"{kind} yes_no" if kind.startswith("select") else kind for kind in TYPES if kind != "calculate"]
    rows = [a_row(kind, f"q{n}", "start=0 end=9 step=1" if kind == "range" else "") for n, kind in enumerate(kinds)]
    result = import_workbook(a_workbook([[*HEADER, "parameters"], *rows]))
    assert isinstance(result, Imported), result
    assert len(result.checklist.items) == len(kinds)


def test_a_label_missing_in_one_language_only_warns() -> None:
    result = import_workbook(a_workbook([HEADER, ["text", "b", "", "текст"]]))
    assert isinstance(result, Imported)
    assert [(each.row, each.code, each.facts) for each in result.warnings] == [
        (2, "language_missing", {"languages": "kk, en"})
    ]


def rezipped(data: bytes, replace: dict[str, bytes], compression=zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w", compression) as target:
        for name in source.namelist():
            target.writestr(name, replace.pop(name, None) or source.read(name))
        for name, content in replace.items():
            target.writestr(name, content)
    return file.getvalue()


GOOD = a_workbook([HEADER, TEXT])
SHEET = "xl/worksheets/sheet1.xml"
SHEET_HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><l>&j;</l>"
)
HARMFUL = [
    ("file_too_large", b"PK\x03\x04" + bytes(FILE_BYTES)),
    ("no_workbook", b""),
    ("no_workbook", b"type,name,label\ntext,a,b\n"),
    ("no_workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
    ("damaged_file", GOOD[:-40]),
    ("damaged_file", b"PK\x03\x04" + b"\x00" * 100),
    ("no_workbook", rezipped(GOOD, {})[:4] and rezipped(a_workbook([HEADER, TEXT]), {}).replace(b"xl/workbook.xml", b"xl/workbooq.xml")),
    ("archive_bomb", rezipped(GOOD, {"xl/media/zeros.xml": bytes(19_000_000)})),
    ("archive_bomb", rezipped(GOOD, {"xl/big.bin": random.Random(1).randbytes(10) * 2_100_000})),
    ("archive_bomb", rezipped(GOOD, {f"xl/x{n}.bin": b"1" for n in range(300)})),
    ("xml_entities", rezipped(GOOD, {SHEET: LAUGHS})),
    ("xml_entities", rezipped(GOOD, {"xl/sharedStrings.xml": LAUGHS})),
    ("xml_entities", rezipped(GOOD, {SHEET: b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'})),
    ("xml_entities", rezipped(GOOD, {SHEET: '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE l [<!ENTITY a "ha">]><l>&a;</l>'.encode("utf-16")})),
    ("too_many_rows", rezipped(GOOD, {SHEET: SHEET_HEAD + b'<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData></worksheet>'})),
    ("too_many_rows", rezipped(GOOD, {SHEET: SHEET_HEAD + b'<row r="1"><c r="XFD1"><v>1</v></c></row></sheetData></worksheet>'})),
    ("too_many_rows", a_workbook([HEADER, *([TEXT] * 5001)])),
    ("damaged_file", rezipped(GOOD, {SHEET: b"<worksheet><sheetData>"})),
    ("damaged_file", rezipped(GOOD, {SHEET: b"\xff\xfe\xfa not xml"})),
]  # fmt: skip


@pytest.mark.parametrize(("code", "data"), HARMFUL, ids=[f"{n}-{code}" for n, (code, _) in enumerate(HARMFUL)])
def test_a_harmful_file_is_refused_before_it_is_opened(code: str, data: bytes) -> None:
    assert {each.code for each in problems_of(data)} == {code}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_a_workbook_with_flipped_bytes_never_crashes_the_office(seed: int, flips: int) -> None:
    dice, data = random.Random(seed), bytearray(GOOD)
    for _ in range(flips):
        data[dice.randrange(len(data))] = dice.randrange(256)
    result = import_workbook(bytes(data))
    assert isinstance(result, Imported) or result.problems


CELLS = st.one_of(
    st.sampled_from(["text", "begin group", "end group", "begin repeat", "select_one yes_no", "calculate", "note", "a", "b", "${a}",
                     "${a} = 1", "today()", ".", "count(${b})", "yes", "select_multiple_from_file standards.csv", "", None, 1, 2.5, True]),
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12),
)  # fmt: skip
COLUMNS = [
    "type",
    "name",
    "label::Russian (ru)",
    "relevant",
    "calculation",
    "constraint",
    "required",
    "choice_filter",
    "repeat_count",
    "default",
    "parameters",
]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(CELLS, min_size=2, max_size=len(COLUMNS)), min_size=1, max_size=8))
def test_any_cells_are_taken_in_or_refused(rows) -> None:
    result = import_workbook(a_workbook([COLUMNS, *rows]))
    assert isinstance(result, Imported) or problems_of(a_workbook([COLUMNS, *rows]))


@pytest.mark.parametrize("column", [5, 6, 7, 11, 12, 13, 16])
def test_spoiling_cells_of_the_real_workbook_never_crashes(column: int) -> None:
    dice = random.Random(column)
    for _ in range(3):
        book = openpyxl.load_workbook(WORKBOOKS / "npm_interview.xlsx")
        for _ in range(3):
            book["survey"].cell(dice.randrange(2, 85), column + 1).value = dice.choice(
                ["${", "')", "${nope}", "x y", ". <", "1"]
            )
        file = io.BytesIO()
        book.save(file)
        result = import_workbook(file.getvalue())
        assert isinstance(result, Imported) or all(each.row for each in result.problems)


def test_rows_that_are_only_coloured_do_no_harm() -> None:
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    for place in ("A9000", "C1048576", "XFD3"):
        book["survey"][place].fill = PatternFill("solid", fgColor="FFFF00")
    file = io.BytesIO()
    book.save(file)
    result = import_workbook(file.getvalue())
    assert isinstance(result, Imported), result
    assert result.data == import_workbook(GOOD).data


def test_a_far_row_without_its_number_is_seen_too() -> None:
    rows = b"<row/>" * 5000 + b'<row><c t="inlineStr"><is><t>text</t></is></c></row>'
    assert {
        each.code for each in problems_of(rezipped(GOOD, {SHEET: SHEET_HEAD + rows + b"</sheetData></worksheet>"}))
    } == {"too_many_rows"}


def run(*words: str) -> int:
    parser = ArgumentParser()
    add_commands(parser.add_subparsers(required=True))
    arguments = parser.parse_args(words)
    return arguments.run(arguments)


def test_the_command_checks_workbooks(tmp_path: Path, capsys) -> None:
    bad = tmp_path / "bad.xlsx"
    bad.write_bytes(a_workbook([HEADER, a_row("hologram", "b")]))
    assert run("checklist", "check", str(WORKBOOKS / "npm_interview.xlsx"), "--language", "ru") == 0
    assert "версия 2025010100" in capsys.readouterr().out
    assert run("checklist", "check", str(WORKBOOKS / "npm_interview.xlsx"), str(bad)) == 1
    assert "Sheet survey, row 2, column type" in capsys.readouterr().out
    assert run("checklist", "check", str(tmp_path / "none.xlsx")) == 1
    assert "none.xlsx" in capsys.readouterr().err


def test_the_command_evaluates_answers(tmp_path: Path, capsys) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({
        "answers": {"/pop/pop_total": 120, "/pop/pop_capacity": 100, "/visit/team_size": 40, "/mc/cell[a1b2c3d4]/cell_occ": 9},
        "known": {"/visit/inst_type": "colony"},
        "non_answers": {"/pop/pop_women": "refused"},
    }))  # fmt: skip
    workbook = WORKBOOKS / "npm_visit.xlsx"
    assert run("checklist", "evaluate", str(workbook), str(answers), "--today", "2026-03-07") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["values"]["/pop/occupancy"], found["values"]["/mc/cells_people_n"]) == ("120", "9")
    assert found["warnings"]["/visit/team_size"] == ["constraint"]
    assert found["rows"]["/mc/cell"] == ["a1b2c3d4"]
    assert "/pop/pop_women" not in found["blank"]
    compiled = tmp_path / "visit.json"
    compiled.write_bytes(import_workbook(workbook.read_bytes()).data)
    assert run("checklist", "evaluate", str(compiled), str(answers), "--today", "2026-03-07") == 0
    assert json.loads(capsys.readouterr().out) == found


@pytest.mark.parametrize(
    "answers",
    [
        "",
        "[]",
        '{"answers": {"/nope": 1}}',
        '{"answers": {"/pop/pop_total": 1.5}}',
        '{"more": 1}',
        '{"non_answers": {"/pop/pop_total": "lazy"}}',
        '{"rows": 3}',
    ],
)
def test_the_command_says_when_answers_cannot_be_read(tmp_path: Path, capsys, answers: str) -> None:
    file = tmp_path / "answers.json"
    file.write_text(answers)
    assert run("checklist", "evaluate", str(WORKBOOKS / "npm_visit.xlsx"), str(file)) == 2
    assert "answers.json" in capsys.readouterr().err
