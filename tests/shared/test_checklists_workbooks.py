"""Every expression of the three workbooks, on random answers, against a second engine; and what a change touches."""

from __future__ import annotations

import random
from datetime import date, timedelta
from functools import cache

import pytest

from server.checklists.importer import DATA, Imported, import_workbook
from shared.checklists.definition import ASKED, NON_ANSWERS, Question, Repeat, decode
from shared.checklists.evaluate import Evaluation
from shared.checklists.expression import parse
from shared.checklists.form import Form
from shared.checklists.progress import themes, warned_paths
from tests.examples import many
from tests.shared.checklist_oracle import Oracle

WORKBOOKS = DATA / "checklists"
TODAY = date(2026, 3, 7)
NAMES = ("npm_visit", "npm_interview", "npm_psychiatric_social")
REGISTER = [
    {
        "key": f"syn-{each}",
        "name_ru": f"Учреждение {each}",
        "name_kk": f"Мекеме {each}",
        "name_en": f"Place {each}",
        "type": ("colony", "ivs", "psych_hospital")[each % 3],
        "region_iso": ("KZ-35", "KZ-71")[each % 2],
    }
    for each in range(24)
]
LISTS = {"institutions": REGISTER, "standards": [{"key": "NMR-1", "title": "Dignity"}]}


@cache
def compiled(name: str) -> tuple[bytes, Form]:
    data = (WORKBOOKS / f"{name}.xlsx").read_bytes()
    result = import_workbook(data)
    assert isinstance(result, Imported), result
    return data, Form(decode(result.data, result.sha256))


def a_value(item: Question, state: Evaluation, path: str, dice: random.Random) -> object:
    match item.type:
        case "integer":
            return dice.choice([0, 0, 1, 1, 2, 3, 5, 15, 500, 16, 40, 120, 999, -1, 2000])
        case "decimal" | "range":
            return dice.choice(["0", "0.5", "1", "1.25", "2", "3.99", "4", "7.125", "24", "25", "100", "-3.5"])
        case "date":
            return (TODAY + timedelta(days=dice.choice([-400, -1, 0, 1, 30]))).isoformat()
        case "time":
            return f"{dice.randrange(24):02d}:{dice.randrange(60):02d}"
        case "select_one":
            names = [each.name for each in state.choices(path)]
            if item.name in ("consent", "alleg", "e_injury", "pr_used") and dice.random() < 0.8:
                return "yes"
            return dice.choice(names) if names else None
        case "select_multiple":
            names = [each.name for each in state.choices(path)]
            return dice.sample(names, min(len(names), dice.randrange(1, 4))) if names else None
        case "geopoint":
            return "51.1 71.4 0 5"
        case "image":
            return "f" * 64
        case _:
            return dice.choice(["АБ-12", "текст", "x", "123", "", "a b"])


def filled(form: Form, dice: random.Random, density: float) -> Evaluation:
    """An evaluation with random answers, non-answers and rows, put in one by one in the order of the form."""
    state = Evaluation(form, lists=LISTS, today=TODAY)
    for place, entry in form.entries.items():
        if isinstance(entry.item, Repeat) and not entry.item.count and not entry.repeats:
            for row in range(dice.randrange(4)):
                state.add_row(place, f"{row:08x}")
    for path in list(state.all_paths()):
        item = state.entry(path).item
        if isinstance(item, Repeat) and not path.endswith("]") and not item.count and "]" in path:
            for row in range(dice.randrange(3)):
                state.add_row(path, f"{row:08x}")
    for path in list(state.all_paths()):
        item = state.entry(path).item
        if isinstance(item, Question) and item.type in ASKED and dice.random() < density:
            if dice.random() < 0.1:
                state.set(path, None, dice.choice(NON_ANSWERS))
            else:
                state.set(path, a_value(item, state, path, dice))
    for path in list(state.all_paths()):
        item = state.entry(path).item
        if isinstance(item, Question) and item.type in ASKED and "[" in path and dice.random() < density:
            state.set(path, a_value(item, state, path, dice))
    return state


@pytest.mark.parametrize(
    ("name", "sets"), [("npm_visit", 120), ("npm_interview", 500), ("npm_psychiatric_social", 400)]
)
def test_a_second_engine_agrees_on_every_expression(name: str, sets: int) -> None:
    data, form = compiled(name)
    oracle = Oracle(data, TODAY)
    dice = random.Random(20260307)
    for _ in range(many(sets)):
        state = filled(form, dice, dice.choice([0.2, 0.6, 0.95]))
        assert list(oracle.differences(state)) == []
    assert oracle.asked > many(sets) * 10
    assert oracle.silent < oracle.asked * 0.01, f"{oracle.silent} of {oracle.asked} without an opinion"


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("relevant", "${pop_women} > 0", "${pop_women} >= 0"),
        ("constraint", ". >= 0 and . <= 500", ". >= 0 and . < 500"),
        ("calculation", "count(${cell})", "count(${death})"),
    ],
)
def test_the_second_engine_sees_a_wrong_expression(field: str, old: str, new: str) -> None:
    data, form = compiled("npm_visit")
    wrong = Form(form.checklist)
    for entry in wrong.entries.values():
        if getattr(entry.item, field, "") == old:
            entry.expressions[field] = parse(new)
    oracle, dice = Oracle(data, TODAY), random.Random(5)
    assert any(list(oracle.differences(filled(wrong, dice, 0.95))) for _ in range(60))


def snapshot(state: Evaluation) -> dict[str, object]:
    facts: dict[str, object] = {}
    for path in state.all_paths():
        item = state.entry(path).item
        facts[path] = (state.is_relevant(path), repr(state.value(path)), state.warnings(path), state.is_shown(path))
        if isinstance(item, Repeat) and not path.endswith("]"):
            facts[path + "#"] = state.rows(path)
        if isinstance(item, Question) and item.choice_filter:
            facts[path + "?"] = [each.name for each in state.choices(path)]
        facts[path + "!"] = state.label(path, "kk")
    facts["themes"] = themes(state)
    facts["warned"] = warned_paths(state)
    return facts


@pytest.mark.parametrize("name", NAMES)
def test_a_change_computes_no_less_than_a_fresh_start(name: str) -> None:
    _, form = compiled(name)
    dice = random.Random(7)
    for _ in range(3):
        state = filled(form, dice, 0.5)
        for _ in range(25):
            before = snapshot(state)
            paths = [p for p in state.all_paths() if isinstance(state.entry(p).item, Question)]
            asked = [p for p in paths if state.entry(p).item.type in ASKED]
            path = dice.choice(asked)
            answer = dice.choice([None, a_value(state.entry(path).item, state, path, dice)])
            changed = state.set(path, answer, None if answer is not None else dice.choice([None, *NON_ANSWERS]))
            after = snapshot(state)
            fresh = Evaluation(
                form, state._answers, state._rows, lists=LISTS, today=TODAY, non_answers=state._non_answers
            )
            assert after == snapshot(fresh)
            for key in set(before) & set(after):
                if key.startswith("/") and key[-1] not in "#?!" and before[key][:3] != after[key][:3]:
                    assert key in changed, (path, key)


def test_few_cells_are_computed_again_for_one_answer() -> None:
    _, form = compiled("npm_visit")
    state = filled(form, random.Random(3), 0.9)
    snapshot(state)
    assert len(state.set("/mc/mc_shower_week", 3)) < 10
    assert len(state.set("/visit/inst_type", "orphanage")) > 20
