"""What the office does on a full or failing disk, and a photo that goes whole. Each function is a whole child.

Trouble is for the one who asked: a status or an error that has a sentence. Once the disk is well the same process works
on, without a restart. Marks as in `office_acts`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from server.backup import archive
from server.backup.keys import keep_address
from server.backup.making import SUFFIX, Made, make_backup, prove
from server.ledger.projecting import BehindTheLedger
from server.ledger.rebuild import rebuild
from server.migrations import migrate
from shared.ledger.crypto import box_address, new_box_key
from tests.faults.office_acts import leader_says, mark_received
from tests.faults.scene import standing
from tests.faults.yard import Stand
from tests.ground.tablet import Tablet


def push(stand: Stand, folder: str, count: int = 6) -> dict[str, Any]:
    """A push with a photo; the tablet is told, and what it tries once the disk is well reaches the same process."""
    with standing(Path(folder), ("leader",)) as world:
        leader = world.tablets["leader"]
        leader_says(world, count, with_photo=True)
        heard = _statuses(leader)
        stand.arm()
        for _ in range(2):
            leader.sync()
            world.clock.pass_(minutes=2)
        stand.calm()
        mark_received(stand, world)
        refused = [str(status) for status in heard if status >= 400]
        for _ in range(5):
            world.clock.pass_(minutes=2)
            done = leader.sync()
        assert (done.trouble, leader.store.unsent()) == ("", 0), f"{done}: the office does not come back by itself"
        mark_received(stand, world)
        leader.close()
        return {"refused": refused}


def _statuses(tablet: Tablet) -> list[int]:
    """The status of every answer the tablet gets from now on, as it comes."""
    heard: list[int] = []
    real = tablet.line.application

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        def started(status: str, *rest: Any) -> Any:
            heard.append(int(status.split()[0]))
            return start(status, *rest)

        return real(environ, started)

    tablet.line.application = application
    return heard


def _tried(stand: Stand, work: Callable[[], Any]) -> list[str]:
    """The work on a disk in trouble, and again once it is well: then it must succeed. What was said to the first."""
    stand.arm()
    said = []
    try:
        work()
    except (SQLAlchemyError, OSError) as error:  # what the command line and the API have a sentence for
        said.append(type(error).__name__)
    stand.calm()
    work()
    return said


def project(stand: Stand, folder: str) -> dict[str, Any]:
    """What waits is projected in the same process once the disk is well; nothing is put aside as impossible."""
    with standing(Path(folder), ("leader",)) as world:
        ledger = BehindTheLedger()
        assert ledger.waiting(world.office.database, 1)
        said = _tried(stand, lambda: ledger.drain(world.office.database))
        assert not ledger._stuck, "a disk in trouble is taken for a subject that no table takes"
        with world.office.database.read(behind=True) as session:
            assert not ledger.is_behind(session)
        return {"refused": said}


def build_again(stand: Stand, folder: str) -> dict[str, Any]:
    """A rebuild that fails leaves the old rows, and the next one goes through."""
    with standing(Path(folder), ("leader",)) as world:
        return {"refused": _tried(stand, lambda: rebuild(world.office.database))}


def schema(stand: Stand, folder: str) -> dict[str, Any]:
    """A migration that fails goes on when the disk is well."""
    return {"refused": _tried(stand, lambda: migrate(f"sqlite:///{folder}/office/office.db"))}


def back_up(stand: Stand, folder: str) -> dict[str, Any]:
    """A backup that fails leaves no name; the next one goes through and can be read with its key."""
    with standing(Path(folder), ("leader",)) as world:
        secret, target, made = new_box_key(), world.office.config.data / "backups", list[Made]()
        keep_address(world.office.config.keys, box_address(secret).hex())

        def work() -> None:
            world.clock.pass_(minutes=1)
            made.append(make_backup(world.office, target, world.clock, lambda *said: None))

        said = _tried(stand, work)
        for path in target.glob(f"*{SUFFIX}"):
            header, _ = archive.check_footer(path)
            assert prove(path, header, archive.file_key(header, secret), lambda done, of: None).ended
        assert not list(target.glob(".*.part"))
        stand.mark({"backup": made[-1].path.name})
        return {"refused": said}


# ── a photo that goes whole ─────────────────────────────────────────────────────────────────────────────────────────


def photo_whole(stand: Stand, folder: str) -> None:
    """One photo, each of its files whole in one request; the shim counts from the first of them on."""
    with standing(Path(folder), ("leader",)) as world:
        leader = world.tablets["leader"]
        leader_says(world, 0, with_photo=True)
        begun: list[str] = []

        def on_call(method: str, path: str) -> None:
            if path.startswith("/api/media") and not begun:
                begun.append(path)
                stand.arm()

        leader.line.on_call = on_call
        assert leader.sync().trouble == ""
        assert begun
        assert not [path for method, path in leader.line.calls if method == "PATCH"], "a photo went in pieces"
        mark_received(stand, world)
        leader.close()


def photo_again(stand: Stand, folder: str) -> None:
    """Another process of the office, and the tablet as it is: it tries until the office says it has all files."""
    with standing(Path(folder), ("leader",)) as world:
        leader = world.tablets["leader"]
        stand.arm()
        for _ in range(5):
            done = leader.sync()
            world.clock.pass_(minutes=2)
        assert (done.trouble, leader.store.unsent()) == ("", 0), done
        mark_received(stand, world)
        leader.close()
