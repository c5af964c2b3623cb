"""T4 by touch on a real store and the real form: answers, rows, drafts, undo, differences, place, speed."""

from __future__ import annotations

import pytest

from field_app.store.errors import StorageFull
from shared.observations.answers import AnswerRecorded
from tests.field_app.screens.ground import PAVEL, Colleague, Room

RIGHTS, REGISTER, GAP = "/sg/sg_rights", "/sg/sg_register", "/sg/sg_register_gap"


def _open(room: Room, theme: str = "/sg") -> None:
    room.go("checklist", subject=room.visit, theme=theme)
    room.bench.frame(2)


def test_a_tap_is_an_operation_and_the_same_tap_takes_it_back(room: Room) -> None:
    _open(room)
    room.tap_in(RIGHTS, "Частично")
    assert room.answers()[RIGHTS] == "partly"
    assert room.within(room.card(RIGHTS), "Частично").state == "selected"
    room.tap_in(RIGHTS, "Частично")
    assert RIGHTS not in room.answers()


def test_each_kind_of_question_keeps_what_was_said(room: Room) -> None:
    _open(room, "/acc")
    room.tap_in("/acc/acc_problem", "Задержка")
    assert room.answers()["/acc/acc_problem"] == ["delay"]
    delay = "/acc/acc_delay"
    assert delay in room.screen.cards.paths, "the follow-up question appears"
    room.tap_in(delay, "Больше на один")
    assert room.answers()[delay] == 1
    room.go("checklist", subject=room.visit, theme="/visit")
    room.tap_in("/visit/time_in", "Сейчас")
    assert room.answers()["/visit/time_in"].count(":") == 1


def test_non_answers_refusal_with_who_and_why(room: Room) -> None:
    _open(room)
    room.tap_in(RIGHTS, "Отказ")
    room.tap_in(RIGHTS, "Персонал")
    room.tap("Указать причину")
    room.type("режим")
    room.tap("Готово")
    entry = room.screen.sitting.own(RIGHTS)
    assert (entry.non_answer, entry.refused_by) == ("refused", "staff")
    assert room.store.words(room.record, entry.reason)["reason"] == "режим"
    room.tap_in(RIGHTS, "Персонал")
    room.tap("Отметить в «Доступе»")
    problem = room.screen.evaluation("/acc/acc_problem").choices("/acc/acc_problem")[1]
    room.tap(problem.label.ru)
    assert room.answers()["/acc/acc_problem"] == [problem.name]
    assert room.screen.sitting.own(RIGHTS).refused_by == "staff"
    assert RIGHTS in room.screen.cards.paths, "one stays at the question"
    room.tap_in(RIGHTS, "Не видели")
    assert room.screen.sitting.own(RIGHTS).non_answer == "not_seen"


def test_not_applicable_of_the_form_and_of_the_grey_row_are_one(room: Room) -> None:
    _open(room)
    room.tap_in(RIGHTS, "Не применимо")
    assert room.answers()[RIGHTS] == "na"
    room.tap_in("/sg/sg_over_time_n", "Не применимо")
    assert room.screen.sitting.own("/sg/sg_over_time_n").non_answer == "not_applicable"


def test_words_are_a_draft_at_every_key_and_one_answer_when_left(room: Room) -> None:
    _open(room)
    text = "/sg/sg_text"
    before = len(room.store.operations(room.record))
    room.bench.tap(room.screen.field_of(text) or room.card(text).answer.field)
    room.type("журнал пуст")
    name = room.screen.draft_name(text)
    assert room.store.drafts()[name].text == "журнал пуст"
    room.tap_in(RIGHTS, "Да")
    assert room.answers()[text] == "журнал пуст"
    assert name not in room.store.drafts()
    made = [each.kind for each in room.store.operations(room.record)[before:] if each.kind != "key_made"]
    assert made == ["answer_recorded", "answer_recorded"]


def test_a_question_that_appears_moves_nothing_under_the_finger(room: Room) -> None:
    _open(room)
    room.screen.cards.jump(REGISTER)
    room.bench.frame(3)
    card = room.screen.cards.card(REGISTER)
    at = card.to_window(card.x, card.top)[1]
    room.tap_in(REGISTER, "Частично")
    room.bench.frame(2)
    assert GAP in room.screen.cards.paths
    card = room.screen.cards.card(REGISTER)
    assert abs(card.to_window(card.x, card.top)[1] - at) <= 1


def test_rows_are_added_copied_named_and_entered(room: Room) -> None:
    _open(room, "/mc")
    room.tap_in("/mc/cell", "Добавить")
    row = room.screen.evaluation("/mc/cell").rows("/mc/cell")[0]
    inside = f"/mc/cell[{row}]"
    room.bench.tap(room.within(room.card("/mc/cell"), "Камера, комната 1"))
    assert room.screen.theme == inside
    room.bench.tap(room.card(f"{inside}/cell_no").answer.field)
    room.type("12")
    room.tap_in(f"{inside}/cell_occ", "Больше на один")
    room.back()
    assert room.within(room.card("/mc/cell"), "Камера, комната 12 · Сегодня в ней человек: 1")
    room.tap_in("/mc/cell", "Копировать последнюю")
    rows = room.screen.evaluation("/mc/cell").rows("/mc/cell")
    answers = room.answers()
    assert len(rows) == 2
    assert answers[f"/mc/cell[{rows[1]}]/cell_occ"] == 1
    assert f"/mc/cell[{rows[1]}]/cell_no" not in answers


def test_undo_is_a_new_operation_with_the_earlier_value_step_by_step(room: Room) -> None:
    _open(room)
    for word in ("Да", "Нет", "Частично"):
        room.tap_in(RIGHTS, word)
    count = len(room.store.operations(room.record))
    for wanted in ("no", "yes", None):
        room.tap("Отменить")
        assert room.answers().get(RIGHTS) == wanted
    assert len(room.store.operations(room.record)) == count + 3


def test_undo_survives_a_new_screen_and_words(room: Room) -> None:
    _open(room)
    room.bench.tap(room.card("/sg/sg_text").answer.field)
    room.type("первое")
    room.tap_in(RIGHTS, "Да")
    _open(room, "/od")
    room.tap("Отменить")
    room.tap("Отменить")
    assert room.answers() == {}


def test_a_colleagues_answer_is_beside_and_a_choice_can_be_taken_back(room: Room) -> None:
    room.store.state(room.visit).ever_members.add(PAVEL)
    _open(room)
    room.tap_in(RIGHTS, "Да")
    theirs = Colleague(room.store, room.now).says(room.record, AnswerRecorded(item=RIGHTS, value="no"))[0]
    room.screen.refresh()
    room.tap_in(RIGHTS, "Различие · Павел: Нет")
    assert room.screen.sitting.differs(RIGHTS)
    choose = [w for w in room.all() if w.name == "Выбрать этот"]
    room.bench.tap(choose[1])
    assert room.store.state(room.record).effective(RIGHTS).entry.operation == theirs
    room.tap_in(RIGHTS, "Выбрано: Нет")
    room.tap("Отменить выбор")
    assert room.screen.sitting.differs(RIGHTS)
    room.tap_in(RIGHTS, "Различие · Павел: Нет")
    room.tap("Оставить оба")
    assert room.screen.sitting.differs(RIGHTS)


def test_the_filters_keep_what_they_showed_while_one_answers(room: Room) -> None:
    _open(room)
    room.tap("Осталось")
    paths = list(room.screen.cards.paths)
    assert RIGHTS in paths
    room.tap_in(RIGHTS, "Да")
    assert room.screen.cards.paths[: len(paths)] == paths or set(paths) <= set(room.screen.cards.paths)
    room.tap("Осталось")
    assert RIGHTS not in room.screen.cards.paths


def test_the_place_comes_back_after_a_kill_with_text_and_caret(room: Room) -> None:
    _open(room)
    room.bench.tap(room.card("/sg/sg_text").answer.field)
    room.type("нет воды")
    room.screen.field_of("/sg/sg_text").editor.cursor = (3, 0)
    room.type("х")
    place = room.store.place
    top = room.screen.cards.anchor()
    room.screen, room._history = None, []
    room._show(place)
    room.bench.frame(2)
    field = room.screen.field_of("/sg/sg_text")
    assert (field.text, field.editor is not None, field.caret) == ("нетх воды", True, 4)
    again = room.screen.cards.anchor()
    assert again[0] == top[0]
    assert abs(again[1] - top[1]) <= 2


def test_a_full_disk_leaves_the_words_on_the_screen(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    _open(room)
    room.bench.tap(room.card("/sg/sg_text").answer.field)
    room.type("а")

    def full(*_: object, **__: object) -> None:
        raise StorageFull("no room")

    with monkeypatch.context() as patch:
        patch.setattr(type(room.store), "draft", full)
        patch.setattr(type(room.store), "save", full)
        room.type("бв")
        room.stage.set_focus(None)
        assert room.screen.field_of("/sg/sg_text").text == "абв"
        assert "НЕ сохранено" in " ".join(w.name for w in room.all())
    room.screen.leave()
    assert room.answers()["/sg/sg_text"] == "абв"


def test_every_question_is_reached_by_keys_and_answered(room: Room) -> None:
    _open(room)
    room.screen.cards.build_all()
    wanted = room.within(room.screen.cards.card(RIGHTS), "Да")
    for _ in range(400):
        room.stage.move_focus(+1)
        if room.stage.focus is wanted:
            break
    assert room.stage.focus is wanted
    room.stage.key("enter")
    assert room.answers()[RIGHTS] == "yes"


def test_the_standard_opens_in_its_own_words(room: Room) -> None:
    _open(room)
    room.tap_in(RIGHTS, "Стандарт и пояснение")
    from field_app.widgets.semantic import walk

    words = " ".join(getattr(w, "text", "") for w in walk(room.stage) if isinstance(getattr(w, "text", ""), str))
    assert "NMR-54" in words


def test_after_hand_in_nothing_can_be_answered(room: Room) -> None:
    from field_app.acts import reports
    from tests.field_app.screens.ground import PIN

    reports.freeze(room.store, room.visit, room.now())
    reports.sign(room.store, room.visit, PIN, "agree", room.now())
    reports.submit(room.store, room.visit, room.now())
    _open(room)
    count = len(room.store.operations(room.record))
    room.tap_in(RIGHTS, "Да")
    room.tap("Отменить")
    assert len(room.store.operations(room.record)) == count
