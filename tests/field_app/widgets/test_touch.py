"""Fingers and keys: press, cancel, scroll, guard, focus."""

from __future__ import annotations

import time

from field_app.widgets import control
from field_app.widgets.theme import Choice, look
from tests.field_app.widgets.bench import Bench


def _pane(bench: Bench, count: int = 20):
    from field_app.widgets.button import Button
    from field_app.widgets.layout import Col
    from field_app.widgets.scroll import Scroll

    acts: list[int] = []
    buttons = [Button(f"Есік {n}", act=lambda n=n: acts.append(n)) for n in range(count)]
    pane = Scroll(Col(*buttons, gap=8, pad=8), fill=1)
    stage = bench.show(lambda: Col(pane), (800, 600))
    return stage, pane, buttons, acts


def test_a_tap_acts_on_release_inside(bench: Bench) -> None:
    _, _, buttons, acts = _pane(bench)
    finger = bench.down(*buttons[2].to_window(*buttons[2].center))
    assert buttons[2].pressed
    assert acts == []
    bench.up(finger)
    assert acts == [2]
    assert not buttons[2].pressed


def test_a_finger_that_slides_off_sideways_cancels(bench: Bench) -> None:
    _, _, buttons, acts = _pane(bench)
    x, y = buttons[2].to_window(*buttons[2].center)
    finger = bench.down(x, y)
    bench.move(finger, x + 500, y)
    assert not buttons[2].pressed
    bench.move(finger, x, y)
    bench.up(finger)
    assert acts == []


def test_a_resting_finger_that_then_drags_scrolls_and_answers_nothing(bench: Bench) -> None:
    _, pane, buttons, acts = _pane(bench)
    x, y = buttons[3].to_window(*buttons[3].center)
    finger = bench.down(x, y)
    time.sleep(0.35)
    for way in range(0, 200, 20):
        bench.move(finger, x, y + way)
    bench.up(finger)
    assert acts == []
    assert not buttons[3].pressed
    assert pane.offset > 100


def test_a_small_tremble_still_taps(bench: Bench) -> None:
    _, pane, buttons, acts = _pane(bench)
    x, y = buttons[1].to_window(*buttons[1].center)
    finger = bench.down(x, y)
    bench.move(finger, x + 3, y + 8)
    bench.up(finger)
    assert acts == [1]
    assert pane.offset == 0


def test_a_thrown_pane_moves_on_and_a_touch_stops_it_without_acting(bench: Bench) -> None:
    _, pane, _, acts = _pane(bench, 60)
    finger = bench.down(400, 100)
    for way in range(0, 300, 30):
        bench.move(finger, 400, 100 + way)
        time.sleep(0.004)
    bench.up(finger)
    at = pane.offset
    assert pane.speed > 500
    bench.frame(3)
    assert pane.offset > at
    bench.up(bench.down(400, 300))
    assert pane.speed == 0
    assert acts == []
    at = pane.offset
    bench.frame(3)
    assert pane.offset == at


def test_a_finger_that_rests_before_lifting_throws_nothing(bench: Bench) -> None:
    _, pane, _, _ = _pane(bench, 60)
    finger = bench.down(400, 100)
    for way in range(0, 300, 30):
        bench.move(finger, 400, 100 + way)
    time.sleep(0.12)
    bench.up(finger)
    assert pane.speed == 0


def test_a_scrolled_button_is_hit_where_it_is_seen(bench: Bench) -> None:
    _, pane, buttons, acts = _pane(bench)
    pane.scroll_to(500)
    bench.tap(buttons[10])
    assert acts == [10]
    _, y = buttons[10].to_window(*buttons[10].center)
    assert 0 < y < 600


def test_the_second_of_two_fast_taps_is_not_counted(bench: Bench) -> None:
    _, _, buttons, acts = _pane(bench)
    spot = buttons[0].to_window(*buttons[0].center)
    bench.up(bench.down(*spot))
    bench.up(bench.down(*spot))
    assert acts == [0]
    guard = control.TapGuard()
    assert guard.passes(10.0, (100, 100))
    assert not guard.passes(10.2, (130, 100))
    assert guard.passes(10.3, (300, 100))
    assert guard.passes(10.6, (300, 100))


def test_a_key_of_a_keypad_may_be_tapped_fast(bench: Bench) -> None:
    from field_app.widgets.button import Button

    acts: list[int] = []
    key = Button("1", act=lambda: acts.append(1), repeats=True)
    bench.show(lambda: key, (200, 100))
    for _ in range(3):
        bench.up(bench.down(100, 50))
    assert acts == [1, 1, 1]


def test_a_disabled_button_takes_the_touch_and_does_nothing(bench: Bench) -> None:
    from field_app.widgets.button import Button

    acts: list[int] = []
    bench.show(lambda: Button("1", act=lambda: acts.append(1), disabled_now=True), (200, 100))
    bench.up(bench.down(100, 50))
    assert acts == []


def test_every_step_by_keyboard(bench: Bench) -> None:
    stage, pane, buttons, acts = _pane(bench)
    bench.key(9)
    assert stage.focus is buttons[0]
    assert buttons[0].focused
    for _ in range(15):
        bench.key(9)
    assert stage.focus is buttons[15]
    assert pane.offset > 0
    bench.key(13)
    bench.key(9, "shift")
    bench.key(32)
    assert acts == [15, 14]
    bench.key(9)
    bench.key(27)
    assert bench.backs >= 1
    before = pane.offset
    bench.key(280)
    assert pane.offset < before
    covered = bench.covered
    bench.key(107, "ctrl")
    assert bench.covered == covered + 1


def test_the_focus_ring_is_drawn_and_goes_with_a_touch(bench: Bench) -> None:
    stage, _, buttons, _ = _pane(bench)
    bench.key(9)
    left, bottom = buttons[0].to_window(buttons[0].x, buttons[0].y)
    spot = (round(left - 2), 600 - round(bottom + 30))
    outer = (round(left - 5), 600 - round(bottom + 30))
    picture = bench.pixels()
    assert picture.getpixel(spot) == (0x14, 0x20, 0x2B)
    assert picture.getpixel(outer) == (0xFF, 0xD5, 0x4A)
    bench.up(bench.down(400, 300))
    assert stage.focus is None
    assert bench.pixels().getpixel(outer) != (0xFF, 0xD5, 0x4A)


def test_cover_acts_when_touched_and_hides_every_word(bench: Bench) -> None:
    from tests.field_app.widgets.scenes import SCENES

    frame = SCENES["checklist"]("ru")
    covers: list[int] = []
    frame.rail.cover.act = lambda: covers.append(1)
    bench.show(lambda: frame)
    finger = bench.down(*frame.rail.cover.to_window(*frame.rail.cover.center))
    assert covers == [1]
    bench.up(finger)
    stage = bench.stage
    stage.lay_over(SCENES["cover"]("ru"))
    from field_app.widgets.semantic import ui_tree

    assert {entry["role"] for entry in ui_tree(stage)} == {"page"}
    stage.lift()
    assert len(ui_tree(stage)) > 20


def test_note_and_cover_stay_in_place_and_work_above_a_sheet(bench: Bench) -> None:
    from tests.field_app.widgets.scenes import SCENES, with_sheet

    plain = SCENES["checklist"]("kk")
    bench.show(lambda: plain)
    places = [(b.pos[:], b.size[:]) for b in (plain.rail.note, plain.rail.cover)]
    frame = with_sheet("kk")
    notes: list[int] = []
    frame.rail.note.act = lambda: notes.append(1)
    bench.show(lambda: frame)
    assert [(b.pos[:], b.size[:]) for b in (frame.rail.note, frame.rail.cover)] == places
    bench.tap(frame.rail.note)
    assert notes == [1]


def test_a_sheet_keeps_touches_and_focus_to_itself(bench: Bench) -> None:
    from field_app.widgets.semantic import focus_order
    from tests.field_app.widgets.scenes import checklist, with_sheet

    frame = with_sheet("ru")
    stage = bench.show(lambda: frame)
    names = {control.name for control in focus_order(stage)}
    assert "Готово" in names
    assert "Заметка" in names
    assert "Частично" not in names
    before = frame.detail.offset
    finger = bench.down(500, 200)
    bench.move(finger, 500, 400)
    bench.up(finger)
    assert frame.detail.offset == before
    frame.close()
    assert "Частично" in {control.name for control in focus_order(stage)}
    assert checklist is not None


def test_a_change_of_text_size_lays_out_anew_without_new_widgets(bench: Bench) -> None:
    from tests.field_app.widgets.scenes import SCENES

    frame = SCENES["checklist"]("kk")
    bench.show(lambda: frame)
    card = frame.detail.body.kids[0]
    high = card.height
    look.change(Choice(scale=200, grip="left"))
    assert frame.detail.body.kids[0] is card
    assert card.height > high
    assert frame.rail.x == 0
    look.change(Choice())
    assert card.height == high
