"""Lists of thousands of rows: right row under the finger, few widgets, arrows."""

from __future__ import annotations

from tests.field_app.widgets.bench import Bench


def _list(bench: Bench, count: int = 3500):
    from field_app.widgets.layout import Col
    from field_app.widgets.list import Entry, RowList

    chosen: list[str] = []
    entries = [Entry(str(n), f"Мекеме № {n}", sub="Қарағанды", icon="building", trail=str(n)) for n in range(count)]
    rows = RowList(entries, chosen.append, fill=1)
    stage = bench.show(lambda: Col(rows), (800, 800))
    return stage, rows, chosen, entries


def test_the_row_under_the_finger_is_the_row_shown(bench: Bench) -> None:
    _, rows, chosen, _ = _list(bench)
    for offset in (0, 100, 5000, 123_456, rows.range):
        rows.scroll_to(offset)
        finger = bench.down(400, 400)
        bench.up(finger)
        expected = int((rows.offset + 400) // rows.row_height)
        assert chosen.pop() == str(expected)
        from field_app.widgets import control

        control.guard = control.TapGuard()
    assert len(rows.body.kids) <= 13


def test_every_row_in_view_shows_its_own_entry(bench: Bench) -> None:
    _, rows, _, entries = _list(bench)
    for offset in (0, 37, 71, 72, 10_000, 9_950, rows.range, 0):
        rows.scroll_to(offset)
        shown = {row.index: row.entry for row in rows.body.kids}
        first, last = int(rows.offset // 72), int((rows.offset + 799) // 72)
        for index in range(first, last + 1):
            assert shown[index] is entries[index]


def test_arrows_walk_the_list_and_tab_leaves_it(bench: Bench) -> None:
    stage, rows, chosen, _ = _list(bench)
    bench.key(9)
    for _ in range(20):
        bench.key(274)
    assert stage.focus.entry.key == "20"
    assert rows.offset > 0
    assert stage.focus.focused
    bench.key(13)
    assert chosen == ["20"]
    for _ in range(25):
        bench.key(273)
    assert stage.focus.entry.key == "0"
    assert rows.offset == 0


def test_other_entries_start_at_the_top_or_keep_the_place(bench: Bench) -> None:
    _, rows, _, entries = _list(bench)
    rows.scroll_to(7200)
    rows.show_entries(entries[:2000], keep_place=True)
    assert rows.offset == 7200
    rows.show_entries(entries[:3])
    assert rows.offset == 0
    assert [row.entry.key for row in rows.body.kids] == ["0", "1", "2"]
    rows.show_entries([])
    assert rows.body.kids == []
    assert rows.range == 0


def test_a_very_long_name_is_not_cut(bench: Bench) -> None:
    from field_app.widgets.layout import Col
    from field_app.widgets.list import Entry, RowList

    name = "Психикалық денсаулық орталығының мәжбүрлеп емдеу жөніндегі мамандандырылған бөлімшесі, Қарағанды облысы"
    rows = RowList([Entry("1", name, sub="Қарағанды облысы", icon="building")], row=96, fill=1)
    bench.show(lambda: Col(rows), (420, 800))
    title, sub = (rows.body.kids[0]._drawn[part][1].size[1] for part in ("title", "sub"))
    assert title + sub <= rows.row_height
