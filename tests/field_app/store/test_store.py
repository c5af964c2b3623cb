"""What was said to be saved is there afterwards: kills, torn files, a full disk, two processes."""

from __future__ import annotations

import os
import random
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from field_app.store.errors import NotEnrolled, NotSaved, StoreBusy, StoreDamaged, StoreStands
from field_app.store.kept import Place
from field_app.store.outgoing import to_send
from field_app.store.raw import export_raw
from field_app.store.store import Store
from shared.ledger.crypto import new_id
from shared.ledger.frame import is_sealed
from shared.observations.answers import AnswerRecorded
from shared.observations.record import NoteRecorded, RecordOpened
from shared.values import SubjectId
from tests.field_app.tablets import NOW, PIN, KeystoreDouble

ROOT = Path(__file__).resolve().parents[3]


def opened(folder: Path) -> Store:
    return Store.open(folder, PIN, KeystoreDouble(), NOW)


@pytest.fixture
def store(office, make_store):
    return make_store("tablet", office)


@pytest.fixture
def record(store):
    subject = store.new_subject(NOW)
    store.record(subject, RecordOpened(visit=SubjectId(new_id(5)), checklists=()), now=NOW)
    return subject


def fill(store: Store, record: SubjectId, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        store.record(record, AnswerRecorded(item=f"/a/b{number}", value=number), now=NOW)


def values(store: Store, record: SubjectId) -> dict[str, object]:
    return {path: item.entries[-1].value for path, item in store.state(record).answers.items.items()}


def test_a_tablet_nobody_knows_writes_nothing(make_store):
    fresh = make_store("fresh")
    with pytest.raises(NotEnrolled):
        fresh.record(fresh.new_subject(NOW), RecordOpened(visit=SubjectId(new_id(5)), checklists=()), now=NOW)


def test_a_store_never_takes_the_place_of_another(store):
    store.close()
    (store.folder / "vault").unlink()
    with pytest.raises(StoreStands):
        Store.create(store.folder, PIN, KeystoreDouble(), NOW)


def test_folding_step_by_step_is_folding_anew(store, record):
    fill(store, record, 25)
    key, sealed = store.sealed(record, NoteRecorded.KIND, {"text": "су"}, NOW)
    live = store.record(record, NoteRecorded(key=key, sealed=sealed), now=NOW)
    store.close()
    again = opened(store.folder).state(record)
    assert again.answers.items == live.answers.items
    assert (again.notes, again.clock, again.keys) == (live.notes, live.clock, live.keys)


def test_frames_are_cut_once_and_sent_again_as_the_same_bytes(store, record):
    fill(store, record, 3)
    first = [frame.encoded() for frame in to_send(store)]
    fill(store, record, 2, first=3)
    store.close()
    later = opened(store.folder)
    second = [frame.encoded() for frame in to_send(later)]
    assert second[: len(first)] == first
    assert len(second) == len(first) + 1
    sign_key = bytes.fromhex(later.public_keys()[0])
    assert all(is_sealed(frame, sign_key) for frame in to_send(later))
    later.close()


def test_the_database_can_be_lost_whole_and_the_copy_brings_the_own_work_back(store, record):
    fill(store, record, 30)
    to_send(store)
    frames = [frame.encoded() for frame in to_send(store)]
    store.close()
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (store.folder / name).unlink(missing_ok=True)
    again = opened(store.folder)
    assert values(again, record) == {f"/a/b{n}": n for n in range(30)}
    assert [frame.encoded() for frame in to_send(again)] == frames
    assert again.is_enrolled
    fill(again, record, 1, first=30)
    again.close()


@pytest.mark.parametrize("seed", range(8))
def test_a_zeroed_page_costs_nothing_that_the_copy_holds(store, record, seed):
    fill(store, record, 120)
    store.draft("field", "жазылып жатыр", 3)
    store.close()
    path = store.folder / "store.db"
    data = bytearray(path.read_bytes())
    page = random.Random(seed).randrange(1, len(data) // 4096)
    data[page * 4096 : (page + 1) * 4096] = bytes(4096)
    path.write_bytes(data)
    again = opened(store.folder)
    assert values(again, record) == {f"/a/b{n}": n for n in range(120)}
    fill(again, record, 1, first=120)
    again.close()
    assert len(values(opened(store.folder), record)) == 121


@pytest.mark.parametrize("seed", range(8))
def test_a_hole_in_the_copy_is_mended_from_the_database(store, record, seed):
    fill(store, record, 60)
    store.close()
    path = store.folder / "copy"
    data = bytearray(path.read_bytes())
    at = random.Random(seed).randrange(len(data))
    data[at : at + 4096] = bytes(len(data[at : at + 4096]))
    path.write_bytes(data)
    for name in ("first", "second"):
        again = opened(store.folder)
        assert len(values(again, record)) == 60, name
        again.close()
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (store.folder / name).unlink(missing_ok=True)
    assert len(values(opened(store.folder), record)) == 60


def test_a_torn_tail_of_both_keeps_the_good_beginning_and_says_what_is_lost(store, record):
    fill(store, record, 40)
    store.close()
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (store.folder / name).unlink(missing_ok=True)
    path = store.folder / "copy"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    again = opened(store.folder)
    held = values(again, record)
    assert 0 < len(held) < 40
    assert held == {f"/a/b{n}": n for n in range(len(held))}
    assert (store.folder / "copy.damaged").exists()
    assert again.alarms()[-1].code == "store_lost"
    fill(again, record, 1, first=100)
    again.close()


def test_a_row_that_does_not_open_beside_a_torn_copy_is_said_to_be_lost(store, record):
    fill(store, record, 40)
    store.close()
    rows = sqlite3.connect(store.folder / "store.db")
    rows.execute("update own set sealed = zeroblob(100) where number = (select max(number) from own)")
    rows.commit()
    rows.close()
    path = store.folder / "copy"
    path.write_bytes(path.read_bytes()[:-10])
    again = opened(store.folder)
    assert values(again, record) == {f"/a/b{n}": n for n in range(39)}
    assert again.alarms()[-1].code == "store_lost"
    again.close()


def test_a_copy_torn_at_its_end_alone_is_what_a_kill_leaves_and_no_loss(store, record):
    fill(store, record, 40)
    store.close()
    path = store.folder / "copy"
    path.write_bytes(path.read_bytes()[:-10])
    again = opened(store.folder)
    assert len(values(again, record)) == 40
    assert not [alarm for alarm in again.alarms() if alarm.code == "store_lost"]
    again.close()


def test_a_hole_behind_which_others_stand_is_reported_and_the_rest_of_other_subjects_stays(store, record):
    fill(store, record, 10)
    other = store.new_subject(NOW)
    store.record(other, RecordOpened(visit=SubjectId(new_id(6)), checklists=()), now=NOW)
    fill(store, other, 10)
    store.close()
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (store.folder / name).unlink(missing_ok=True)
    path = store.folder / "copy"
    data = bytearray(path.read_bytes())
    data[1500:1600] = bytes(100)
    path.write_bytes(data)
    again = opened(store.folder)
    assert len(values(again, other)) == 10
    assert again.damage.unplaced > 0
    again.close()


def test_work_whose_enrolment_is_lost_in_both_files_shuts_the_store_in_words_and_can_be_taken_out(
    store, record, tmp_path
):
    fill(store, record, 4)
    store.close()
    copy = store.folder / "copy"
    data = bytearray(copy.read_bytes())
    second = data.index(data[:4], 4)
    data[second + 40] ^= 1
    copy.write_bytes(data)
    rows = sqlite3.connect(store.folder / "store.db")
    rows.execute("update own set sealed = zeroblob(100) where number = 2")
    rows.commit()
    rows.close()
    with pytest.raises(StoreDamaged):
        opened(store.folder)
    export_raw(store.folder, tmp_path / "raw")
    assert bytes(data) in {path.read_bytes() for path in (tmp_path / "raw").glob("copy*")}


def test_two_processes_never_have_one_store(store):
    program = (
        "import sys; from pathlib import Path; from field_app.store.store import Store;"
        "from field_app.store.errors import StoreBusy; from tests.field_app.tablets import *\n"
        "try: Store.open(Path(sys.argv[1]), PIN, KeystoreDouble(), NOW)\n"
        "except StoreBusy as busy: print(busy.owner)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(store.folder)], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == str(os.getpid()), done.stderr
    with pytest.raises(StoreBusy):
        opened(store.folder)


def test_a_full_disk_says_not_saved_and_keeps_everything_before(store, record):
    """The largest file a process may write is capped, as a full disk would; the ballast is given up first."""
    fill(store, record, 20)
    limit = max((store.folder / name).stat().st_size for name in ("store.db-wal", "copy", "store.db")) + 40_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    saved = 20
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(NotSaved):
            for number in range(20, 5000):
                store.draft("field", "x" * 200, 1)
                store.record(record, AnswerRecorded(item=f"/a/b{number}", value="y" * 500), now=NOW)
                saved += 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (store.folder / "ballast").exists()
    assert len(values(store, record)) == saved
    fill(store, record, 3, first=9000)
    store.close()
    again = opened(store.folder)
    assert len(values(again, record)) == saved + 3
    assert again.damage.unplaced == 0
    again.close()


def test_a_draft_keeps_every_key_and_goes_back_word_by_word(store, record):
    text = ""
    for letter in "терезе сынған үй ":
        text += letter
        store.draft("field", text, len(text), Place("checklist", record, "/a/words", len(text)))
    store.close()
    again = opened(store.folder)
    assert again.drafts()["field"].text == "терезе сынған үй "
    assert again.place == Place("checklist", record, "/a/words", 17)
    steps = []
    while (earlier := again.undo_draft("field")) is not None:
        steps.append(earlier.text)
    assert steps == ["терезе сынған үй", "терезе сынған", "терезе"]
    again.record(record, AnswerRecorded(item="/a/words", value="x"), now=NOW, drop="field")
    again.close()
    assert "field" not in opened(store.folder).drafts()


def test_a_locked_store_tells_nothing(store, record):
    from field_app.store.errors import Locked

    store.lock()
    for ask in (lambda: store.state(record), lambda: store.drafts(), lambda: store.identity, lambda: store.unsent()):
        with pytest.raises(Locked):
            ask()
    store.unlock(PIN, NOW)
    assert store.state(record) is not None
