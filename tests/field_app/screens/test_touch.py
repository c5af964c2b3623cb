"""A finger on the real window: what a tap does to the store, what comes back after a kill, what a lock hides."""

from __future__ import annotations

import time

import pytest

from field_app.acts.subjects import record_id
from field_app.screens.request import DRAFT, read_form
from field_app.store.store import Store
from field_app.widgets.semantic import ui_tree, walk
from shared.ledger.bundle import part, seal_bundle
from shared.ledger.crypto import new_id, new_signing_key
from shared.visits import VisitPlanned
from tests.field_app.screens.hall import NOW, register
from tests.field_app.screens.panes import Panes
from tests.field_app.tablets import PIN, KeystoreDouble


@pytest.fixture
def panes(bench, fresh):
    return Panes(bench, fresh.store.folder)


def until(bench, is_so, seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it never came"
        bench.frame()


def test_before_the_lock_opens_nothing_of_a_visit_is_said(panes, fresh):
    fresh.store.lock()
    panes.tablet.store = fresh.store
    panes.tablet.show_lock()
    said = panes.says() + str(ui_tree(panes.tablet.stage))
    for secret in ("учреждение", "Айгерим", "12-7K", "Жалобы", "жалобы"):
        assert secret not in said


def test_a_wrong_pin_says_how_many_tries_are_left_and_the_right_one_opens_today(bench, panes, fresh):
    fresh.store.lock()
    panes.tablet.store = fresh.store
    panes.tablet.show_lock()
    for digit in "11112222":
        panes.tap(digit)
    panes.tap("Войти")
    until(bench, lambda: "Осталось 9 попыток" in panes.says())
    assert fresh.store.is_locked
    for digit in PIN:
        panes.tap(digit)
    panes.tap("Войти")
    until(bench, lambda: panes.tablet.screen is not None)
    assert panes.tablet.screen.at.screen == "today"


def test_the_dots_say_how_many_signs_and_never_which(panes, fresh):
    fresh.store.lock()
    panes.tablet.store = fresh.store
    panes.tablet.show_lock()
    for digit in "490":
        panes.tap(digit)
    names = [each["name"] for each in ui_tree(panes.tablet.stage)]
    assert "Набрано 3 знака" in names
    assert not any("490" in name for name in names)


def test_no_conflict_is_declared_with_one_tap_and_a_conflict_with_two(panes, fresh):
    visit = fresh.keys["ready"]
    panes.open(fresh.store, "today")
    panes.tablet.screen.choose(visit)
    panes.tap("Да, есть")
    assert fresh.store.state(visit).conflicts == {}
    panes.tap("Не менять")
    panes.tap("Нет, ничего")
    assert fresh.store.state(visit).conflicts == {fresh.me: False}
    assert "Ждём заявлений" in panes.says()


def test_a_visit_is_started_at_the_gate_and_its_themes_stand_there(panes, fresh):
    visit = fresh.keys["ready"]
    panes.open(fresh.store, "today")
    panes.tablet.screen.choose(visit)
    panes.tap("Нет, ничего")
    fresh.sync()
    fresh.clear(visit)
    fresh.mandate(visit)
    fresh.sync()
    panes.tablet._news()
    panes.tap("Перейти к началу")
    assert fresh.store.state(visit).institution is None
    panes.tap("Начать посещение")
    state = fresh.store.state(visit)
    assert state.institution == register()[5].key
    assert state.started_at.startswith("2026-03-07T14:05:07")
    assert record_id(fresh.store, visit)
    assert "Медицинская помощь" in panes.says()


def test_counts_of_the_visit_equal_those_of_the_ledger(panes, fresh):
    panes.open(fresh.store, "visit", subject=fresh.keys["running"])
    facts = panes.tablet.screen.shown
    record = fresh.store.state(record_id(fresh.store, fresh.keys["running"]))
    answered = sum(bool(item.standing()) for item in record.answers.items.values())
    assert facts.answered + facts.non_answered == answered
    assert sum(theme.done for theme in facts.themes) == answered
    assert facts.notes == 1


def test_closing_asks_once_and_then_leads_to_the_report(panes, fresh):
    visit = fresh.keys["running"]
    panes.open(fresh.store, "visit", subject=visit)
    panes.tap("Закрыть посещение")
    assert not fresh.store.state(visit).closed_at
    sheet = panes.tablet.screen.frame.sheet
    panes.bench.tap(next(w for w in sheet._foot.kids if w.name == "Закрыть посещение"))
    assert fresh.store.state(visit).closed_at
    assert panes.named("Проверить и подписать")
    assert "Офис ещё не получил" not in panes.says(), "there is a network: it goes by itself"
    panes.tablet.worker.progress.trouble = "no_network"
    panes.tablet._news()
    assert f"Офис ещё не получил с этого планшета {fresh.store.unsent()}" in panes.says()
    panes.tap("Сохранить в файл")
    assert panes.tablet.screen.frame.sheet.name == "Для кого пакет?"


def test_a_request_is_a_draft_at_every_key_survives_a_kill_and_is_filed_once(bench, panes, fresh):
    panes.open(fresh.store, "request")
    panes.tap("Найти место")
    chosen = panes.tablet.screen.frame.sheet.body.list.entries[0]
    panes.tap(chosen.title, "row")
    panes.tap("Да, срочно")
    panes.tablet.screen._change(from_on="2026-03-20", to_on="2026-03-21")
    bench.tap(panes.tablet.screen._field)
    for letter in "Нет врача":
        panes.tablet.screen._field.editor.insert_text(letter)
    kept = read_form(fresh.store.drafts()[DRAFT].text)
    assert (kept.reason, kept.urgency, kept.institution) == ("Нет врача", "urgent", chosen.key)
    place = fresh.store.place
    assert (place.screen, place.caret) == ("request", 9)

    again = Panes(bench, fresh.store.folder)  # the process is gone; the store is what it was
    again.tablet.opened(fresh.store)
    assert again.tablet.screen.at.screen == "request"
    assert again.tablet.screen.form.reason == "Нет врача"
    assert again.tablet.screen._field.caret == 9
    before = len(fresh.store.subjects("visit_request"))
    again.tap("Подать запрос")
    assert len(fresh.store.subjects("visit_request")) == before + 1
    assert DRAFT not in fresh.store.drafts()
    assert "Подан" in again.says()


def test_an_incomplete_request_says_what_is_missing_and_files_nothing(panes, fresh):
    before = len(fresh.store.subjects("visit_request"))
    panes.open(fresh.store, "request")
    panes.tap("Подать запрос")
    said = panes.says()
    assert "Выберите учреждение." in said
    assert "Напишите причину." in said
    assert len(fresh.store.subjects("visit_request")) == before


def test_an_unplanned_visit_takes_a_place_and_a_basis_and_is_flagged(bench, panes, fresh):
    panes.open(fresh.store, "today")
    panes.tap("Внеплановое посещение")
    results = panes.tablet.screen.frame.sheet.body
    results.search("karagandy")
    first = results.list.entries[0]
    bench.frame()
    panes.tap(first.title, "row")
    panes.tap("Жалоба")
    visit = panes.tablet.screen.at.subject
    state = fresh.store.state(visit)
    assert state.visit_kind == "unplanned"
    planned = next(each for each in fresh.store.operations(visit) if isinstance(each.body, VisitPlanned))
    words = fresh.store.words(visit, state.plan)
    assert planned.author == fresh.me
    assert (words["institution"], words["reason"]) == (first.key, "Жалоба")
    assert "помечено для офиса" in panes.says()


def test_a_place_is_found_in_any_spelling(panes, fresh):
    panes.open(fresh.store, "today")
    panes.tap("Найти место")
    results = panes.tablet.screen.frame.sheet.body
    for query in ("к", "ка", "караг", "караганды", "qaraghandy", "Қарағанды"):
        results.search(query)
        assert results.list.entries, query
    assert "Караганд" in results.list.entries[0].title


def test_the_exchange_shows_what_is_not_received_and_the_last_receipt(panes, fresh):
    panes.tablet.worker.progress.trouble = "no_network"
    panes.open(fresh.store, "sync")
    facts, said = panes.tablet.screen.shown, panes.says()
    assert facts.unsent == fresh.store.unsent() == 1
    assert "1 заметка" in said
    assert facts.receipt[0] in said
    assert "Офис недоступен" in said
    panes.tap("Отправить сейчас")
    assert panes.tablet.worker.wakes >= 1
    _close_is_asked_once(panes, fresh)
    panes.tablet.worker.progress.trouble = ""
    fresh.sync()
    panes.tablet._news()
    assert panes.tablet.screen.shown.unsent == 0
    assert "1 заметка" not in panes.says()


def _close_is_asked_once(panes, fresh):
    """Closing with something undelivered says so and offers a file; the second close closes, whatever was touched."""
    tablet = panes.tablet
    assert tablet.close_asked()
    assert "Офис ещё не получил 1 запись" in panes.says()
    assert not tablet.close_asked()
    panes.tap("Остаться")
    assert tablet.screen.frame.sheet is None
    assert tablet.close_asked()
    panes.bench.tap(next(w for w in tablet.screen.frame.sheet._foot.kids if w.name == "Сохранить в файл"))
    assert tablet.screen.frame.sheet.name == "Для кого пакет?"
    panes.tap("Для офиса")
    folder = fresh.store.folder / "bundles"
    until(panes.bench, lambda: len(list(folder.glob("*.qorgan"))) == 1 and "Пакет сохранён" in panes.says())
    assert not tablet.close_asked(), "whoever took a file along is not asked again"
    panes.tap("Закрыть")
    panes.tap("Прочитать файл")
    assert "пакетов нет" in panes.says(), "what this tablet wrote is for others"
    panes.tap("Закрыть")
    office = fresh.office
    key = bytes.fromhex(fresh.store.identity.review_key)
    for name, sender in (("office", office.device), ("stranger", new_id(9))):
        data = seal_bundle([part("frames", b"")], sender, new_signing_key(), key, [key], "2026-03-07T18:00:00+05:00")
        (folder / f"{name}.qorgan").write_bytes(data)
    (folder / "noise.qorgan").write_bytes(b"a picture, perhaps")
    panes.tap("Прочитать файл")
    named = [w.name for w in walk(tablet.screen.frame.sheet) if ".qorgan" in getattr(w, "name", "")]
    assert sorted(named) == sorted([
        "Из офиса, 07.03.2026 18:00 office.qorgan · 1 КБ", "stranger.qorgan 1 КБ",
        "noise.qorgan 1 КБ",
    ])  # fmt: skip
    panes.tap("noise.qorgan")
    until(panes.bench, lambda: "Это не пакет" in panes.says())
    panes.tap("Закрыть")


def test_cover_shows_public_text_in_the_next_frame_and_locks_behind_it(bench, panes, fresh):
    panes.open(fresh.store, "visit", subject=fresh.keys["running"])
    panes.tap("Скрыть")
    bench.frame()
    said = panes.says()
    bench.frame()
    assert fresh.store.is_locked
    assert "протокол" in said.lower()
    assert "Медицинская" not in said
    assert panes.tablet.screen is None


def test_after_a_lock_the_pin_brings_back_the_very_place(bench, fresh):
    panes = Panes(bench, fresh.store.folder, (1024, 600))
    panes.open(fresh.store, "visit", subject=fresh.keys["running"])
    panes.tablet.screen.pane.scroll_to(40)
    panes.tablet.lock()
    assert fresh.store.is_locked
    fresh.store.unlock(PIN, NOW)
    panes.tablet.opened(fresh.store)
    at = panes.tablet.screen.at
    assert (at.screen, at.subject, at.scroll) == ("visit", fresh.keys["running"], 40)


def test_half_a_minute_without_a_touch_blanks_and_two_minutes_lock(panes, fresh):
    panes.open(fresh.store, "today")
    panes.tablet.idle.touched_at = time.monotonic() - 31
    panes.tablet._tick()
    assert "Мои посещения" not in panes.says()
    assert not fresh.store.is_locked
    panes.tablet._wake()
    assert "Мои посещения" in panes.says()
    panes.tablet.idle.touched_at = time.monotonic() - 121
    panes.tablet._tick()
    assert fresh.store.is_locked


def test_language_text_size_and_theme_change_in_place_and_are_kept(panes, fresh):
    panes.open(fresh.store, "settings")
    panes.tap("ҚАЗ")
    assert "Баптаулар" in panes.says()
    panes.tap("200")
    panes.tap("Қараңғы")
    from field_app import choices

    kept = choices.load(fresh.store.folder)
    assert (kept.language, kept.scale, kept.theme) == ("kk", 200, "dark")
    assert panes.tablet.screen.at.screen == "settings"


def test_back_returns_to_where_one_came_from_and_after_a_restart_to_what_lies_above(panes, fresh):
    panes.open(fresh.store, "visit", subject=fresh.keys["running"])
    panes.tablet.go("sync")
    panes.tablet.back()
    assert panes.tablet.screen.at.screen == "visit"
    panes.tablet._history.clear()
    panes.tablet.back()
    assert panes.tablet.screen.at.screen == "today"
    panes.tablet.back()
    assert panes.tablet.screen.at.screen == "today"


def test_a_full_disk_turns_the_bar_red_and_a_later_save_turns_it_back(panes, fresh):
    from field_app.store.errors import StorageFull

    panes.open(fresh.store, "request")

    def full(*_, **__):
        raise StorageFull("no room")

    draft = fresh.store.draft
    fresh.store.draft = full
    panes.tap("Да, срочно")
    assert "НЕ сохранено" in panes.tablet.screen.frame.top_bar._failure
    assert panes.tablet.screen.form.urgency == ""
    fresh.store.draft = draft
    panes.tap("Да, срочно")
    assert panes.tablet.screen.frame.top_bar._failure == ""
    assert panes.tablet.screen.form.urgency == "urgent"


def test_the_next_process_opens_the_same_place(bench, fresh):
    panes = Panes(bench, fresh.store.folder)
    panes.open(fresh.store, "visit", subject=fresh.keys["running"])
    panes.tap("Заметка")
    for letter in "нет света":
        panes.tablet.stage.focus.editor.insert_text(letter)
    fresh.store.close()
    store = Store.open(fresh.store.folder, PIN, KeystoreDouble(), NOW)
    try:
        again = Panes(bench, store.folder)
        again.tablet.opened(store)
        assert again.tablet.screen.at.subject == fresh.keys["running"]
        assert again.tablet.screen.frame.sheet.name == "Быстрая заметка"
        field = again.tablet.stage.focus
        assert (field.text, field.caret) == ("нет света", 9), "a note half written stands open again"
        again.tap("Готово")
        assert not store.drafts()
    finally:
        store.close()
