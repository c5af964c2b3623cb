"""Pure parts: undo steps of a text, what the keys of a keypad make, the cells of the grey row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_app.widgets.steps import MOST, Steps


def _type(steps: Steps, text: str, more: str) -> str:
    for letter in more:
        steps.change((text, len(text)), (text + letter, len(text) + 1))
        text += letter
    return text


def test_a_step_is_a_word() -> None:
    steps = Steps()
    text = _type(steps, "", "төсек жоқ, жарық")
    seen = []
    while (state := steps.undo((text, len(text)))) is not None:
        text = state[0]
        seen.append(text)
    assert seen == ["төсек жоқ,", "төсек жоқ", "төсек", ""]
    assert steps.redo((text, 0)) == ("төсек", 5)


def test_no_more_than_fifty_steps_are_kept() -> None:
    steps = Steps()
    _type(steps, "", "а " * 80)
    assert len(steps.past) == MOST


@given(st.lists(st.sampled_from(["а", "ә", " ", ".", "<"]), max_size=120))
def test_going_all_the_way_back_and_on_again_loses_nothing(keys: list[str]) -> None:
    steps, text = Steps(), ""
    for key in keys:
        after = text[:-1] if key == "<" else text + key
        if after != text:
            steps.change((text, len(text)), (after, len(after)))
        text = after
    last, state = text, (text, len(text))
    undone = 0
    while (before := steps.undo(state)) is not None:
        state, undone = before, undone + 1
    assert not keys or undone == 0 or state[0] == ""
    for _ in range(undone):
        state = steps.redo(state)
    assert state[0] == last


CASES = [
    ("integer", "1", "2", "12"),
    ("integer", "0", "5", "5"),
    ("integer", "", ",", ""),
    ("integer", "12", "-", "-12"),
    ("integer", "-12", "-", "12"),
    ("integer", "1" * 15, "1", "1" * 15),
    ("decimal", "", ",", "0,"),
    ("decimal", "2", ".", "2,"),
    ("decimal", "2,5", ",", "2,5"),
    ("decimal", "2,123456", "7", "2,123456"),
    ("decimal", "-0", "3", "-3"),
    ("date", "", "0", "0"),
    ("date", "07", "0", "07.0"),
    ("date", "07.03.202", "6", "07.03.2026"),
    ("date", "07.03.2026", "1", "07.03.2026"),
    ("date", "07.0", "backspace", "07"),
    ("month", "03", "2", "03.2"),
    ("time", "14", "0", "14:0"),
    ("time", "14:05", "9", "14:05"),
    ("time", "14:05", "clear", ""),
    ("integer", "12", "backspace", "1"),
    ("integer", "12", "х", "12"),
]


@pytest.mark.parametrize(("form", "text", "key", "after"), CASES)
def test_what_a_key_makes(form: str, text: str, key: str, after: str) -> None:
    from field_app.widgets.keypad import typed

    assert typed(form, text, key) == after


VALUES = [
    ("integer", "007", "7"),
    ("integer", "-", None),
    ("integer", "", None),
    ("decimal", "2,50", "2.5"),
    ("decimal", "2,", "2"),
    ("decimal", "-0", "0"),
    ("decimal", "0,0", "0"),
    ("date", "29.02.2026", None),
    ("date", "28.02.2026", "2026-02-28"),
    ("date", "28.02.20", None),
    ("month", "03.2026", "2026-03-01"),
    ("time", "24:00", None),
    ("time", "23:59", "23:59"),
    ("time", "23:5", None),
]


@pytest.mark.parametrize(("form", "text", "value"), VALUES)
def test_the_value_of_what_is_typed(form: str, text: str, value: str | None) -> None:
    from field_app.widgets.keypad import value_of

    assert value_of(form, text) == value


@given(st.sampled_from(["integer", "decimal", "date", "month", "time"]), st.text("0123456789,.-", max_size=25))
def test_typing_anything_gives_the_ledgers_form_or_nothing(form: str, keys: str) -> None:
    import re

    from field_app.widgets.keypad import shown_as, typed, value_of

    text = ""
    for key in keys:
        text = typed(form, text, key)
    value = value_of(form, text)
    if value is None:
        return
    shapes = {"integer": r"-?(0|[1-9]\d{0,14})", "decimal": r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?", "time": r"\d\d:\d\d"}
    assert re.fullmatch(shapes.get(form, r"\d{4}-\d\d-\d\d"), value)
    assert value_of(form, shown_as(form, value)) == value


def test_nothing_can_be_said_in_two_ways() -> None:
    from field_app.widgets.non_answers import cells
    from field_app.widgets.question_view import Option, QuestionView

    def of(*codes: str) -> tuple[str, ...]:
        return cells(QuestionView("/v", "select_one", "?", options=tuple(Option(c, c) for c in codes)))

    assert of("yes", "na", "nk") == ("nk", "not_seen", "not_asked", "refused", "na")
    assert of("yes", "no") == ("not_seen", "not_asked", "refused", "does_not_apply")
    assert of("yes", "nk") == ("nk", "not_seen", "not_asked", "refused", "does_not_apply")
