"""Evaluating a checklist: rows, defaults, what is known, what is shown, warnings, counts; and the checklist as a file."""
# ruff: noqa: E501

from __future__ import annotations

from datetime import date

import pytest

from shared.checklists.definition import (
    Checklist,
    Choice,
    ChoiceList,
    External,
    Group,
    Question,
    Repeat,
    Words,
)
from shared.checklists.evaluate import ROWS_LIMIT, Evaluation
from shared.checklists.form import Form
from shared.checklists.progress import non_answers_offered, themes, warned_paths

TODAY = date(2026, 3, 7)
YES_NO = ChoiceList("yes_no", (Choice("yes", Words(ru="Да", kk="Иә")), Choice("no", Words(ru="Нет"))))
COMP = ChoiceList("comp", (*YES_NO.choices, Choice("nk"), Choice("na")))


def a_form(*items, lists=(YES_NO, COMP)) -> Form:
    form = Form(Checklist("f", "1", Words(ru="Форма"), ("kk", "ru"), items=items, lists=lists))
    assert form.faults == []
    return form


def faults_of(*items) -> list[tuple[str, str, str]]:
    form = Form(Checklist("f", "1", Words(), ("ru",), items=items, lists=(YES_NO, COMP)))
    return [(each.place, each.field, each.code) for each in form.faults]


def evaluation(form: Form, *args, **more) -> Evaluation:
    return Evaluation(form, *args, today=TODAY, **more)


CELLS = a_form(
    Group("mc", Words(ru="Условия"), items=(
        Repeat("cell", Words(ru="Камера ${cell_no}"), items=(
            Question("cell_no", "text"),
            Question("beds", "integer"),
            Question("held", "integer", required="true()"),
            Question("pos", "calculate", calculation="position(..)"),
            Question("small", "note", Words(ru="${held} на ${beds}", kk="${beds} ← ${held}"), relevant="${beds} < ${held}"),
            Repeat("bunk", items=(Question("wide", "decimal"),)),
            Question("wide_sum", "calculate", calculation="sum(${wide})"),
        )),
        Question("cells_n", "calculate", calculation="count(${cell})"),
        Question("held_n", "calculate", calculation="sum(${held})"),
        Question("wide_all", "calculate", calculation="sum(${wide})"),
        Question("second", "calculate", calculation="indexed-repeat(${held}, ${cell}, 2)"),
        Question("nested", "calculate", calculation="indexed-repeat(${wide}, ${cell}, 1, ${bunk}, 2)"),
        Question("list", "calculate", calculation="join(', ', ${cell_no})"),
    )),
)  # fmt: skip


def test_rows_keep_their_own_values_and_are_added_up() -> None:
    state = evaluation(CELLS)
    for row, held in (("a1b2c3d4", 9), ("00000002", 3)):
        state.add_row("/mc/cell", row)
        state.set(f"/mc/cell[{row}]/held", held)
        state.set(f"/mc/cell[{row}]/cell_no", f"№{held}")
    state.set("/mc/cell[a1b2c3d4]/beds", 6)
    state.set("/mc/cell[a1b2c3d4]/bunk[x1]/wide", "0.7")
    state.set("/mc/cell[a1b2c3d4]/bunk[x2]/wide", "0.8")
    state.set("/mc/cell[00000002]/bunk[x1]/wide", "1")
    assert state.rows("/mc/cell") == ("a1b2c3d4", "00000002")
    values = {name: state.text(f"/mc/{name}") for name in ("cells_n", "held_n", "wide_all", "second", "nested", "list")}
    assert values == {
        "cells_n": "2",
        "held_n": "12",
        "wide_all": "2.5",
        "second": "3",
        "nested": "0.8",
        "list": "№9, №3",
    }
    assert state.text("/mc/cell[a1b2c3d4]/wide_sum") == "1.5"
    assert [state.text(f"/mc/cell[{row}]/pos") for row in state.rows("/mc/cell")] == ["1", "2"]
    assert state.is_relevant("/mc/cell[a1b2c3d4]/small")
    assert not state.is_relevant("/mc/cell[00000002]/small"), "no beds given: blank is smaller than nothing"
    assert state.label("/mc/cell[a1b2c3d4]/small", "kk") == "6 ← 9"
    assert state.label("/mc/cell[a1b2c3d4]/small", "en") == "9 на 6"
    assert state.label("/mc/cell[00000002]", "ru") == "Камера №3"
    assert state.label("/mc/cell", "ru") == "Камера "


def test_a_row_taken_away_takes_its_answers_along() -> None:
    state = evaluation(CELLS, {"/mc/cell[a]/held": 2, "/mc/cell[b]/held": 5, "/mc/cell[a]/bunk[q]/wide": "1"})
    assert state.text("/mc/held_n") == "7"
    assert "/mc/held_n" in state.remove_row("/mc/cell", "a")
    assert (state.text("/mc/held_n"), state.text("/mc/cell[b]/pos"), state.text("/mc/wide_all")) == ("5", "1", "0")
    state.add_row("/mc/cell", "a")
    assert state.answer("/mc/cell[a]/held") is None
    assert state.rows("/mc/cell[a]/bunk") == ()


def test_adding_a_row_again_changes_nothing() -> None:
    state = evaluation(CELLS)
    themes(state)
    assert state.add_row("/mc/cell", "a")
    assert not state.add_row("/mc/cell", "a")


COUNTED = a_form(
    Question("deaths", "integer"),
    Repeat("death", count="${deaths}", relevant="${deaths} > 0", items=(Question("cause", "text"),)),
    Question("rows_n", "calculate", calculation="count(${death})"),
)


def test_counted_rows_are_numbered_and_keep_what_was_written_beyond_the_count() -> None:
    state = evaluation(COUNTED, {"/deaths": 3, "/death[3]/cause": "тәлім"})
    assert state.rows("/death") == ("1", "2", "3")
    assert "/death" in state.set("/deaths", 1)
    assert state.rows("/death") == ("1",)
    assert state.shown_rows("/death") == ("1", "3")
    assert state.text("/rows_n") == "1"
    assert state.is_shown("/death[3]/cause")
    assert not state.is_relevant("/death[3]/cause")
    state.set("/deaths", 0)
    assert state.is_shown("/death"), "an answer inside keeps the repeat in sight"


@pytest.mark.parametrize(("count", "rows"), [(None, 0), (0, 0), (-4, 0), (10**12, ROWS_LIMIT)])
def test_a_slip_in_a_count_freezes_nothing(count, rows) -> None:
    assert len(evaluation(COUNTED, {} if count is None else {"/deaths": count}).rows("/death")) == rows


GATE = a_form(
    Question("alleg", "select_one", choices="yes_no", required="true()"),
    Group("more", relevant="${alleg} = 'yes'", items=(
        Question("n", "integer", constraint=". >= 1", required="true()"),
        Question("doubled", "calculate", calculation="${n} * 2"),
    )),
)  # fmt: skip


def test_an_answered_question_is_never_hidden_but_the_logic_does_not_read_it() -> None:
    state = evaluation(GATE, {"/alleg": "yes", "/more/n": 4})
    assert state.text("/more/doubled") == "8"
    changed = state.set("/alleg", "no")
    assert {"/more", "/more/n", "/more/doubled"} <= set(changed)
    assert not state.is_relevant("/more/n")
    assert state.is_shown("/more/n")
    assert state.is_shown("/more")
    assert state.text("/more/doubled") == ""
    state.set("/more/n", None)
    assert not state.is_shown("/more")


def test_constraint_and_required_warn_and_never_block() -> None:
    state = evaluation(GATE)
    assert state.warnings("/alleg") == ("required",)
    state.set("/alleg", "yes")
    state.set("/more/n", 0)
    assert state.warnings("/more/n") == ("constraint",)
    assert state.answer("/more/n") == 0
    assert warned_paths(state) == ["/more/n"]
    state.set("/more/n", None, "refused")
    assert state.warnings("/more/n") == ()
    assert state.text("/more/doubled") == "NaN"


def test_a_reason_for_no_answer_gives_way_to_an_answer() -> None:
    state = evaluation(GATE, {"/alleg": "yes"}, non_answers={"/more/n": "not_seen"})
    assert state.non_answer("/more/n") == "not_seen"
    state.set("/more/n", 2)
    assert (state.non_answer("/more/n"), state.answer("/more/n")) == (None, 2)
    state.set("/more/n", None)
    assert not state.is_answered("/more/n")


def test_a_default_is_read_until_somebody_answers() -> None:
    form = a_form(
        Question("m2", "decimal", default="0"),
        Question("day", "date", default="today()"),
        Question("sum", "calculate", calculation="coalesce(${m2}, 5) + 1"),
    )
    state = evaluation(form)
    assert (state.text("/sum"), state.text("/day"), state.is_answered("/m2")) == ("1", "2026-03-07", False)
    state.set("/m2", "2.5")
    assert state.text("/sum") == "3.5"
    state.set("/m2", None, "not_seen")
    assert state.text("/sum") == "6", "nobody saw it: the offered zero is no answer"


def test_what_the_visit_knows_is_read_and_not_asked() -> None:
    form = a_form(
        Group("visit", items=(
            Question("region", "select_one", choices="yes_no", required="true()", known="region"),
            Question("ref", "text", constraint="regex(., '^[0-9]+$')", known="visit_ref"),
            Question("asked", "text"),
        )),
        Question("here", "calculate", calculation="${region}"),
    )  # fmt: skip
    state = evaluation(form, known={"/visit/region": "KZ-35", "/visit/ref": "A-03"})
    assert state.text("/here") == "KZ-35"
    assert state.warnings("/visit/ref") == ()
    (theme,) = themes(state)
    assert (theme.asked, theme.next_blank) == (1, "/visit/asked")


def test_choices_are_filtered_by_columns_and_by_other_answers() -> None:
    towns = ChoiceList("town", tuple(Choice(name, columns=(("region", region),)) for name, region in
                                     (("temirtau", "35"), ("saran", "35"), ("kurchatov", "10"))))  # fmt: skip
    form = a_form(
        Question("region", "text"),
        Question("town", "select_one", choices="town", choice_filter="region = ${region}"),
        Question("place", "select_one", external=External("institutions", "key", "name_ru"),
                 choice_filter="region_iso = ${region} and starts-with(key, 'syn')"),
        lists=(towns,),
    )  # fmt: skip
    register = [
        {"key": f"syn-{n}", "name_ru": f"№{n}", "name_kk": f"{n}-мекеме", "region_iso": str(n)} for n in (10, 35)
    ]
    state = evaluation(form, lists={"institutions": register})
    assert state.choices("/town") == ()
    assert {"/region", "/town", "/place"} <= set(state.set("/region", "35") | {"/place"})
    assert [each.name for each in state.choices("/town")] == ["temirtau", "saran"]
    (place,) = state.choices("/place")
    assert (place.name, place.label.kk, place.label.ru) == ("syn-35", "35-мекеме", "№35")
    state.set("/town", "saran")
    assert state.warnings("/town") == ()
    state.set("/region", "10")
    assert state.warnings("/town") == ("not_a_choice",)
    assert state.answer("/town") == "saran", "a filter never takes an answer away"


def test_a_list_with_its_own_na_offers_no_second_way_to_say_so() -> None:
    form = a_form(Question("a", "select_one", choices="yes_no"), Question("b", "select_one", choices="comp"))
    offered = [non_answers_offered(form, form.entries[place].item) for place in ("/a", "/b")]
    assert offered == [("not_seen", "not_asked", "refused", "not_applicable"), ("not_seen", "not_asked", "refused")]


def test_themes_count_what_is_answered_not_answered_and_left() -> None:
    form = a_form(
        Group("one", Words(ru="Один", kk="Бір"), items=(
            Question("a", "text"), Question("note", "note"), Question("b", "integer"),
            Repeat("r", items=(Question("c", "text"), Question("d", "text"))),
            Question("sign", "image", elsewhere="report"),
        )),
        Repeat("finding", elsewhere="finding", items=(Question("e", "text"),)),
        Group("hidden", relevant="${a} = 'x'", items=(Question("g", "text"),)),
        Group("sums", items=(Question("h", "calculate", calculation="1"),)),
        Question("last", "text"),
    )  # fmt: skip
    state = evaluation(
        form, {"/one/a": "y", "/finding[1]/e": "f"}, {"/one/r": ["x"]}, non_answers={"/one/b": "not_seen"}
    )
    found = themes(state)
    assert [(t.path, t.answered, t.non_answered, t.left, t.next_blank) for t in found] == [
        ("/one", 1, 1, 2, "/one/r[x]/c"),
        ("", 0, 0, 1, "/last"),
    ]
    assert [state.label(t.path, "kk") for t in found] == ["Бір", "Форма"]
    state.set("/one/r[x]/c", "1")
    state.set("/one/r[x]/d", None, "not_asked")
    assert themes(state)[0].is_complete
    state.set("/one/a", "x")
    assert [t.path for t in themes(state)] == ["/one", "/hidden", ""]


def test_zero_is_an_answer_and_blank_text_is_none() -> None:
    state = evaluation(
        a_form(Question("n", "integer"), Question("t", "text"), Question("m", "select_multiple", choices="comp"))
    )
    for path, answer in (("/n", 0), ("/t", ""), ("/m", [])):
        state.set(path, answer)
    assert [state.is_answered(path) for path in ("/n", "/t", "/m")] == [True, False, False]
