"""Rows, progress and what is offered: the evaluator beyond single answers."""
# ruff: noqa: E501

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from shared.checklists.chains import CHAIN_LIMIT
from shared.checklists.definition import (
    DamagedChecklist,
    Group,
    Question,
    Repeat,
    Words,
    decode,
    encode,
    walk,
)
from shared.checklists.paths import is_path, parent_of, place_of, row_of, rows_in, without_row
from tests.shared.test_checklists import CELLS, a_form, evaluation, faults_of

TODAY = date(2026, 3, 7)


def test_what_is_acknowledged_reads_as_odk_writes_it() -> None:
    state = evaluation(a_form(Question("ok", "acknowledge"), Question("seen", "calculate", calculation="${ok} = 'OK'")))
    found = []
    for answer in (None, True, False):
        state.set("/ok", answer)
        found.append((state.text("/seen"), state.is_answered("/ok")))
    assert found == [("false", False), ("true", True), ("false", False)]


def test_the_form_names_what_it_takes_from_the_visit() -> None:
    form = a_form(Group("v", items=(Question("r", "text", known="region"), Question("n", "text"))))
    assert form.known_values({"region": "KZ-35", "date": "2026-03-07"}) == {"/v/r": "KZ-35"}
    assert form.known_values({}) == {}


@pytest.mark.parametrize(
    "path", ["/nowhere", "", "/mc", "/mc/cell", "/mc/cell[a]", "/mc/cell[A!]/held", "mc/cell[a]/held"]
)
def test_only_questions_take_answers(path: str) -> None:
    with pytest.raises(KeyError):
        evaluation(CELLS).set(path, 1)


def test_a_calculation_without_a_number_shows_a_dash() -> None:
    form = a_form(Question("a", "integer"), Question("half", "calculate", calculation="${a} div 2"),
                  Question("note", "note", Words(ru="Половина: ${half}.")))  # fmt: skip
    state = evaluation(form)
    assert state.label("/note", "ru") == "Половина: –."
    assert "/a" in state.set("/a", 5)
    assert state.label("/note", "ru") == "Половина: 2.5."


REPEAT = Repeat("r", items=(Question("x", "integer"),))


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        ((Question("a", "text", relevant="${b} = 1"),), ("/a", "relevant", "unknown_reference")),
        ((Question("a", "text", relevant="${a} = 1"),), ("/a", "relevant", "circular")),
        ((Question("a", "text", relevant=". = 1"),), ("/a", "relevant", "circular")),
        ((Question("a", "text", relevant="b = 1"),), ("/a", "relevant", "unknown_reference")),
        ((Question("a", "text", relevant="nope(1)"),), ("/a", "relevant", "unknown_function")),
        ((Question("a", "text", relevant="uuid()"),), ("/a", "relevant", "unknown_function")),
        ((Question("a", "text", relevant="if(1, 2)"),), ("/a", "relevant", "wrong_arguments")),
        ((Question("a", "text", constraint=". >"),), ("/a", "constraint", "unparsable")),
        ((Question("a", "text", constraint="regex(., '(a+)+')"),), ("/a", "constraint", "bad_pattern")),
        ((Question("a", "text", constraint="regex('x', .)"),), ("/a", "constraint", "bad_pattern")),
        ((Question("a", "calculate", calculation="format-date(today(), '%b')"),), ("/a", "calculation", "bad_date_format")),
        ((Question("a", "calculate", calculation="position(..)"),), ("/a", "calculation", "no_row_here")),
        ((REPEAT, Question("a", "calculate", calculation="${x} + 1")), ("/a", "calculation", "many_rows")),
        ((REPEAT, Question("a", "note", Words(kk="${x}"))), ("/a", "label", "many_rows")),
        ((REPEAT, Question("a", "calculate", calculation="indexed-repeat(${x}, ${x}, 1)")), ("/a", "calculation", "no_repeat")),
        ((REPEAT, Question("a", "calculate", calculation="indexed-repeat(${x}, ${r})")), ("/a", "calculation", "wrong_arguments")),
        ((Question("a", "text"), Question("b", "calculate", calculation="jr:choice-name(${a}, '${a}')")), ("/b", "calculation", "no_choices")),
        ((Question("a", "note", Words(ru="${zz}")),), ("/a", "label", "unknown_reference")),
        ((Question("a", "text"), Question("a", "text")), ("/a", "name", "name_twice")),
        ((Group("g", items=(Question("a", "text"),)), Question("a", "text"), Question("b", "text", relevant="${a} = 1")), ("/b", "relevant", "ambiguous_reference")),
        ((Repeat("r", count="${x}", items=(Question("x", "integer"),)),), ("/r", "count", "circular")),
        ((Question("a", "calculate", calculation="${b}"), Question("b", "calculate", calculation="${a}")), ("/a", "calculation", "circular")),
        ((Repeat("r", relevant="count(${r}) > 0", items=(Question("x", "text"),)),), ("/r", "relevant", "circular")),
        ((Group("g", relevant="${x} = 1", items=(Question("x", "text"),)),), ("/g", "relevant", "circular")),
        ((Question("n", "text", default="concat(${n}, 'x')"),), ("/n", "calculation", "circular")),
    ],
)  # fmt: skip
def test_what_could_not_be_evaluated_is_a_fault_of_the_form(items, fault) -> None:
    assert fault in faults_of(*items)


def a_chain(length: int) -> list[Question]:
    steps = [
        Question(f"q{n}", "calculate", calculation=f"if(${{q{n - 1}}} > 0, (${{q{n - 1}}} + 1), 0)")
        for n in range(1, length)
    ]
    return [Question("q0", "integer"), *steps]


def test_a_chain_of_calculations_is_followed_to_its_end_or_refused() -> None:
    longest = (CHAIN_LIMIT - 1) // 2
    state = evaluation(a_form(*a_chain(longest)), {"/q0": 1})
    last = f"/q{longest - 1}"
    assert state.text(last) == str(longest)
    assert last in state.set("/q0", 5)
    assert state.text(last) == str(longest + 4)
    assert {code for _, _, code in faults_of(*a_chain(400))} == {"long_chain"}


def test_clearing_in_a_row_that_is_not_there_makes_no_row() -> None:
    state = evaluation(CELLS)
    state.set("/mc/cell[a]/held", None)
    assert state.rows("/mc/cell") == ()


def test_a_checklist_travels_as_canonical_bytes_under_its_digest() -> None:
    checklist = CELLS.checklist
    data, name = encode(checklist)
    assert decode(data, name) == checklist
    assert encode(decode(data)) == (data, name)
    assert b"null" not in data
    assert [place for place, _ in walk(checklist.items)][:3] == ["/mc", "/mc/cell", "/mc/cell/cell_no"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff", b'{"form_id":1}', b"null", encode(CELLS.checklist)[0][:-1],
     msgspec.json.encode(msgspec.structs.replace(CELLS.checklist, format=2)),
     encode(CELLS.checklist)[0].replace(b'"type":"integer"', b'"type":"hologram"')],
)  # fmt: skip
def test_damaged_bytes_are_no_checklist(data: bytes) -> None:
    with pytest.raises(DamagedChecklist):
        decode(data)


def test_a_checklist_under_another_name_is_refused() -> None:
    with pytest.raises(DamagedChecklist):
        decode(encode(CELLS.checklist)[0], "0" * 64)


def test_paths_name_places_and_rows() -> None:
    path = "/mc/cell[a1b2c3d4]/bunk[2]/wide"
    assert place_of(path) == "/mc/cell/bunk/wide"
    assert rows_in(path) == [("/mc/cell", "a1b2c3d4"), ("/mc/cell[a1b2c3d4]/bunk", "2")]
    assert parent_of(path) == "/mc/cell[a1b2c3d4]/bunk[2]"
    assert (row_of(parent_of(path)), without_row(parent_of(path))) == ("2", "/mc/cell[a1b2c3d4]/bunk")
    assert [is_path(each) for each in (path, "/a", "a", "/a[", "/a[]", "/a b", "//a", "/a/", "")] == [True] * 2 + [
        False
    ] * 7
