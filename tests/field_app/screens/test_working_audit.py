"""The working screens in three languages, three text sizes and three windows: whole, named, reached by the keyboard."""

from __future__ import annotations

import pytest

from field_app.acts import interviews, records, reports
from field_app.screens.checklist_sheets import offer_reason
from shared.observations.answers import AnswerRecorded
from shared.texts import LANGUAGES
from tests.examples import corners
from tests.field_app.screens.ground import PAVEL, PIN, Colleague, Room, a_store, a_visit
from tests.field_app.widgets.audit import audit

SIZES = ((1280, 800), (800, 1280), (1024, 600))
SCALES = (100, 150, 200)
RIGHTS = "/sg/sg_rights"


@pytest.fixture(scope="module")
def at_work(tmp_path_factory):
    """A visit with something of everything."""
    store, now = a_store(tmp_path_factory.mktemp("work") / "tablet")
    visit, record = a_visit(store, now)
    store.state(visit).ever_members.add(PAVEL)
    records.answer(store, record, RIGHTS, "yes", now())
    Colleague(store, now).says(record, AnswerRecorded(item=RIGHTS, value="no"))
    row = records.add_row(store, record, "/mc/cell", now())
    records.answer(store, record, f"/mc/cell[{row}]/cell_no", "12", now())
    records.answer(store, record, f"/mc/cell[{row}]/cell_len", "900", now())
    records.non_answer(store, record, "/sg/sg_lawyer", "refused", now(), "staff", "режим")
    records.note(store, record, "Нет света после 22:00", now(), RIGHTS)
    records.note(store, record, "Сыро в душевой", now())
    finding = records.finding(store, record, severity="critical", now=now(), evidence=(RIGHTS,), standards=("NMR-54",),
                              saw="В камере 12 два человека спят на полу", urgent=True,
                              recommendation={"text": "Поставить кровати", "due": "2026-04-07"})  # fmt: skip
    talk = interviews.begin(store, record, now())
    interviews.consent(store, talk, "agrees", now(), note=True)
    interviews.answer(store, talk, "/talk/fear_signal", "позвонят брату", now())
    interviews.begin(store, record, now())
    yield store, now, {"visit": visit, "record": record, "row": row, "finding": finding, "talk": talk}
    store.close()


def _goes(ids):
    visit = ids["visit"]
    return {
        "checklist": lambda room: room.go("checklist", subject=visit, item="/sg/sg_register"),
        "row": lambda room: room.go("checklist", subject=visit, theme=f"/mc/cell[{ids['row']}]"),
        "repeat": lambda room: room.go("checklist", subject=visit, item="/mc/cell"),
        "info": lambda room: (room.go("checklist", subject=visit, theme="/sg"), room.screen._info(RIGHTS)),
        "refused": lambda room: (
            room.go("checklist", subject=visit, theme="/sg"),
            offer_reason(room.screen, RIGHTS, "staff"),
        ),
        "compare": lambda room: (room.go("checklist", subject=visit, theme="/sg"), room.screen._compare(RIGHTS)),
        "themes": lambda room: (room.go("checklist", subject=visit, theme="/sg"), room.screen._open_list()),
        "note": lambda room: (room.go("checklist", subject=visit, theme="/sg"), room.note()),
        "notes": lambda room: room.go("notes", subject=visit),
        "interviews": lambda room: room.go("interviews", subject=visit),
        "interview": lambda room: room.go("interview", subject=visit, talk=ids["talk"]),
        "findings": lambda room: room.go("findings", subject=visit),
        "finding": lambda room: room.go("finding", subject=visit, finding=ids["finding"]),
        "differences": lambda room: room.go("differences", subject=visit),
        "photos": lambda room: room.go("photos", subject=visit),
        "check": lambda room: room.go("report", subject=visit),
        "texts": lambda room: room.go("report", subject=visit, step="findings"),
        "sign": lambda room: room.go("report", subject=visit, step="sign"),
        "submit": lambda room: room.go("report", subject=visit, step="submit"),
    }


def _faults(bench, at_work, go) -> list[str]:
    store, now, _ = at_work
    found = []
    for language, size, scale in corners(LANGUAGES, SIZES, SCALES):
        room = Room(bench, store, now, size, language=language, scale=scale)
        go(room)
        cards = getattr(room.screen, "cards", None)
        if cards is not None and room.screen.frame.sheet is None:
            for path in cards.paths[12:]:
                cards.body.drop(cards._slots.pop(path))
            cards.arrange()
            cards.build_all()
        found += [f"{language} {size} {scale}: {fault}" for fault in audit(room.stage)]
        room.stage.set_focus(None)
    return found


@pytest.mark.parametrize("name", list(_goes({"visit": "", "row": "", "finding": "", "talk": ""})))
def test_a_working_screen_is_whole(bench, at_work, name):
    assert not (found := _faults(bench, at_work, _goes(at_work[2])[name])), "\n".join(found[:12])


def test_a_signed_and_handed_in_report_is_whole(bench, tmp_path):
    store, now = a_store(tmp_path / "tablet")
    visit, _ = a_visit(store, now)
    reports.freeze(store, visit, now())
    goes = {"sign": lambda room: room.go("report", subject=visit, step="sign"),
            "pin": lambda room: (room.go("report", subject=visit, step="sign"), room.screen._ask_pin("agree", "", "")),
            "dissent": lambda room: (room.go("report", subject=visit, step="sign"), room.screen._sign("dissent")),
            "submit": lambda room: room.go("report", subject=visit, step="submit")}  # fmt: skip
    found = [fault for go in goes.values() for fault in _faults(bench, (store, now, {}), go)]
    reports.sign(store, visit, PIN, "dissent", now(), "Площадь измерена неверно, считали вместе с санузлом.")
    found += _faults(bench, (store, now, {}), goes["sign"])
    reports.submit(store, visit, now())
    found += _faults(bench, (store, now, {}), goes["submit"])
    store.close()
    assert not found, "\n".join(found[:12])
