"""What the office does while things break, and what must hold of it afterwards. Each function is a whole child.

A mark is a promise: {"receipt": ids of the operations a signed answer called accepted}, {"file": hash}, {"done": what}.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from werkzeug.serving import make_server

from field_app.acts import photos, records
from server.backup.keys import keep_address
from server.backup.making import make_backup
from server.ledger.projecting import BehindTheLedger
from server.ledger.rebuild import project_all, rebuild, table_hashes
from server.ledger.verify import verify
from server.migrations import migrate
from shared.ledger.crypto import box_address, new_box_key
from tests.faults.scene import own_ids, standing
from tests.faults.tablet_acts import picture
from tests.faults.yard import Stand
from tests.ground import Clock, World
from tests.ground.founding import founded
from tests.ground.tablet import Tablet


def leader_says(world: World, count: int, with_photo: bool) -> None:
    """So many answers on the leader's tablet, and a photo."""
    leader = world.tablets["leader"]
    record = leader.record(world.visit)
    for number in range(count):
        records.answer(leader.store, record, f"/mc/push{number}", f"жауап {number}", leader.clock())
    if with_photo:
        photos.take(leader.store, record, picture(), leader.clock())


def push(stand: Stand, folder: str, count: int = 12) -> None:
    """A push with a photo: the tablet's own client and the office's application in one process."""
    with standing(Path(folder), ("leader",)) as world:
        leader = world.tablets["leader"]
        leader_says(world, count, with_photo=True)
        stand.arm()
        done = leader.sync()
        if not done.trouble:
            mark_received(stand, world)
        leader.close()


def mark_received(stand: Stand, world: World) -> None:
    """What the office's signed word says it holds."""
    store = world.tablets["leader"].store
    held: list[str] = []
    for subject, ids in own_ids(store).items():
        for cut in store._o.cuts:
            if cut.header.subject == subject and cut.is_received:
                held += ids[cut.header.first - 1 : cut.last]
    files = [kept.sha256 for kept in store.files() if kept.received]
    stand.mark({"receipt": held, "files": files})


def project(stand: Stand, folder: str) -> None:
    """Frames accepted already are projected."""
    with standing(Path(folder), ("leader",)) as world:
        ledger = BehindTheLedger()
        assert ledger.waiting(world.office.database, 1)
        stand.arm()
        ledger.drain(world.office.database)
        stand.mark({"done": "projected"})


def build_again(stand: Stand, folder: str) -> None:
    """Every projection is made again."""
    with standing(Path(folder), ("leader",)) as world:
        stand.arm()
        rebuild(world.office.database)
        stand.mark({"done": "rebuilt"})


def schema(stand: Stand, folder: str) -> None:
    """An empty database gets its tables."""
    stand.arm()
    migrate(f"sqlite:///{folder}/office/office.db")
    stand.mark({"done": "migrated"})


def back_up(stand: Stand, folder: str) -> None:
    """A backup is made of the running office."""
    with standing(Path(folder), ("leader",)) as world:
        keep_address(world.office.config.keys, box_address(new_box_key()).hex())
        stand.arm()
        made = make_backup(world.office, Path(folder) / "office" / "backups", world.clock, lambda *said: None)
        stand.mark({"backup": made.path.name})


# ── what must hold afterwards ───────────────────────────────────────────────────────────────────────────────────────


def holds(stand: Stand, folder: str, promised: list[dict[str, Any]], send: bool = True) -> None:
    """The office opens, its ledger is whole, what it called accepted is there once, its tables are what frames say."""
    with standing(Path(folder), ("leader",)) as world:
        _is_whole(world)
        leader = world.tablets["leader"]
        held = _held(world, list(own_ids(leader.store)))
        for said in promised:
            missing = set(said.get("receipt", ())) - set(held)
            assert not missing, f"{len(missing)} operations with a receipt are gone"
            for name in said.get("files", ()):
                data = (world.office.media / name[:2] / name).read_bytes()
                assert hashlib.sha256(data).hexdigest() == name
        if send:
            deliver_once(world)


def deliver_once(world: World) -> None:
    """The tablet tries again: everything arrives, once, and the tables follow."""
    leader = world.tablets["leader"]
    for _ in range(5):
        done = leader.sync()
        if not done.trouble and not leader.store.unsent():
            break
        world.clock.pass_(minutes=2)
    assert done.trouble == "", done
    own = own_ids(leader.store)
    held = _held(world, list(own))
    assert {id_ for ids in own.values() for id_ in ids} <= set(held)
    assert leader.store.unsent() == 0
    assert leader.store.meta.differs == ()
    _is_whole(world)


def _held(world: World, subjects: list[Any]) -> list[str]:
    held = [each.id for subject in subjects for each in world.operations(subject)]
    assert len(held) == len(set(held)), "an operation is there twice"
    return held


def _is_whole(world: World) -> None:
    with world.office.database.read() as session:
        found = verify(session)
        assert found.is_whole, found.wrong
    with world.office.database.write() as session:
        before = table_hashes(session)
        project_all(session)
        assert before == table_hashes(session), "the tables are not what the frames say"
        session.rollback()


def migrates(stand: Stand, folder: str, promised: list[dict[str, Any]], send: bool = True) -> None:
    """The migration goes on where it was killed, and the schema is the one of an office never disturbed."""
    path = Path(folder) / "office" / "office.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    migrate(f"sqlite:///{path}")
    assert _schema_of(path) == _schema_of(founded().folder / "office.db")


def _schema_of(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("select type, name, tbl_name, sql from sqlite_master order by 1, 2").fetchall()
    connection.close()
    return [tuple(row) for row in rows if not row[1].startswith("sqlite_stat")]


def backed_up(stand: Stand, folder: str, promised: list[dict[str, Any]], send: bool = True) -> None:
    """A named backup can be read to its end; one that was cut short has no name; the next one goes through."""
    with standing(Path(folder), ("leader",)) as world:
        _is_whole(world)
        target = world.office.config.data / "backups"
        standing_ones = sorted(target.glob("qorgan-*")) if target.exists() else []
        named = [said["backup"] for said in promised if "backup" in said]
        assert set(named) <= {each.name for each in standing_ones}, "a backup that was named is gone"
        make_backup(world.office, target, Clock(world.clock.pass_(hours=1)), lambda *said: None)
        assert not list(target.glob(".*.part")), "what a killed backup left is still there"


# ── over HTTP, the office a process of its own ───────────────────────────────────────────────────────────────────────


def push_over_http(stand: Stand, folder: str, count: int) -> dict[str, Any]:
    """Pushes to an office that is killed on the way; once it is back everything is there, once."""
    place = Path(folder)
    with standing(place, ("leader",)) as world:
        leader = world.tablets["leader"]
        leader_says(world, count, with_photo=True)
        with serving(place, stand.arm) as port:
            turn_to(leader, port)
            first = leader.sync().trouble
        mark_received(stand, world)
        with serving(place, lambda: None) as port:
            turn_to(leader, port)
            deliver_once(world)
        return {"first": first}


def turn_to(tablet: Tablet, port: int) -> None:
    """The tablet's client speaks HTTP with this port from now on."""
    tablet._worker = None
    opened = tablet.store._o
    opened.identity = msgspec.structs.replace(opened.identity, server_url=f"http://127.0.0.1:{port}")


@contextmanager
def serving(place: Path, arm: Callable[[], None]) -> Iterator[int]:
    """A process that answers on a port of the loopback, until the block ends or the shim kills it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _serve(place, writing, arm)
        finally:
            os._exit(1)
    os.close(writing)
    port = int(os.read(reading, 16))
    os.close(reading)
    try:
        yield port
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _serve(place: Path, writing: int, arm: Callable[[], None]) -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    with standing(place, ()) as world:

        def application(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            world.clock.pass_(seconds=2)  # so that no limit a minute is met
            return world.application(environ, start)

        server = make_server("127.0.0.1", 0, application, threaded=False)
        arm()
        os.write(writing, str(server.server_port).encode())
        server.serve_forever()
