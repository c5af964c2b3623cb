"""Photos and packs over a line that cuts: they go on where they stopped, and text never waits behind them."""

from __future__ import annotations

import io
import os

import pytest
from PIL import Image

from field_app.acts import photos, records, visits
from field_app.sync import schedule
from field_app.sync.client import AddressRefused, checked_address
from field_app.sync.status import rows
from shared.errors import RuleBroken
from shared.ledger.crypto import SealBroken, new_id, sha256
from shared.observations.media import file_key, opened_file
from shared.packs import ChecklistPublished
from shared.texts import LANGUAGES, texts
from tests.field_app.tablets import NOW


def picture(side: int = 1800) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "CANARY-CAMERA"
    Image.effect_noise((side, side), 40).convert("RGB").save(file, "JPEG", quality=60, exif=exif)
    return file.getvalue()


@pytest.fixture
def tablet(office, make_store, worker_of):
    store = make_store("tablet", office)
    visit = visits.plan_on_the_spot(store, institution="syn-1", reason="x", now=NOW)
    record = visits.start(store, visit, "syn-1", NOW)
    return store, record, worker_of(store)


def test_a_photo_arrives_whole_over_a_line_that_cuts_at_every_piece(office, tablet):
    store, record, worker = tablet
    original = picture()
    photo = photos.take(store, record, original, NOW, caption="Камера")
    sent = 0
    for number in range(60):
        office.faults[:] = ["cut_after_piece" if number % 2 else "cut_piece"]
        worker.run_once()
        reached = sum(map(len, office.media.values()))
        assert reached >= sent, "what arrived is never sent away again"
        sent = reached
        if store.unsent() == 0:
            break
    office.faults.clear()
    worker.run_once()
    assert store.unsent() == 0
    files = store.state(record).photos[photo].files
    for file in files.values():
        assert sha256(bytes(office.media[file.sha256])).hex() == file.sha256
        assert len(office.media[file.sha256]) == file.size
    assert {row.state for row in rows(store)} == {"received"}


def test_the_copies_carry_no_metadata_and_the_words_do_not_open_the_original(tablet):
    store, record, _ = tablet
    original = picture()
    photo = photos.take(store, record, original, NOW)
    state = store.state(record).photos[photo]
    words = store.words(record, state.words)
    assert words["original_sha256"] == sha256(original).hex()
    for role in ("thumbnail", "derivative"):
        plain = photos.picture(store, record, photo, role)
        assert b"CANARY" not in plain
        assert max(Image.open(io.BytesIO(plain)).size) <= 1600
    assert state.files["thumbnail"].size <= 40_000
    sealed = store.file_bytes(state.files["original"].sha256)
    with pytest.raises(SealBroken):
        file_key(words, "original", record, os.urandom(32))
    outer = store.sealing_key(record, NOW, level="S3")
    assert opened_file(file_key(words, "original", record, outer.key), "original", sealed) == original
    assert all(original not in path.read_bytes() for path in store.folder.rglob("*") if path.is_file())


def test_the_key_of_the_originals_goes_when_the_visit_is_closed(tablet):
    store, record, _ = tablet
    photos.take(store, record, picture(), NOW)
    before = store.sealing_key(record, NOW, level="S3").id
    visits.close(store, store.state(record).visit, NOW)
    assert store.sealing_key(record, NOW, level="S3").id != before


def test_text_saved_meanwhile_goes_before_the_next_piece(office, tablet):
    store, record, worker = tablet
    photos.take(store, record, picture(), NOW)
    office.faults[:] = ["cut_piece", "cut_piece"]
    worker.run_once()
    records.answer(store, record, "/mc/beds", 6, NOW)
    office.requests.clear()
    worker.run_once()
    assert office.requests[0] == "POST /api/sync"
    states = {row.kind: row.state for row in rows(store)}
    assert states["subject"] == "received"


def test_a_locked_tablet_goes_on_with_the_pieces_of_its_files_and_sends_no_frames(office, tablet):
    store, record, worker = tablet
    photos.take(store, record, picture(), NOW)
    office.faults[:] = ["cut_piece", "cut_piece"]
    assert worker.run_once().trouble == "no_network"
    store.lock()
    office.requests.clear()
    done = worker.run_once()
    assert (done.trouble, done.files) == ("", 3)
    assert "POST /api/sync" not in office.requests


@pytest.mark.parametrize("bad", [b"", b"not a picture", b"\xff\xd8\xff\xe0" + bytes(200)])
def test_what_is_no_picture_is_refused_and_nothing_is_kept(tablet, bad):
    store, record, _ = tablet
    with pytest.raises(RuleBroken):
        photos.take(store, record, bad, NOW)
    assert store.files() == []


def test_a_pack_goes_on_where_it_was_cut_and_a_wrong_one_is_thrown_away(office, tablet):
    store, _, worker = tablet
    data = os.urandom(300_000)
    name = sha256(data).hex()
    office.packs[name] = data
    said = {"form_id": "npm_visit", "version": "1", "size": len(data), "title_kk": "", "title_ru": "", "title_en": ""}
    office.write(new_id(50), ChecklistPublished(sha256=name, **said))
    office.faults[:] = ["cut_pack"]
    assert worker.run_once().trouble == "no_network"
    assert not store.pack_path(name).exists()
    assert worker.run_once().trouble == ""
    assert store.pack_path(name).read_bytes() == data
    assert visits.newest_checklists(store) == (("npm_visit", "1", name),)
    store.pack_path(name).unlink()
    office.packs[name] = data[:-1] + bytes([data[-1] ^ 1])
    assert worker.run_once().trouble == "no_network"
    assert not store.pack_path(name).exists()


def test_pieces_grow_on_a_good_line_and_shrink_on_a_bad_one():
    size = schedule.FIRST_PIECE
    for _ in range(20):
        size = schedule.next_piece(size, 0.1, True)
    assert size == schedule.MOST_PIECE
    for _ in range(20):
        size = schedule.next_piece(size, 9.0, True)
    assert size == schedule.LEAST_PIECE
    assert schedule.next_piece(64_000, 2.0, True) == 64_000


def test_the_wait_grows_but_never_for_ever_and_tablets_spread():
    waits = [schedule.wait_after(failures, 1.0) for failures in range(1, 40)]
    assert waits == sorted(waits)
    assert waits[0] == schedule.FIRST_WAIT
    assert waits[-1] == schedule.LONGEST_WAIT
    assert schedule.wait_after(3, 0.0) < schedule.wait_after(3, 1.0)


@pytest.mark.parametrize(
    "url", ["http://example.org", "ftp://127.0.0.1", "http://127.0.0.1.example.org", "", "http://"]
)
def test_plain_http_goes_to_loopback_only(url):
    with pytest.raises(AddressRefused):
        checked_address(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://localhost:1", "http://[::1]:9", "https://npm.example"]
)
def test_loopback_and_tls_are_taken(url):
    assert checked_address(url) == url.rstrip("/")


def test_a_photo_beyond_the_share_of_a_visit_is_refused_at_the_shot(tablet, monkeypatch):
    store, record, _ = tablet
    monkeypatch.setattr(photos, "MEGABYTE", 1000)  # 600 thousand bytes are the share of a visit then
    first = picture(600)
    photos.take(store, record, first, NOW)
    before, kept = store.unsent(), {file.sha256 for file in store.files()}
    used = sum(file.size for file in store.files())
    large = picture(2400)
    assert used + len(first) < 600_000 < used + len(large)
    with pytest.raises(RuleBroken) as broken:
        photos.take(store, record, large, NOW)
    assert broken.value.code == "media_over_quota"
    assert dict(broken.value.facts) == {"used": used // 1000, "quota": 600, "confidence": "design"}
    assert all(texts(language)("error.media_over_quota", **broken.value.facts) for language in LANGUAGES)
    assert (store.unsent(), {file.sha256 for file in store.files()}) == (before, kept), "nothing of it stays"
    photos.take(store, record, first, NOW)
