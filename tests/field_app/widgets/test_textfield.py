"""A text field: every key is told, words can be taken back, nothing typed is lost when the focus goes."""

from __future__ import annotations

import pytest

from tests.field_app.widgets.bench import Bench


def _field(bench: Bench, **more: object):
    from field_app.widgets.layout import Col
    from field_app.widgets.textfield import TextField

    told: list[tuple[object, ...]] = []
    field = TextField(
        "Не хватает",
        "",
        multiline=True,
        lines=3,
        on_draft=lambda text, caret: told.append(("draft", text, caret)),
        on_step=lambda text, caret: told.append(("step", text, caret)),
        on_leave=lambda text: told.append(("leave", text)),
        **more,
    )
    stage = bench.show(lambda: Col(field, pad=24), (800, 600))
    return stage, field, told


def _type(field, text: str) -> None:
    for letter in text:
        field.editor.insert_text(letter)


@pytest.mark.parametrize("words", ["төсек пен жарық жоқ", "Съёмка: шкаф, №4 — «да»"])
def test_every_key_is_told_with_the_caret(bench: Bench, words: str) -> None:
    _, field, told = _field(bench)
    bench.tap(field)
    _type(field, words)
    drafts = [entry for entry in told if entry[0] == "draft"]
    assert drafts == [("draft", words[: n + 1], n + 1) for n in range(len(words))]
    assert ("step", words.split(" ")[0].rstrip(",:"), len(words.split(" ")[0].rstrip(",:"))) in told


def test_words_are_taken_back_one_by_one(bench: Bench) -> None:
    _, field, told = _field(bench)
    bench.tap(field)
    _type(field, "екі адам айтты")
    assert field.go_back()
    assert field.text == "екі адам"
    assert field.go_back()
    assert field.text == "екі"
    assert field.go_on()
    assert field.text == "екі адам"
    assert told[-1] == ("draft", "екі адам", 8)
    assert field.editor.text == "екі адам"


def test_the_text_stays_and_is_told_when_the_focus_goes(bench: Bench) -> None:
    stage, field, told = _field(bench)
    bench.key(9)
    assert stage.focus is field
    assert field.editor is not None
    _type(field, "сөз")
    stage.set_focus(None)
    assert field.editor is None
    assert field.text == "сөз"
    assert told[-1] == ("leave", "сөз")
    bench.tap(field)
    assert field.editor.text == "сөз"


def test_a_drag_that_starts_on_a_field_scrolls_and_opens_no_keyboard(bench: Bench) -> None:
    from field_app.widgets.layout import Col, Gap
    from field_app.widgets.scroll import Scroll
    from field_app.widgets.textfield import TextField

    field = TextField("Не хватает", multiline=True, lines=4)
    pane = Scroll(Col(field, Gap(1500), pad=24), fill=1)
    bench.show(lambda: Col(pane), (800, 600))
    finger = bench.down(400, 500)
    for way in range(0, 100, 20):
        bench.move(finger, 400, 500 + way)
    bench.up(finger)
    assert pane.offset > 0
    assert field.editor is None


def test_a_long_text_makes_the_field_grow_and_clips_nothing(bench: Bench) -> None:
    _, field, _ = _field(bench)
    high = field.height
    bench.tap(field)
    _type(field, "ұзақ сөз " * 60)
    assert field.height > high
    assert field.editor.minimum_height <= field.editor.height + 1


def test_forgetting_leaves_no_typed_word_in_kivys_caches(bench: Bench) -> None:
    from kivy.cache import Cache

    from field_app.widgets import text

    _, field, _ = _field(bench)
    bench.tap(field)
    _type(field, "құпия")
    bench.frame(2)
    bench.stage.set_focus(None)
    text.forget()
    kept = [str(key) for name in ("textinput.label", "textinput.width") for key in Cache._objects.get(name, {})]
    assert not [key for key in kept if "құпи" in key]
