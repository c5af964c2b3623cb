"""Each kind of question: what a tap tells, how an answer is shown, that nothing moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from field_app.widgets.theme import Choice
from shared.texts import texts
from tests.field_app.widgets.bench import Bench


class Heard:
    """Keeps what the card told."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.sheets: list[object] = []

    def actions(self):
        from field_app.widgets.question_view import QuestionActions

        names = (
            "answer",
            "non_answer",
            "refused_by",
            "draft",
            "step",
            "leave",
            "note",
            "photo",
            "finding",
            "info",
            "colleague",
            "search",
            "add_row",
            "copy_row",
            "open_row",
        )
        told = {name: (lambda *facts, name=name: self.calls.append((name, *facts))) for name in names}
        return QuestionActions(**told, open_sheet=self.sheets.append, today=lambda: "2026-03-07", now=lambda: "14:05")


def _card(bench: Bench, view, size=(1000, 600)):
    from field_app.widgets.frame import Page
    from field_app.widgets.questions import QuestionCard
    from field_app.widgets.scroll import Scroll

    heard = Heard()
    card = QuestionCard(view, heard.actions(), texts("ru"))
    bench.show(lambda: Scroll(Page(card)), size, Choice())
    return card, heard


def _views():
    from tests.field_app.widgets.scenes import questions

    return {view.kind: view for view in reversed(questions("ru"))}


def _button(card, name: str):
    from field_app.widgets.semantic import semantics

    return next(w for w in semantics(card) if w.name == name)


def test_one_tap_answers_and_the_same_tap_clears(bench: Bench) -> None:
    view = replace(_views()["select_one"], value=None)
    card, heard = _card(bench, view)
    bench.tap(_button(card, "Частично"))
    card.show(replace(view, value="partly"))
    assert _button(card, "Частично").state == "selected"
    bench.tap(_button(card, "Частично"))
    assert heard.calls == [("answer", view.item, "partly"), ("answer", view.item, None)]


def test_several_can_be_chosen(bench: Bench) -> None:
    view = _views()["select_multiple"]
    card, heard = _card(bench, view)
    bench.tap(_button(card, "душевая"))
    card.show(replace(view, value="wards shower yard"))
    bench.tap(_button(card, "палаты"))
    card.show(replace(view, value="yard"))
    bench.tap(_button(card, "прогулочный двор"))
    assert [call[2] for call in heard.calls] == ["wards shower yard", "shower yard", None]


def test_the_lists_own_codes_are_answers_and_ours_are_non_answers(bench: Bench) -> None:
    view = replace(_views()["select_one"], value=None)
    card, heard = _card(bench, view)
    for name in ("Не удалось установить", "Не видели", "Не спрашивали", "Отказ", "Не применимо"):
        bench.tap(_button(card, name))
    assert heard.calls == [
        ("answer", view.item, "nk"),
        ("non_answer", view.item, "not_seen"),
        ("non_answer", view.item, "not_asked"),
        ("non_answer", view.item, "refused"),
        ("answer", view.item, "na"),
    ]
    card.show(replace(view, non_answer="not_seen"))
    bench.tap(_button(card, "Не видели"))
    assert heard.calls[-1] == ("non_answer", view.item, None)


def test_a_refusal_asks_by_whom_and_may_be_left_so(bench: Bench) -> None:
    view = replace(_views()["select_one"], value=None)
    card, heard = _card(bench, view)
    high = card.height
    card.show(replace(view, non_answer="refused"))
    assert card.height > high
    bench.tap(_button(card, "Персонал"))
    assert heard.calls == [("refused_by", view.item, "staff")]
    card.show(replace(view, non_answer="refused", refused_by="staff"))
    assert _button(card, "Персонал").state == "selected"
    card.show(view)
    assert card.height == high


@pytest.mark.parametrize("size", [(1000, 600), (700, 900), (420, 900)])
@pytest.mark.parametrize("scale", [100, 150, 200])
def test_an_answer_moves_nothing(bench: Bench, scale: int, size: tuple[int, int]) -> None:
    from field_app.widgets.frame import Page
    from field_app.widgets.questions import QuestionCard
    from field_app.widgets.scroll import Scroll
    from field_app.widgets.semantic import bounds, semantics

    for view in _views().values():
        plain = replace(view, value=None, non_answer=None, refused_by=None, warning="")
        if view.kind in ("text", "repeat", "calculate", "note", "image", "select_one_from_file", "barcode"):
            continue
        card = QuestionCard(plain, Heard().actions(), texts("kk"))
        bench.show(lambda card=card: Scroll(Page(card)), size, Choice(scale=scale))
        before = {w.name: bounds(w) for w in semantics(card) if w.role in ("choice", "check", "button")}
        card.show(replace(plain, value=view.value))
        card.show(replace(plain, non_answer="not_seen"))
        after = {w.name: bounds(w) for w in semantics(card) if w.role in ("choice", "check", "button")}
        assert after == before, view.kind


def test_steps_and_keypad_of_a_number(bench: Bench) -> None:
    view = replace(_views()["integer"], value=None, warning="")
    card, heard = _card(bench, view)
    bench.tap(_button(card, "Больше на один"))
    card.show(replace(view, value="1"))
    bench.tap(_button(card, "Меньше на один"))
    card.show(replace(view, value="0"))
    bench.tap(_button(card, "Меньше на один"))
    assert heard.calls == [("answer", view.item, "1"), ("answer", view.item, "0")]
    bench.tap(card.answer.button)
    (sheet,) = heard.sheets
    pad = sheet.body
    pad.press("clear")
    for key in "17":
        pad.press(key)
    assert heard.calls[-1] == ("draft", view.item, "17", 2)
    sheet.closed()
    assert heard.calls[-1] == ("answer", view.item, "17")


def test_a_decimal_steps_its_whole_part(bench: Bench) -> None:
    view = _views()["decimal"]
    card, heard = _card(bench, view)
    bench.tap(_button(card, "Больше на один"))
    assert heard.calls == [("answer", view.item, "3.7")]


def test_a_warning_stands_under_the_answer_and_blocks_nothing(bench: Bench) -> None:
    view = _views()["integer"]
    card, heard = _card(bench, view)
    assert card.warning is not None
    assert card.warning.top <= card.answer.y
    bench.tap(_button(card, "Больше на один"))
    assert heard.calls == [("answer", view.item, "121")]


def test_today_and_now(bench: Bench) -> None:
    card, heard = _card(bench, replace(_views()["date"], value=None))
    bench.tap(_button(card, "Сегодня"))
    card2, heard2 = _card(bench, _views()["time"])
    bench.tap(_button(card2, "Сейчас"))
    assert heard.calls[0][2] == "2026-03-07"
    assert heard2.calls[0][2] == "14:05"


def test_a_date_that_is_none_is_never_told(bench: Bench) -> None:
    view = replace(_views()["date"], value=None)
    card, heard = _card(bench, view)
    bench.tap(card.answer.button)
    pad = heard.sheets[0].body
    for key in "31022026":
        pad.press(key)
    heard.sheets[0].closed()
    assert not [call for call in heard.calls if call[0] == "answer"]
    assert pad._reason.text == texts("ru")("widgets.not_whole")


def test_a_position_is_typed_in_two_halves(bench: Bench) -> None:
    view = _views()["geopoint"]
    card, heard = _card(bench, view)
    assert "49,80467" in card.answer._half[0].sub
    bench.tap(card.answer._half[1])
    pad = heard.sheets[0].body
    pad.press("clear")
    for key in ["7", "1", ",", "5"]:
        pad.press(key)
    heard.sheets[0].closed()
    assert heard.calls == [("answer", view.item, "49.80467 71.5")]


def test_a_long_list_opens_the_search(bench: Bench) -> None:
    from field_app.widgets.answers import Choices, Search
    from field_app.widgets.question_view import Option, QuestionView
    from field_app.widgets.questions import part_for

    many = tuple(Option(str(n), str(n)) for n in range(20))
    assert part_for(QuestionView("/r", "select_one", "?", options=many)) is Search
    assert part_for(QuestionView("/r", "select_one", "?", options=many[:5])) is Choices
    card, heard = _card(bench, _views()["select_one_from_file"])
    bench.tap(card.answer._button)
    assert heard.calls == [("search", "/v/k13")]


def test_rows_open_and_are_added_by_one_tap(bench: Bench) -> None:
    view = _views()["repeat"]
    card, heard = _card(bench, view)
    bench.tap(_button(card, "Добавить"))
    bench.tap(_button(card, "Копировать последнюю"))
    bench.tap(card.answer.kids[1])
    assert heard.calls == [("add_row", view.item), ("copy_row", view.item), ("open_row", view.item, "b1b2c3d4")]
    card.show(replace(view, rows=view.rows[:1]))
    assert len(card.answer.kids) == 2
    card.show(replace(view, rows=()))
    assert "Копировать последнюю" not in [w.name for w in card.answer.kids[0].kids]


def test_tools_standard_and_colleague(bench: Bench) -> None:
    view = replace(_views()["select_one"], colleague="Павел: Да", counts={"note": 2})
    card, heard = _card(bench, view)
    for name in ("Заметка 2", "Снимок", "Факт", "Стандарт и пояснение", "Павел: Да"):
        bench.tap(_button(card, name))
    assert [call[0] for call in heard.calls] == ["note", "photo", "finding", "info", "colleague"]
    high = card.height
    card.show(replace(view, colleague=""))
    assert card.height == high
    assert card.colleague is None


def test_an_unknown_kind_is_a_text_field_with_a_notice(bench: Bench) -> None:
    card, _ = _card(bench, _views()["barcode"])
    assert card.answer.kids[0].text == texts("ru")("widgets.unknown_kind")
    assert card.non_answers is not None


def test_what_is_closed_cannot_be_changed(bench: Bench) -> None:
    from field_app.widgets.control import Control
    from field_app.widgets.semantic import walk

    for view in _views().values():
        card, heard = _card(bench, replace(view, read_only=True), (1000, 900))
        reading = (
            {card.info, card.colleague, *getattr(card.answer, "kids", [])[:2]}
            if view.kind == "repeat"
            else {card.info, card.colleague}
        )
        for widget in [w for w in walk(card) if isinstance(w, Control) and w not in reading]:
            bench.tap(widget)
        assert [call for call in heard.calls if call[0] != "open_row"] == [], view.kind
        assert heard.sheets == [], view.kind
