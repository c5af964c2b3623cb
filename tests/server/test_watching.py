"""Health, numbers and the log: true, readable by others' tools, and without a word of what anybody wrote."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families_of
from sqlalchemy import text as sql

from server.accounts import actions as accounts
from server.app import create_app
from server.ledger import kinds
from server.ledger.tables import ContactRow, SubjectRow
from server.office import new_subject
from server.watching import logs, queries
from server.watching.numbers import Numbers
from shared.accounts import Role
from shared.observations.answers import AnswerRecorded
from shared.observations.record import NoteRecorded, RecordOpened
from tests.server.conftest import World

CANARY = "ZHUMBAQSOZ77"


@pytest.fixture
def written(world: World):
    """Everything the log of this process says meanwhile, as JSON lines."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Lines("json"))
    root = logging.getLogger()
    root.addHandler(handler)
    logging.getLogger("qorgan").setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)


# ── health ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_well_office_says_so_to_anybody(world: World) -> None:
    answer = world.client().get("/api/health")
    assert answer.status_code == 200
    found = answer.json
    assert {name: found[name] for name in ("well", "database", "keys", "room", "backup_age_seconds")} == {
        "well": True, "database": True, "keys": True, "room": True, "backup_age_seconds": None,
    }  # fmt: skip
    assert found["position"] > 0
    assert "Admin" not in answer.text


def test_an_office_that_cannot_work_says_why(world: World, monkeypatch) -> None:
    monkeypatch.setattr(queries, "LEAST_ROOM", 2**62)
    answer = world.client().get("/api/health")
    assert (answer.status_code, answer.json["room"], answer.json["well"]) == (503, False, False)
    monkeypatch.undo()
    with world.office.database.write() as session:
        row = session.get(SubjectRow, world.founded.admin)
        row.accepted, row.projected = 1, 0
    monkeypatch.setattr(queries, "MOST_LAG", 0)
    assert world.client().get("/api/health").status_code == 503
    monkeypatch.undo()
    with world.office.database.write() as session:
        session.execute(sql("ALTER TABLE counter RENAME TO counter_away"))
    answer = world.client().get("/api/health")
    assert (answer.status_code, answer.json["database"]) == (503, False)


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def samples(world: World, app=None) -> dict[str, float]:
    answer = (app or world.app).test_client().get("/api/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in families_of(answer.text)
        for sample in family.samples
    }


def test_numbers_follow_what_happens(pair) -> None:
    one, _, visit = pair
    world = one.world
    before = samples(world)
    record = new_subject(world.now)
    answers = [AnswerRecorded(item=f"/mc/q{number}", value=1) for number in range(4)]
    one.sync(one.write(record, RecordOpened(visit=visit, checklists=()), *answers))
    one.write(record, *answers)
    one.sync(one.write(record, *answers))
    after = samples(world)

    def grew(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grew("qorgan_exchanges_total") == 2
    assert grew("qorgan_frames_total reason= status=accepted") == 1
    assert grew("qorgan_frames_total reason=gap status=waiting") == 1
    assert grew("qorgan_operations_total subject=record") == 5
    assert grew("qorgan_requests_total code=2xx group=sync") == 2
    assert grew("qorgan_request_seconds_count group=sync") == 2
    assert grew("qorgan_request_seconds_bucket group=sync le=+Inf") == 2
    assert after["qorgan_held_frames reason=gap status=waiting"] == 1
    assert after["qorgan_ledger_position"] > before["qorgan_ledger_position"]


def test_an_answer_given_again_by_a_process_that_never_met_the_record_counts_for_a_record(pair) -> None:
    one, _, visit = pair
    world = one.world
    record = new_subject(world.now)
    frame = one.write(record, RecordOpened(visit=visit, checklists=()))
    one.sync(frame)
    before = samples(world)
    kinds._kinds.clear()
    one.sync(frame)
    assert samples(world)["qorgan_operations_total subject=record"] == (
        before["qorgan_operations_total subject=record"] + 1
    )
    strange = new_subject(world.now)
    assert kinds.kinds_of(world.office.database, [record, strange]) == {record: "record"}


def test_the_oldest_undelivered_is_known_per_tablet(pair) -> None:
    one, _, _ = pair
    world = one.world
    with world.office.database.write() as session:
        session.merge(ContactRow(device=one.id, seen_at=world.now, undelivered=7, oldest_seconds=3600))
    world.clock.pass_(minutes=10)
    found = samples(world)
    ages = {name: value for name, value in found.items() if name.startswith("qorgan_device")}
    assert sorted(ages.values()) == [7, 600, 4200]
    assert not any(one.id in name for name in found)
    with world.office.database.write() as session:
        accounts.revoke_device(session, world.office, world.founded.admin, one.id, "lost", world.now)
    assert not any(name.startswith("qorgan_device") for name in samples(world))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_numbers_are_read_on_this_machine_or_with_the_token(world: World) -> None:
    assert world.client().get("/api/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    assert world.client().get("/api/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
    config = replace(world.office.config, address="https://office.example")
    app = create_app(clock=world.clock, office=replace(world.office, config=config))
    assert app.test_client().get("/api/metrics").status_code == 404
    app = create_app(clock=world.clock, office=replace(world.office, config=replace(config, metrics_token="t" * 40)))
    for header, status in (("", 404), ("Bearer x", 404), ("Bearer " + "t" * 39, 404), ("Bearer " + "t" * 40, 200)):
        assert app.test_client().get("/api/metrics", headers={"Authorization": header}).status_code == status, header


COUNTING = """
import sys
from pathlib import Path
from server.watching.numbers import Numbers
numbers = Numbers(Path(sys.argv[1]), ["a", "b"])
for _ in range(1000):
    numbers.add(("a", 1))
numbers.add(("b", 0.5))
print("done", flush=True)
if sys.argv[2] == "stay":
    sys.stdin.read()
"""


def test_processes_count_together_and_an_ended_one_takes_nothing_away(tmp_path: Path) -> None:
    def process(how: str) -> subprocess.Popen[str]:
        started = subprocess.Popen(
            [sys.executable, "-c", COUNTING, str(tmp_path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, cwd=Path(__file__).parents[2], env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        assert started.stdout.readline() == "done\n"
        return started

    staying, ending = process("stay"), process("end")
    ending.wait()
    mine = Numbers(tmp_path, ["a", "b"])
    mine.add(("a", 5), ("not said at the start", 1))
    assert mine.sums() == {"a": 2005.0, "b": 1.0}
    staying.communicate("")
    assert process("end").wait() == 0
    assert mine.sums() == {"a": 3005.0, "b": 1.5}
    assert Numbers(tmp_path, ["a", "b", "c"]).sums() == {"a": 0.0, "b": 0.0, "c": 0.0}, "another release counts anew"


# ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_leaves_one_line_without_ids(pair, written) -> None:
    one, _, visit = pair
    one.sync(one.write(new_subject(one.world.now), RecordOpened(visit=visit, checklists=())))
    (line,) = [line for line in written() if line["said"] == "request"]
    assert (line["view"], line["method"], line["status"]) == ("sync.sync", "POST", 200)
    assert line["in"] > 0
    assert line["out"] > 0
    assert re.fullmatch(r"[0-9A-F]{8}", line["request"])
    assert re.fullmatch(r"[0-9a-f]{10}", line["device"])
    assert one.id not in json.dumps(line)
    client = one.world.signed_in(one.person, Role.NPM_MEMBER)
    answer = client.get(f"/visits/{visit}", base_url="https://127.0.0.1")
    line = written()[-1]
    assert line["request"] == answer.headers["Qorgan-Request"]
    assert len(line["person"]) == 10
    assert visit not in json.dumps(line)
    assert one.person not in json.dumps(line)


def test_health_and_numbers_leave_no_line_when_all_is_well(world: World, written) -> None:
    world.client().get("/api/health")
    world.client().get("/api/metrics")
    assert written() == []


def test_an_error_page_names_the_line_of_its_request(world: World, written, monkeypatch) -> None:
    def broken(*args, **kwargs):
        raise ValueError(CANARY)

    monkeypatch.setattr("server.accounts.queries.people", broken)
    client = world.signed_in(world.founded.admin, Role.ADMIN)
    world.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client.get("/people", base_url="https://127.0.0.1")
    assert answer.status_code == 500
    incident = next(line for line in written() if "error" in line)
    assert answer.headers["Qorgan-Request"] in incident["said"]
    assert answer.headers["Qorgan-Request"] in answer.text
    assert incident["error"][0] == "ValueError"
    assert any("people" in place for place in incident["error"])
    assert CANARY not in json.dumps(written())


def typed(world: World, pair) -> None:
    """The canary typed wherever somebody can type, rightly and wrongly."""
    one, _, visit = pair
    record = new_subject(world.now)
    one.sync(one.write(record, RecordOpened(visit=visit, checklists=()), AnswerRecorded(item="/mc/a", value=CANARY)))
    one.sync(one.write(record, NoteRecorded(key="0" * 32, sealed=CANARY)))
    one.post(CANARY.encode() + b"\n")
    world.client().post("/api/sync", data=CANARY, headers={"Qorgan-Signature": CANARY})
    world.client().post("/api/devices/enrol", json={"code": CANARY + "2", "label": CANARY, "sign_key": CANARY})
    world.client().post("/api/devices/enrol", data="{" + CANARY, content_type="application/json")
    for method, path in (("GET", f"/{CANARY}"), ("POST", f"/visits/{CANARY}"), ("GET", f"/api/packs/{CANARY}"),
                         ("GET", f"/institutions?q={CANARY}"), (CANARY, "/")):  # fmt: skip
        world.client().open(path, method=method, base_url="https://127.0.0.1", headers={
            "Authorization": f"Bearer {CANARY}", "User-Agent": CANARY, "Referer": f"https://{CANARY}/",
            "Cookie": f"__Host-qorgan={CANARY}",
        })  # fmt: skip
    world.client().post("/login", data={"username": CANARY, "password": CANARY}, base_url="https://127.0.0.1")
    client = world.signed_in(world.founded.admin, Role.ADMIN)
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/me", base_url="https://127.0.0.1").text)[1]
    for path, form in (
        ("/people", {"name": CANARY, "login": CANARY.lower(), "passphrase": f"{CANARY} over nine hills"}),
        (f"/people/{world.founded.second}/roles", {"role": CANARY, "since": CANARY, "basis": CANARY}),
        ("/me", {"language": CANARY, "theme": CANARY}), ("/hat", {"hat": CANARY}),
        (f"/people/{world.founded.second}/sign-in", {"login": CANARY, "passphrase": CANARY}),
    ):  # fmt: skip
        client.post(path, data=form | {"csrf": token}, base_url="https://127.0.0.1")
        client.post(path, data=form | {"csrf": CANARY}, base_url="https://127.0.0.1")


def test_what_people_type_never_comes_into_the_log(world: World, pair, written, capfd) -> None:
    typed(world, pair)
    lines = written()
    assert len(lines) > 20
    said = json.dumps(lines, ensure_ascii=False)
    out, err = capfd.readouterr()
    for text in (said, out, err):
        assert CANARY.lower() not in text.lower()


def test_what_breaks_says_where_and_never_with_what(world: World, pair, written, monkeypatch, capfd) -> None:
    """Every action fails with the canary in its message, behind another exception that holds it too."""
    from server.ledger import exchange

    def broken(*args, **kwargs):
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise RuntimeError(f"could not store {CANARY}") from error

    monkeypatch.setattr(exchange, "_taken_in", broken)
    monkeypatch.setattr(exchange, "_ordinary", lambda *args: None)
    monkeypatch.setattr(accounts, "add_person", broken)

    world.app.config["PROPAGATE_EXCEPTIONS"] = False
    typed_by = pair[0]
    assert typed_by.post(typed_by.request()).status_code == 500
    incidents = [line for line in written() if "error" in line]
    assert incidents
    assert {"RuntimeError", "KeyError"} <= set(incidents[0]["error"])
    assert any("exchange" in place for place in incidents[0]["error"])
    logging.getLogger("sqlalchemy.engine").warning("statement %s", CANARY)
    logging.getLogger("qorgan").error("known", exc_info=(ValueError, ValueError(CANARY), None))
    out, err = capfd.readouterr()
    for text in (json.dumps(written()), out, err):
        assert CANARY not in text
    assert "sqlalchemy.engine spoke" in json.dumps(written())


@pytest.mark.parametrize("form", logs.FORMS)
def test_both_forms_are_one_line_a_record(form: str) -> None:
    record = logging.LogRecord("qorgan.request", logging.INFO, __file__, 1, "request", (), None)
    record.facts = {"view": "sync.sync", "ms": 1.5}
    line = logs.Lines(form).format(record)
    assert "\n" not in line
    assert "sync.sync" in line
    if form == "json":
        assert json.loads(line)["ms"] == 1.5


def test_time_since_a_backup_is_counted_from_its_proof(world: World) -> None:
    from server.backup.tables import BackupRow

    with world.office.database.write() as session:
        made = world.now - timedelta(hours=5)
        facts = {"sha256": "0" * 64, "name": "one", "made_at": made, "proven_at": made, "epoch": 1, "position": 1,
                 "head": "0" * 64, "size": 1, "operations": 1, "files": 0}  # fmt: skip
        session.add(BackupRow(**{name: value for name, value in facts.items() if name in BackupRow.model_fields}))
    assert world.client().get("/api/health").json["backup_age_seconds"] == 5 * 3600
    assert samples(world)["qorgan_backup_age_seconds"] == 5 * 3600
