"""What a tablet does while things break, and what must hold of it afterwards. Each function is the whole of a child.

A mark is a promise: {"saved": operation ids} once the store said *saved*, {"draft": text} once a key was kept,
{"refused": code} when the store said it was not saved.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
from PIL import Image

from field_app.acts import interviews, photos, records
from field_app.store import incoming, outgoing
from field_app.store.disk import drop_ballast, has_ballast, keep_ballast
from field_app.store.errors import NotSaved
from field_app.store.kept import Pulled
from field_app.store.store import Store
from field_app.sync import client
from server.ledger.projecting import BehindTheLedger
from shared.errors import RuleBroken
from shared.ledger.frame import read_frames
from shared.ledger.messages import encode_request, read_reply
from shared.values import SubjectId
from tests.faults.scene import BALLAST, begin, own_ids, standing
from tests.faults.yard import Stand
from tests.ground import World
from tests.ground.founding import copy_tree, founded

ITEM = "/mc/words"


def make(stand: Stand, folder: str) -> dict[str, Any]:
    """A world to copy, and replies of the office for `apply`: one with a page, one with a receipt only."""
    place = Path(folder)
    begin(place / "still")
    begin(place / "busy")
    with standing(place / "busy") as world:
        leader, other = world.tablets["leader"], world.tablets["other"]
        for number in range(12):
            records.answer(other.store, other.record(world.visit), f"/mc/o{number}", f"жауап {number}", other.clock())
        assert other.sync().trouble == ""
        records.answer(leader.store, leader.record(world.visit), "/mc/own", 7, leader.clock())
        _keep_reply(world, place / "page.reply", with_frames=False)
        for tablet in world.tablets.values():
            tablet.close()
        _tidy(place / "busy")
    with standing(place / "still") as world:
        leader = world.tablets["leader"]
        records.answer(leader.store, leader.record(world.visit), "/mc/own", 7, leader.clock())
        _keep_reply(world, place / "receipt.reply", with_frames=True)
        for tablet in world.tablets.values():
            tablet.close()
        _tidy(place / "still")
    shutil.copytree(place / "still", place / "behind")
    with standing(place / "behind") as world:
        leader = world.tablets["leader"]
        assert leader.sync().trouble == ""  # takes the nonce the office gave with the reply kept above
        for number in range(8):
            records.answer(leader.store, leader.record(world.visit), f"/mc/b{number}", number, leader.clock())
        with patch.object(BehindTheLedger, "is_behind", return_value=False):
            assert leader.sync().trouble == ""
            leader.close()
        assert BehindTheLedger().waiting(world.office.database, 1), "nothing waits to be projected"
        _tidy(place / "behind")
    return {"size": sum(path.stat().st_size for path in (place / "still" / "leader").rglob("*") if path.is_file())}


def _tidy(world: Path) -> None:
    from tests.faults.scene import fold_in

    for name in ("leader", "other", "third"):
        for left in ("ballast", "owner"):
            (world / name / left).unlink(missing_ok=True)
    fold_in(world / "office")


def _keep_reply(world: World, path: Path, with_frames: bool) -> None:
    leader = world.tablets["leader"]
    store = leader.store
    frames = outgoing.to_send(store) if with_frames else []
    body = encode_request(outgoing.hello(store, frames, leader.clock()), frames)
    office = client.Office(store.identity.server_url, store.identity.server_pin)
    path.write_bytes(client.exchange(office, body, store.identity.sign_seed))


# ── acts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def picture(seed: int = 0) -> bytes:
    """A small photograph."""
    file = io.BytesIO()
    Image.new("RGB", (48, 36), (seed * 40 % 256, 90, 160)).save(file, "JPEG")
    return file.getvalue()


def _promise(stand: Stand, store: Store, known: set[str]) -> None:
    fresh = sorted({id_ for ids in own_ids(store).values() for id_ in ids} - known)
    known.update(fresh)
    stand.mark({"saved": fresh})


def _begun(store: Store) -> set[str]:
    return {id_ for ids in own_ids(store).values() for id_ in ids}


def answers(stand: Stand, folder: str, count: int = 2) -> None:
    """Types and answers, twice; then leaves in good order."""
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        store, record = leader.store, leader.record(world.visit)
        known = _begun(store)
        stand.arm()
        for number in range(count):
            text = f"терезе {number}"
            store.draft(f"{record} {ITEM}", text, len(text))
            stand.mark({"draft": text})
            records.answer(store, record, f"{ITEM}{number}", text, leader.clock(), draft=f"{record} {ITEM}")
            _promise(stand, store, known)
        leader.close()


def interview(stand: Stand, folder: str) -> None:
    """An interview with an answer and a note, and three photos."""
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        store, record, now = leader.store, leader.record(world.visit), leader.clock()
        known = _begun(store)
        stand.arm()
        talk = interviews.begin(store, record, now)
        _promise(stand, store, known)
        interviews.consent(store, talk, "agrees", now, note=True)
        _promise(stand, store, known)
        interviews.answer(store, talk, "/in/beaten", "yes", now)
        _promise(stand, store, known)
        interviews.note(store, talk, "Сол жақ қабырғасы ауырады.", now)
        _promise(stand, store, known)
        for number in range(3):
            photos.take(store, record, picture(number), now, of=talk, caption=f"сурет {number}")
            _promise(stand, store, known)
        interviews.close(store, talk, now)
        _promise(stand, store, known)
        leader.close()


def troubled(stand: Stand, folder: str, ballast: bool = True, photographs: int = 1) -> dict[str, Any]:
    """An answer, an interview and photos on a disk in trouble; then the trouble ends and saving goes on.

    Whatever is not saved is said in a word; whatever was typed and kept is still there. Gives what was refused.
    """
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        store, record, now = leader.store, leader.record(world.visit), leader.clock()
        if not ballast:
            drop_ballast(store.folder)
        known, said = _begun(store), []
        name, text = f"{record} {ITEM}", "үзілген сөз"
        stand.arm()
        said.append(_tried(stand, store, known, lambda: store.draft(name, text, 3)))
        answered = _tried(stand, store, known, lambda: records.answer(store, record, f"{ITEM}1", text, now, draft=name))
        assert not answered or said[0] or store.drafts()[name].text == text, (
            "a text kept key by key went with a refusal"
        )
        talk: list[Any] = []
        said += [answered, _tried(stand, store, known, lambda: talk.append(interviews.begin(store, record, now)))]
        for step in _talk(store, talk[0], now) if talk else ():
            said.append(_tried(stand, store, known, step))
        for number in range(photographs):
            said.append(_tried(stand, store, known, partial(photos.take, store, record, picture(number), now)))
        stand.calm()
        records.answer(store, record, "/mc/room_again", 1, now)
        _promise(stand, store, known)
        assert has_ballast(store.folder, BALLAST) or not ballast, "the ballast was not laid again"
        leader.close()
        return {"refused": said}


def _talk(store: Store, talk: SubjectId, now: datetime) -> list[Callable[[], Any]]:
    return [
        partial(interviews.consent, store, talk, "agrees", now, note=True),
        partial(interviews.answer, store, talk, "/in/beaten", "yes", now),
        partial(interviews.note, store, talk, "Сол жақ қабырғасы ауырады.", now),
    ]


def _tried(stand: Stand, store: Store, known: set[str], step: Callable[[], Any]) -> str:
    """The word of the refusal, "" when it was saved. Anything but a word breaks the act."""
    try:
        step()
    except NotSaved as error:
        said = error.code
    except RuleBroken as error:  # the camera stops; an interview that could not begin takes no answer
        assert error.code in ("media_no_room", "not_allowed"), error
        said = error.code
    else:
        _promise(stand, store, known)
        return ""
    stand.mark({"refused": said})
    return said


def apply(stand: Stand, folder: str, reply: str) -> None:
    """Takes a reply of the office in: a page of others' frames, or a receipt."""
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        store = leader.store
        read = read_reply(Path(reply).read_bytes(), bytes.fromhex(store.identity.server_key))
        stand.arm()
        incoming.apply_reply(store, read, leader.clock())
        stand.mark({"taken": [frame.ids()[-1].hex() for frame in read.frames]})
        leader.close()


def opening(stand: Stand, folder: str) -> None:
    """Unlocks with the PIN, says one thing and locks."""
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        stand.arm()
        store = leader.store
        known = _begun(store)
        records.answer(store, leader.record(world.visit), "/mc/opened", 1, leader.clock())
        _promise(stand, store, known)
        leader.close()


def recording(stand: Stand, folder: str, first: int) -> None:
    """Answers for ever, a photo among ten: killed by the test."""
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        store, record, number = leader.store, leader.record(world.visit), first
        known = _begun(store)
        stand.arm()
        while True:
            number += 1
            if number % 10 == 0:
                photos.take(store, record, picture(number), leader.clock())
            else:
                text = f"жауап {number}"
                store.draft(f"{record} {ITEM}", text, len(text))
                stand.mark({"draft": text})
                records.answer(store, record, f"{ITEM}{number}", text, leader.clock(), draft=f"{record} {ITEM}")
            _promise(stand, store, known)


# ── what must hold afterwards ───────────────────────────────────────────────────────────────────────────────────────


def holds(stand: Stand, folder: str, promised: list[dict[str, Any]], send: bool = True) -> dict[str, Any]:
    """Opens the tablet, finds every promise, and brings all of it to the office. Raises AssertionError."""
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        store = leader.store
        found = own_ids(store)
        everything = {id_ for ids in found.values() for id_ in ids}
        _are_kept(store, promised, everything)
        assert store.damage.unplaced == 0, store.damage
        assert not store.damage.rebuilt, store.damage
        assert store.damage.lost_rows == 0, store.damage
        for subject in found:
            seqs = [each.seq for each in store.operations(subject) if each.device == store.identity.device]
            assert seqs == list(range(1, len(seqs) + 1)), f"the chain of {subject} has holes: {seqs}"
        records.answer(store, leader.record(world.visit), "/mc/after", 1, leader.clock())
        if send:
            delivers(world, {id_ for said in promised for id_ in said.get("saved", ())})
        leader.close()
        return {"own": len(everything)}


def _are_kept(store: Store, promised: list[dict[str, Any]], everything: set[str]) -> None:
    saved = {id_ for said in promised for id_ in said.get("saved", ())}
    assert saved <= everything, f"{len(saved - everything)} acknowledged operations are gone"
    last = promised[-1] if promised else {}
    if "draft" in last:
        texts = {draft.text for draft in store.drafts().values()}
        answered = {text for subject in store.subjects("record") for text in _answered(store, subject)}
        assert last["draft"] in texts | answered, "a text kept key by key is gone"
    taken = {id_ for said in promised for id_ in said.get("taken", ())}
    assert taken <= set(_pulled(store)), "frames taken in are gone"


def _answered(store: Store, record: SubjectId) -> list[Any]:
    """Every text ever answered in a record, opened where it was sealed."""
    entries = [entry for item in store.state(record).answers.items.values() for entry in item.entries]
    return [(store.words(record, entry.words) or {}).get("value") if entry.words else entry.value for entry in entries]


def _pulled(store: Store) -> list[str]:
    """Last ids of the frames of others that lie in the database."""
    rows = (msgspec.msgpack.decode(plain, type=Pulled) for _, plain in store._o.database.rows("pulled"))
    return [read_frames(row.frame[:-1].split(b"\n"))[0].ids()[-1].hex() for row in rows]


def delivers(world: World, promised: set[str]) -> None:
    """Everything on the leader's tablet reaches the office in at most five rounds, files too, each once."""
    leader = world.tablets["leader"]
    for _ in range(5):
        done = leader.sync()
        if not leader.store.unsent() and not done.trouble:
            break
        world.clock.pass_(minutes=2)
    assert done.trouble == "", done
    assert leader.store.unsent() == 0, f"{leader.store.unsent()} things do not reach the office"
    held: list[str] = []
    for subject in own_ids(leader.store):
        held += [each.id for each in world.operations(subject)]
    assert len(held) == len(set(held)), "something is at the office twice"
    assert promised <= set(held), f"{len(promised - set(held))} promised operations never reach the office"
    for subject in leader.store.subjects("record"):
        for photo in leader.store.state(subject).photos.values():
            for file in photo.files.values():
                path = world.office.media / file.sha256[:2] / file.sha256
                assert path.exists(), f"a {photo.author} file of a delivered photo is not at the office"
                assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def opened_full(stand: Stand, folder: str, ballast: bool) -> dict[str, Any]:
    """The PIN on a disk without a byte left, a look at the record, and a try to save."""
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        if ballast:
            keep_ballast(leader.folder, BALLAST)
        stand.arm()
        store = leader.store
        record = leader.record(world.visit)
        assert len(store.state(record).answers.items) >= 5
        known = _begun(store)
        saved = _tried(stand, store, known, lambda: records.answer(store, record, "/mc/opened", 1, leader.clock()))
        leader.close()
        return {"opened": True, "saved": saved}


# ── for the seeded trials ───────────────────────────────────────────────────────────────────────────────────────────


@cache
def _begun_once() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="qorgan-begun-", dir=founded().folder))
    begin(folder / "world")
    return folder / "world"


def begun(stand: Stand, folder: str, tablets: tuple[str, ...] = ("leader",)) -> None:
    """A copy of a world with the visit under way: the office and these tablets."""
    for part in ("office", *tablets):
        copy_tree(_begun_once() / part, Path(folder) / part)
