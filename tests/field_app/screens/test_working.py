"""T5, T6, T7, T9, T10 and photos by touch on a real store."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from field_app.acts import interviews, records
from field_app.screens.finding_hint import identifying
from field_app.widgets.semantic import walk
from shared.observations.answers import AnswerRecorded
from shared.reports import QuestionAsked, Report
from tests.field_app.screens.ground import PAVEL, PIN, Colleague, Room

RIGHTS = "/sg/sg_rights"


def _shown(room: Room) -> str:
    return " ".join(w.text for w in walk(room.stage) if isinstance(getattr(w, "text", None), str))


# ── notes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _notes(room: Room) -> list[tuple[str, str]]:
    state = room.store.state(room.record)
    return [((room.store.words(room.record, n.current.words) or {})["text"], n.current.of)
            for n in state.notes.values() if not n.withdrawn]  # fmt: skip


def test_a_note_is_two_taps_and_any_way_out_keeps_it(room: Room) -> None:
    room.go("checklist", subject=room.visit, theme="/sg")
    room.tap("Заметка")
    assert room.stage.focus.editor is not None, "the caret is at work at once"
    room.type("нет света")
    assert "нет света" in [draft.text for draft in room.store.drafts().values()]
    room.go("visit", subject=room.visit)
    assert [text for text, _ in _notes(room)] == ["нет света"]


def test_an_empty_note_is_nothing_and_one_from_a_question_is_linked(room: Room) -> None:
    room.go("checklist", subject=room.visit, theme="/sg")
    room.tap("Заметка")
    room.back()
    assert _notes(room) == []
    room.tap_in(RIGHTS, "Заметка")
    room.type("спросили троих")
    room.back()
    assert _notes(room) == [("спросили троих", RIGHTS)]
    assert room.within(room.card(RIGHTS), "Заметка 1")


def test_a_preset_word_is_a_note_in_two_taps(room: Room) -> None:
    room.go("visit", subject=room.visit)
    room.tap("Заметка")
    room.tap("холод")
    room.back()
    assert [text for text, _ in _notes(room)] == ["холод"]


def test_without_a_visit_a_note_is_loose_and_with_one_it_waits_to_be_sorted(room: Room) -> None:
    room.go("today")
    room.tap("Заметка")
    room.type("позвонить")
    room.back()
    assert len(room.store.state(room.store.subjects("notebook")[0]).notes) == 1
    records.note(room.store, room.record, "сыро", room.now())
    room.go("notes", subject=room.visit)
    assert "Разобрать: 1" in _shown(room)
    room.tap("Связать с вопросом")
    room.type_into("Найти", "разъяснили права")
    room.bench.frame()
    row = next(w for w in room.all() if w.role == "row" and "права" in w.name)
    room.bench.tap(row)
    assert _notes(room) == [("сыро", RIGHTS)]


# ── interviews ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_consent_comes_first_and_opens_the_questions(room: Room) -> None:
    room.go("interviews", subject=room.visit)
    room.tap("Новая беседа")
    assert room.screen.visible() == ["!consent"]
    room.tap("Согласен")
    talk = room.screen.talk
    assert room.store.state(talk).number == "A-01"
    room.tap_in("/intro/int_private", "Да")
    answers, _, _ = interviews.said(room.store, talk)
    assert answers["/intro/int_private"]["value"] == "yes"
    open_ = [each.body for each in room.store.operations(talk) if each.kind == "interview_answered"]
    assert open_
    assert all("int_private" not in str(body) for body in open_), "even the question is sealed"


def test_no_record_leaves_coded_answers_only_and_no_field_takes_a_name(room: Room) -> None:
    room.go("interviews", subject=room.visit)
    room.tap("Новая беседа")
    room.tap("Согласен, без записи")
    screen = room.screen
    kinds = {screen.view(path).kind for path in screen.visible() if not path.startswith("!")
             and type(screen.evaluation(path).entry(path).item).__name__ == "Question"}  # fmt: skip
    assert "text" not in kinds
    assert "masked" not in kinds
    room.tap("Заметка")
    assert "не разрешил" in _shown(room)


def test_words_are_dots_until_asked_for(room: Room) -> None:
    room.go("interviews", subject=room.visit)
    room.tap("Новая беседа")
    room.tap("Согласен")
    talk = room.screen.talk
    for path, value in (("/talk/fear", "high"), ("/talk/fear_signal", "позвонят брату")):
        interviews.answer(room.store, talk, path, value, room.now())
    room.go("interview", subject=room.visit, talk=talk)
    card = room.card("/talk/fear_signal")
    assert "позвонят" not in _shown(room)
    room.bench.tap(room.within(card, "Показать"))
    assert room.screen.field_of("/talk/fear_signal").text == "позвонят брату"


def test_consent_withdrawn_hides_everything(room: Room) -> None:
    room.go("interviews", subject=room.visit)
    room.tap("Новая беседа")
    room.tap("Согласен")
    talk = room.screen.talk
    room.tap_in("/intro/int_private", "Да")
    room.tap("Отозвать согласие")
    room.bench.frame()
    room.tap("Отозвать")
    assert room.store.state(talk).withdrawn_at
    assert interviews.said(room.store, talk) == ({}, {}, [])
    assert room.screen.visible() == ["!consent"]


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _finding(room: Room):
    return next(iter(room.store.state(room.record).findings.values()))


def test_a_finding_from_a_question_has_its_evidence_and_says_what_was_seen(room: Room) -> None:
    room.go("checklist", subject=room.visit, theme="/sg")
    room.tap_in(RIGHTS, "Нет")
    room.tap_in(RIGHTS, "Факт")
    room.bench.tap(room.screen.fields["saw"])
    room.type("Памяток нет ни в одной камере")
    room.tap("Серьёзные недостатки")
    found = _finding(room)
    words = room.store.words(room.record, found.current.words)
    assert found.current.body.evidence == (RIGHTS,)
    assert (found.current.body.severity, words["saw"]) == ("high", "Памяток нет ни в одной камере")
    room.tap("Найти из")
    room.type_into("Найти", "NMR-54")
    room.bench.frame()
    room.bench.tap(next(w for w in room.all() if w.role == "row"))
    assert _finding(room).current.body.standards == ("NMR-54",)
    room.tap("Срочно")
    assert _finding(room).current.body.urgent


def test_a_finding_left_without_a_word_is_none(room: Room) -> None:
    room.go("finding", subject=room.visit)
    room.go("findings", subject=room.visit)
    assert not room.store.state(room.record).findings


def test_who_told_and_what_to_do_are_kept(room: Room) -> None:
    room.go("finding", subject=room.visit)
    room.bench.tap(room.screen.fields["told"])
    room.type("спят по очереди")
    room.screen.pane.show(room.named("медик"))
    room.tap("медик")
    room.stage.set_focus(room.screen.fields["rec_text"])
    room.type("Поставить кровати")
    room.go("findings", subject=room.visit)
    words = room.store.words(room.record, _finding(room).current.words)
    assert words["told"] == "спят по очереди"
    assert words["told_by"] == "медик"
    assert words["recommendation"]["text"] == "Поставить кровати"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("В камере 12 два человека без матрасов", ("камере 12", "два человека")),
        ("В камере 12 девять человек", ()),
        ("Иванов И. жаловался", ("Иванов И.",)),
        ("Сказал С. Ахметов", ("С. Ахметов",)),
        ("Правила Нельсона Манделы, 21", ()),
        ("1-бөлме суық, екі адам", ("1-бөлме", "екі адам")),
        ("ИИН 900101300123", ("900101300123",)),
        ("", ()),
    ],
)
def test_the_hint_names_the_words_that_tell_who(text: str, found: tuple[str, ...]) -> None:
    assert identifying([text]) == found


# ── differences, photos ─────────────────────────────────────────────────────────────────────────────────────────────


def test_differences_stand_side_by_side_and_one_can_be_chosen(room: Room) -> None:
    room.store.state(room.visit).ever_members.add(PAVEL)
    records.answer(room.store, room.record, RIGHTS, "yes", room.now())
    Colleague(room.store, room.now).says(room.record, AnswerRecorded(item=RIGHTS, value="no"))
    room.go("differences", subject=room.visit)
    assert "Павел" in _shown(room)
    room.tap("Сравнить")
    room.bench.tap(next(w for w in room.all() if w.name == "Выбрать этот"))
    assert room.store.state(room.record).effective(RIGHTS).entry.value == "yes"
    assert "Выбранные" in _shown(room)


def test_a_photo_is_taken_named_and_judged(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = io.BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(data, "JPEG")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.jpg").write_bytes(data.getvalue())
    monkeypatch.setenv("QORGAN_TABLET_PICTURES", str(tmp_path / "pictures"))
    room.go("photos", subject=room.visit)
    room.tap("Новый снимок")
    room.type_into("Подпись к снимку", "пустая полка")
    room.tap("Снять")
    photo = next(iter(room.store.state(room.record).photos))
    room.tap("пустая полка")
    room.screen.pane.scroll_to(10_000)
    room.tap("Нет, никого")
    assert room.store.state(room.record).photos[photo].cleared is True


# ── report ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sign(room: Room, pin: str) -> None:
    for digit in pin:
        room.tap(digit)
    room.tap("Подписать")


def test_gaps_lead_to_their_question(room: Room) -> None:
    room.go("report", subject=room.visit)
    room.tap("Без ответа")
    room.bench.frame()
    room.bench.tap(next(w for w in room.all() if w.role == "row"))
    assert room.screen.at.screen == "checklist"
    assert room.screen.at.item


def test_a_report_is_frozen_signed_with_dissent_and_handed_in(room: Room) -> None:
    room.go("report", subject=room.visit, step="findings")
    room.bench.tap(room.screen.fields["summary"])
    room.type("Условия плохие.")
    room.tap("3.")
    room.tap("Закрепить отчёт")
    room.tap("Особое мнение")
    room.type("Площадь измерена неверно.")
    room.tap("К PIN-коду")
    _sign(room, "00000000")
    assert "PIN" in _shown(room)
    assert room.screen.frame.sheet is not None
    _sign(room, PIN)
    report: Report = room.store.state(room.store.children(room.visit, "report")[0])
    sign = next(iter(report.current.signatures.values()))
    assert (sign.stand, sign.text) == ("dissent", "Площадь измерена неверно.")
    assert report.current.document["texts"][0]["text"] == "Условия плохие."
    room.tap("4.")
    room.tap("Сдать отчёт")
    room.bench.frame()
    room.bench.tap([w for w in room.all() if w.name == "Сдать отчёт"][-1])
    assert room.store.state(report.id).stage == "submitted"


def test_what_is_missing_is_named_instead_of_signed(room: Room) -> None:
    from field_app.acts import reports

    reports.freeze(room.store, room.visit, room.now())
    held = room.store._o.book.at(room.record)
    records.answer(room.store, room.record, RIGHTS, "yes", room.now())
    reports.freeze(room.store, room.visit, room.now())
    lost = held.operations.pop()
    room.go("report", subject=room.visit, step="sign")
    assert "нет всех записей" in _shown(room)
    assert room.named("Согласен").disabled_now
    held.operations.append(lost)


def test_a_question_of_the_office_is_answered(room: Room) -> None:
    from field_app.acts import reports

    report = reports.freeze(room.store, room.visit, room.now())
    reports.sign(room.store, room.visit, PIN, "agree", room.now())
    reports.submit(room.store, room.visit, room.now())
    office = Colleague(room.store, room.now, person=PAVEL, number=603)
    asked = office.says(report, QuestionAsked(finding="", text="Когда измеряли?"))[0]
    room.go("question", subject=room.visit)
    assert "Когда измеряли?" in _shown(room)
    room.bench.tap(room.screen.fields[asked])
    room.type("7 марта в 11:00")
    room.tap("Ответить")
    assert room.store.state(report).questions[asked].answer == "7 марта в 11:00"
