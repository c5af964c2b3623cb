"""The office's process is killed, with SIGKILL, in the middle of a backup, a restore, a rebuild, a migration: nothing
half stands, and the next run is right. Each work is first run whole to count its steps: statements, fsyncs, renames.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from server.app import create_app, keys_in_force
from server.backup.keys import keep_address
from server.backup.making import SUFFIX, make_backup
from server.backup.queries import durable
from server.backup.restoring import restore
from server.db import Database
from server.ledger import queries
from server.ledger.rebuild import rebuild_compared, table_hashes
from server.ledger.verify import verify
from server.migrations import check_schema, migrate
from server.office import Office
from shared.accounts import Role
from shared.ledger.crypto import box_address, new_box_key
from tests.server.conftest import Clock, World, an_office, found
from tests.server.test_backup import a_file, silent

MOST = 12
"""Places of one work at which it is killed, spread evenly over its steps."""
SECRET = new_box_key()
Work = Callable[[Path], object]


def _counting(reached: Callable[[], None]) -> None:
    """In a process of its own: every statement, fsync and rename tells that it is about to be made."""
    fsync, rename = os.fsync, os.replace

    def told_fsync(handle: int) -> None:
        reached()
        fsync(handle)

    def told_replace(*names: object) -> None:
        reached()
        rename(*names)  # type: ignore[arg-type]

    os.fsync, os.replace = told_fsync, told_replace  # type: ignore[assignment]
    event.listen(Engine, "before_cursor_execute", lambda *_: reached())
    event.listen(Engine, "commit", lambda *_: reached())


def steps_of(work: Work, folder: Path) -> int:
    """How many steps the whole work takes."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def reached() -> None:
            nonlocal count
            count += 1

        code = 1
        try:
            _counting(reached)
            work(folder)
            os.write(writer, str(count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    said = os.read(reader, 32)
    os.close(reader)
    assert status == 0
    return int(said)


def killed_at(work: Work, folder: Path, step: int) -> None:
    """Runs the work in a process of its own that dies before this step."""
    child = os.fork()
    if child == 0:
        left = step

        def reached() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            _counting(reached)
            work(folder)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"step {step} never came"


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an office on SQLite with a visit and a file, its database closed."""
    folder = tmp_path_factory.mktemp("office")
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    office, clock = an_office(url, folder), Clock()
    world = World(office, clock, found(office, clock), create_app(clock=clock, office=office))
    world.visit(world.person(Role.NPM_MEMBER), world.person(Role.NPM_MEMBER))
    a_file(world, b"ciphertext")
    keep_address(office.config.keys, box_address(SECRET).hex())
    office.database.engine.dispose()
    KEYS["keys"] = office.keys
    return folder


KEYS: dict[str, object] = {}


def opened(folder: Path, name: str = "office.db") -> Office:
    office = an_office(f"sqlite:///{folder / name}", folder)
    office = replace(office, keys=KEYS["keys"])  # type: ignore[arg-type]
    return replace(office, keys=keys_in_force(office.database, office.keys))


def places(work: Work, folder: Path, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Fresh copies of the office, each with the step at which the work dies there."""
    first = shutil.copytree(folder, tmp_path / "whole")
    steps = steps_of(work, first)
    chosen = sorted({1 + number * (steps - 1) // (MOST - 1) for number in range(MOST)})
    for step in chosen:
        yield step, shutil.copytree(folder, tmp_path / f"at-{step}")


def test_killed_in_a_backup_nothing_half_stands(founded: Path, tmp_path: Path) -> None:
    def work(folder: Path) -> object:
        return make_backup(opened(folder), folder / "backups", Clock(), silent)

    for step, folder in places(work, founded, tmp_path):
        killed_at(work, folder, step)
        office = opened(folder)
        for stands in (folder / "backups").glob(f"*{SUFFIX}"):
            header_proven = make_and_check(office, stands)
            assert header_proven, step
        with office.database.read() as session:
            covered = durable(session)
            assert covered in (0, queries.counter(session).value)
            assert not covered or list((folder / "backups").glob(f"*{SUFFIX}")), "durable without a backup"
        made = make_backup(office, folder / "backups", lambda: Clock().pass_(minutes=5), silent)
        assert made.is_proven
        assert not list((folder / "backups").glob(".*.part"))
        office.database.engine.dispose()


def make_and_check(office: Office, stands: Path) -> bool:
    """Whether a backup that has its name opens and is whole."""
    from server.backup import archive
    from server.backup.making import prove

    header, _ = archive.check_footer(stands)
    return prove(stands, header, archive.file_key(header, SECRET), lambda done, of: None).ended


def test_killed_in_a_restore_the_database_is_empty_or_whole(founded: Path, tmp_path: Path) -> None:
    source = shutil.copytree(founded, tmp_path / "source")
    office = opened(source)
    made = make_backup(office, tmp_path / "backups", Clock(), silent)
    office.database.engine.dispose()
    base = tmp_path / "base"
    base.mkdir()
    migrate(f"sqlite:///{base / 'new.db'}")

    def work(folder: Path) -> object:
        return restore(opened(folder, "new.db"), made.path, SECRET, tmp_path / "backups" / "media", Clock().now, silent)

    for step, folder in places(work, base, tmp_path):
        killed_at(work, folder, step)
        again = opened(folder, "new.db")
        with again.database.read() as session:
            is_empty = not queries.subjects(session, "office")
            assert is_empty or verify(session).is_whole, step
        if is_empty:
            work(folder)
        with again.database.read() as session:
            assert verify(session).is_whole, step
            assert queries.counter(session).epoch == 2
        again.database.engine.dispose()


def test_killed_in_a_rebuild_the_old_rows_stand_or_the_new_ones(founded: Path, tmp_path: Path) -> None:
    def work(folder: Path) -> object:
        return rebuild_compared(opened(folder).database)

    with opened(founded).database.read() as session:
        right = table_hashes(session)
    for step, folder in places(work, founded, tmp_path):
        killed_at(work, folder, step)
        office = opened(folder)
        with office.database.read() as session:
            assert table_hashes(session) == right, step
        assert not rebuild_compared(office.database).differing
        office.database.engine.dispose()


def test_killed_in_a_migration_the_next_one_is_right(tmp_path: Path) -> None:
    def work(folder: Path) -> object:
        return migrate(f"sqlite:///{folder / 'office.db'}")

    base = tmp_path / "base"
    base.mkdir()
    for step, folder in places(work, base, tmp_path):
        killed_at(work, folder, step)
        work(folder)
        check_schema(f"sqlite:///{folder / 'office.db'}")
        database = Database(f"sqlite:///{folder / 'office.db'}")
        with database.read() as session:
            assert queries.counter(session).value == 0
        database.engine.dispose()
