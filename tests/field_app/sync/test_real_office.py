"""Two tablets against the office itself, over HTTP: recorded, differing, signed with a dissent, submitted."""

from __future__ import annotations

import io
import shutil
import threading

import pytest
from PIL import Image
from werkzeug.serving import make_server

from field_app.acts import interviews, photos, records, reports, visits
from field_app.acts.subjects import record_id, report_id
from field_app.enrolment import enrol, own_fingerprint
from field_app.store.store import Store
from field_app.sync.status import rows
from field_app.sync.worker import Worker
from server.accounts import actions as accounts
from server.ledger.actions import record as office_record
from shared.accounts import Role
from shared.values import DeviceId
from shared.visits import GroupFormed, VisitPlanned
from tests.field_app.tablets import PIN, KeystoreDouble
from tests.ground.tablet import CHEAP
from tests.server.conftest import world

__all__ = ["world"]


@pytest.fixture
def address(world):
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def tablet_of(world, address, tmp_path):
    made: list[Store] = []

    def make(person) -> tuple[Store, Worker]:
        with world.office.database.write() as session:
            code = accounts.make_code(session, world.office, world.founded.admin, person, world.now)
        store = Store.create(tmp_path / f"tablet-{len(made)}", PIN, KeystoreDouble(), world.now, CHEAP)
        made.append(store)
        assert enrol(store, address, code, "Tablet") == own_fingerprint(store)
        worker = Worker(store, lambda: world.now, lambda: 0.5)
        assert worker.run_once().trouble == "device_waiting"
        with world.office.database.write() as session:
            accounts.confirm_device(
                session, world.office, world.founded.second, DeviceId(store.identity.device), world.now
            )
        assert worker.run_once().trouble == ""
        return store, worker

    yield make
    for store in made:
        store.close()


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((2400, 1800), 60).convert("RGB").save(file, "JPEG", quality=70)
    return file.getvalue()


def test_a_visit_from_the_gate_to_the_office_and_back(world, tablet_of):
    leader, member = (world.person(Role.NPM_MEMBER) for _ in range(2))
    (one, sync_one), (two, sync_two) = tablet_of(leader), tablet_of(member)
    from server.ledger.opening import Sealer
    from server.office import new_subject

    visit = new_subject(world.now)
    with world.office.database.write() as session:
        sealer = Sealer(session, world.office, visit, None, (leader, member))
        key, sealed = sealer.seal("visit_planned", {"institution": "syn-1", "from_on": "2026-03-05"})
        bodies = [
            *sealer.bodies(), VisitPlanned(visit_kind="special", key=key, sealed=sealed, photos_allowed=True),
            GroupFormed(members=(leader, member), leader=leader, least=2),
        ]  # fmt: skip
        office_record(session, world.office, visit, world.founded.second, bodies, world.now)

    def both() -> None:
        for worker in (sync_one, sync_two, sync_one):
            done = worker.run_once()
            assert done.trouble == "", done

    both()
    assert visits.plan_of(one, visit) == {"institution": "syn-1", "from_on": "2026-03-05"}
    for store in (one, two):
        visits.declare_conflict(store, visit, False, world.now)
    both()
    for store in (one, two):
        visits.start(store, visit, "syn-1", world.now)
    record = record_id(one, visit)
    records.answer(one, record, "/mc/beds", 6, world.now)
    records.answer(two, record, "/mc/beds", 9, world.now)
    records.answer(two, record, "/mc/words", "Төсек жетпейді", world.now)
    finding = records.finding(
        one, record, severity="high", now=world.now, saw="9 адам, 6 төсек", evidence=["/mc/beds"], urgent=True,
        recommendation={"addressee": "facility", "text": "Төсек қосу", "due": "2026-04-01"},
    )  # fmt: skip
    photo = photos.take(one, record, jpeg(), world.now, of="/mc/beds", caption="Камера")
    interview = interviews.begin(two, record, world.now)
    interviews.consent(two, interview, "agrees", world.now, note=True)
    interviews.answer(two, interview, "/iv/food", "no", world.now)
    both()
    both()
    assert one.unsent() == two.unsent() == 0
    assert {row.state for row in rows(one)} == {"received"}, rows(one)
    assert one.state(record).effective("/mc/beds").state == "differs"
    assert photos.picture(two, record, photo) is not None, "a colleague sees the thumbnail offline"
    entry = two.state(record).answers.items["/mc/beds"].standing()[leader]
    records.choose(one, record, "/mc/beds", entry.operation, world.now)
    both()
    for store in (one, two):
        visits.close(store, visit, world.now)
    both()
    reports.freeze(one, visit, world.now)
    both()
    assert reports.compare(two, visit).is_same
    reports.sign(one, visit, PIN, "agree", world.now)
    reports.sign(two, visit, PIN, "dissent", world.now, text="Мен келіспеймін", language="kk")
    both()
    reports.submit(one, visit, world.now)
    both()
    state = two.state(report_id(two, visit))
    assert (state.stage, len(state.current.signatures)) == ("submitted", 2)
    assert [each["id"] for each in reports.draft_document(two, visit)["findings"]] == [finding]
    assert one.meta.differs == two.meta.differs == ()
    assert one.alarms() == two.alarms() == ()


def test_a_tablet_set_back_to_an_older_copy_fetches_what_it_had_sent(world, tablet_of, tmp_path):
    from server.ledger.opening import Sealer
    from server.office import new_subject

    leader = world.person(Role.NPM_MEMBER)
    store, worker = tablet_of(leader)
    visit = new_subject(world.now)
    with world.office.database.write() as session:
        sealer = Sealer(session, world.office, visit, None, (leader,))
        key, sealed = sealer.seal("visit_planned", {"institution": "syn-1", "from_on": "2026-03-05"})
        bodies = [
            *sealer.bodies(), VisitPlanned(visit_kind="special", key=key, sealed=sealed),
            GroupFormed(members=(leader,), leader=leader, least=1),
        ]  # fmt: skip
        office_record(session, world.office, visit, world.founded.second, bodies, world.now)
    assert worker.run_once().trouble == ""
    visits.declare_conflict(store, visit, False, world.now)
    visits.start(store, visit, "syn-1", world.now)
    record = record_id(store, visit)
    records.answer(store, record, "/mc/beds", 6, world.now)
    assert worker.run_once().trouble == ""
    folder, copy = store.folder, tmp_path / "copy"
    shutil.copytree(folder, copy)
    records.answer(store, record, "/mc/words", "Төсек жетпейді", world.now)
    records.answer(store, record, "/mc/beds", 7, world.now)
    assert worker.run_once().exchanges == 1
    store.close()
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)

    again = Store.open(folder, PIN, KeystoreDouble(), world.now)
    worker = Worker(again, lambda: world.now, lambda: 0.5)
    done = worker.run_once()
    assert done.trouble == "", done
    assert again.meta.behind == {}
    assert again.state(record).effective("/mc/beds").entry.value == 7
    assert "/mc/words" in again.state(record).answers.items
    records.answer(again, record, "/mc/beds", 8, world.now)
    assert worker.run_once().trouble == ""
    assert again.unsent() == 0
    assert not again.meta.revoked
    assert not {alarm.code for alarm in again.alarms()} & {"fork", "differs"}
    again.close()
