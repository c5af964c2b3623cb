"""A tablet whose bytes were damaged, and what must hold of it afterwards. Each function is the whole of a child."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from field_app.acts import photos, records
from field_app.store.errors import StoreDamaged
from field_app.store.raw import export_raw
from field_app.store.store import Store
from shared.values import SubjectId
from tests.faults.scene import own_ids, standing
from tests.faults.tablet_acts import picture
from tests.faults.yard import Stand
from tests.ground import World


def filled(stand: Stand, folder: str, count: int, folds_in: bool) -> dict[str, Any]:
    """Answers, a photo, an exchange, more answers; the log is folded in or left as a kill would leave it."""
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        store, record, now = leader.store, leader.record(world.visit), leader.clock()
        photos.take(store, record, picture(), now)
        for number in range(count // 2):
            records.answer(store, record, f"/mc/n{number}", number, now)
        assert leader.sync().trouble == ""
        for number in range(count // 2, count):
            records.answer(store, record, f"/mc/n{number}", number, now)
        own = own_ids(store)
        if folds_in:
            leader.close()
            return {"own": own}
        for name in ("store.db", "store.db-wal"):
            shutil.copyfile(store.folder / name, store.folder / f"{name}.left")
        leader.close()
        for name in ("store.db", "store.db-wal"):
            (store.folder / f"{name}.left").replace(store.folder / name)
        return {"own": own}


def recovers(stand: Stand, folder: str, own: dict[str, list[str]], where: str) -> str:
    """After damage in one place every own operation is there; in both, a beginning of each chain, or a word."""
    with standing(Path(folder)) as world:
        leader = world.tablets["leader"]
        try:
            store = leader.store
        except StoreDamaged:
            assert where == "both", "one damaged file shut the tablet"
            export_raw(leader.folder, Path(folder) / "raw")
            assert (Path(folder) / "raw" / "copy").exists()
            return "raw"
        held = own_ids(store)
        for subject, ids in own.items():
            there = held.get(SubjectId(subject), [])
            if where != "both":
                assert there == ids, f"{len(ids) - len(there)} operations were not recovered"
            assert there == ids[: len(there)], "the chain is another"
        assert held, "the tablet started empty"
        if any(held.get(SubjectId(subject), []) != ids for subject, ids in own.items()):
            assert store.alarms()[-1].code == "store_lost", "a loss was not said"
        if where != "both":
            records.answer(store, leader.record(world.visit), "/mc/after", 1, leader.clock())
            for _ in range(4):
                done = leader.sync()
                world.clock.pass_(minutes=2)
            assert done.trouble == "", done
            _every_file_counts(store, world)
        return "recovered"


def _every_file_counts(store: Store, world: World) -> None:
    """A damaged file was noticed by its hash: it is whole again, or said."""
    for kept in store.files():
        path = store.folder / "media" / kept.sha256
        whole = path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == kept.sha256
        assert whole or store.file_bytes(kept.sha256) is None, "damaged bytes were handed out"
        if not whole:
            assert any(alarm.code == "file_damaged" for alarm in store.alarms()), "a damaged file was not said"
