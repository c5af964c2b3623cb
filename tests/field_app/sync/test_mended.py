"""A tablet whose database was damaged: what it lost of others' frames comes again by itself, and no alarm is raised."""

from __future__ import annotations

import shutil

from field_app.acts import records, visits
from field_app.acts.subjects import record_id
from field_app.store.store import Store
from shared.ledger.crypto import new_id
from shared.visits import GroupFormed, VisitPlanned
from tests.field_app.tablets import NOW, PIN, KeystoreDouble

PAGE = 4096


def test_any_page_of_the_database_may_be_lost_and_no_colleague_is_said_to_differ(
    office, make_store, worker_of, tmp_path
) -> None:
    one, two = new_id(11), new_id(12)
    first, second = make_store("first", office, one), make_store("second", office, two)
    visit = new_id(20)
    office.write(visit, VisitPlanned(visit_kind="special", key="", sealed=""),
                 GroupFormed(members=(one, two), leader=one, least=2))  # fmt: skip
    office.vouch(first)
    office.vouch(second)
    worker_of(first).run_once()
    visits.start(first, visit, "KZ-1", NOW)
    record = record_id(first, visit)
    for number in range(40):
        records.answer(first, record, f"/mc/q{number}", "Төсек жетпейді " * 8, NOW)
        if number % 4 == 3:
            assert worker_of(first).run_once().trouble == ""
    assert worker_of(second).run_once().trouble == ""
    second.close()
    whole, pages = tmp_path / "second", (tmp_path / "second" / "store.db").stat().st_size // PAGE
    rebuilt = 0
    for page in range(pages):
        folder = tmp_path / "damaged"
        shutil.copytree(whole, folder)
        with (folder / "store.db").open("r+b") as file:
            file.seek(page * PAGE)
            file.write(bytes(PAGE))
        again = Store.open(folder, PIN, KeystoreDouble(), NOW)
        rebuilt += again.damage.rebuilt
        assert worker_of(again).run_once().trouble == "", f"page {page}"
        assert len(again.state(record).answers.items) == 40, f"page {page}"
        assert "differs" not in {alarm.code for alarm in again.alarms()}, f"page {page}"
        again.close()
        shutil.rmtree(folder)
    assert rebuilt > pages // 2, "so few pages were missed that this proves little"
