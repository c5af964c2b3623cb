"""The administrator's drill, step by step as `docs/administrator.md` numbers it, with the commands as processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from field_app.acts import records
from field_app.enrolment import enrol
from field_app.store.store import Store
from field_app.sync.worker import Worker
from server.accounts import actions as accounts
from server.accounts import queries as people
from server.accounts.actions import NewPerson
from server.app import open_office
from server.config import Config
from server.ledger.actions import record as act
from server.ledger.verify import verify
from server.office import Office
from shared.accounts import Role, RoleGranted
from shared.values import DeviceId, SubjectId
from tests.ground.tablet import CHEAP, PIN, TabletKeystore
from tests.network.serving import PASSPHRASE, Serving
from tests.operating.disaster import on_the_office
from tests.postgres import Cluster

ROOT = Path(__file__).parents[2]


def now() -> datetime:
    return datetime.now(UTC)


class Machine:
    """The machine of the office: its folder, its database, and what is typed there."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder, self.data = folder, folder / "office"
        self.database = database or f"sqlite:///{self.data / 'office.db'}"
        self.serving: Serving | None = None
        self.port = 0

    def qorgan(self, *typed: str, code: int = 0) -> str:
        """One command; what it printed. Its exit code must be the one that is expected."""
        environment = {
            **os.environ, "QORGAN_DATA": str(self.data), "QORGAN_DATABASE": self.database,
            "QORGAN_KEY_PASSPHRASE": PASSPHRASE, "QORGAN_BACKUPS": str(self.folder / "other-disk"),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "server.cli", *typed], env=environment, cwd=ROOT, capture_output=True, text=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, (typed, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def serve(self) -> str:
        """The office runs; where it answers."""
        self.serving = Serving(self.data, self.database, None, port=self.port)
        self.port = self.serving.port
        return self.serving.ready().address

    def stop(self) -> None:
        """The office does not run."""
        if self.serving is not None:
            self.serving.end()
            self.serving = None

    def office(self) -> Office:
        """What the console does, done here: nobody types into a browser in this drill."""
        return open_office(Config(self.data, self.database, PASSPHRASE))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.stop()


def found(machine: Machine) -> None:
    words = machine.folder / "words"
    words.write_text("blue lantern over nine hills", encoding="utf-8")
    machine.qorgan(
        "found", "--name-kk", "Кеңсе", "--name-ru", "Аппарат", "--name-en", "Office", "--admin", "Admin",
        "--admin-login", "admin", "--admin-passphrase-file", str(words), "--second", "Second", "--second-login",
        "second", "--second-passphrase-file", str(words), "--keyholder", "One", "--keyholder", "Two", "--keyholder",
        "Three",
    )  # fmt: skip


def enrolled(machine: Machine, address: str) -> Store:
    office = machine.office()
    with office.database.write() as session:
        admin = people.first_admin(session)
        second = people.person_of_login(session, "second")
        assert admin
        assert second
        person = accounts.add_person(session, office, admin, NewPerson("Member", ()), now())
        granted = RoleGranted(role=Role.NPM_MEMBER, since="2026-01-01", second=second)
        act(session, office, SubjectId(person), admin, [granted], now())
        code = accounts.make_code(session, office, admin, person, now())
    store = Store.create(machine.folder / "tablet", PIN, TabletKeystore(), now(), CHEAP)
    enrol(store, address, code, "Tablet")
    with office.database.write() as session:
        accounts.confirm_device(session, office, second, DeviceId(store.identity.device), now())
    office.database.engine.dispose()
    return store


def synced(store: Store) -> None:
    worker = Worker(store, now, lambda: 0.5)
    for _ in range(3):
        done = worker.run_once()
        assert done.trouble == "", done
    assert store.unsent() == 0


def key_passphrase(said: str, folder: Path) -> Path:
    file = folder / "backup-words"
    file.write_text(said.split("(shown once): ", 1)[1].split("\n", 1)[0], encoding="utf-8")
    return file


def backup_in(machine: Machine) -> Path:
    (made,) = (machine.folder / "other-disk").glob("*.backup")
    return made


def test_the_drill(machine: Machine, postgres: Cluster) -> None:
    # 1 the office, the key of its backups on a stick, and the copy of its keys in a safe
    found(machine)
    stick, safe = machine.folder / "stick", machine.folder / "safe"
    words = key_passphrase(machine.qorgan("backup-key", str(stick / "backup.key")), _made(safe))
    shutil.copytree(machine.data / "keys", safe / "keys")
    # 2 a day's work, and the backup of that night while the office runs
    address = machine.serve()
    store = enrolled(machine, address)
    records.loose_note(store, "before the backup", now())
    synced(store)
    assert store.meta.durable == 0
    assert "proven" in machine.qorgan("backup")
    made = backup_in(machine)
    # 3 the backup is proven with its key
    proof = machine.qorgan(
        "backup-check", str(made), "--key", str(stick / "backup.key"), "--passphrase-file", str(words)
    )
    assert "no byte changed" in proof
    assert "opens and is whole" in proof
    # 4 more work, then the machine is lost: database, media, keys
    records.loose_note(store, "after the backup", now())
    synced(store)
    assert 0 < store.meta.durable < store.meta.position, "tablets know how far the backup reaches"
    acknowledged = on_the_office(machine.office())
    machine.stop()
    shutil.rmtree(machine.data)
    # 5 a new machine: the keys from the safe, an empty database, of the other engine
    shutil.copytree(safe / "keys", machine.data / "keys")
    machine.database = postgres.new()
    restoring = ("restore", str(made), "--key", str(stick / "backup.key"), "--passphrase-file", str(words))
    said = machine.qorgan(*restoring)
    assert "Epoch 2 begins" in said
    assert "Member, Tablet: last heard of" in said
    assert acknowledged - on_the_office(machine.office()), "the note after the backup is not there yet"
    # 6 the office runs again; tablets bring back what it lacks and say so
    assert machine.serve() == address
    synced(store)
    assert "office_restored" in [alarm.code for alarm in store.alarms()]
    # 7 nothing acknowledged is lost; the ledger is whole; tables are what it says
    office = machine.office()
    assert acknowledged <= on_the_office(office)
    office.database.engine.dispose()
    assert "whole" in machine.qorgan("verify", "--media")
    # 8 and the next backup covers it
    assert "of epoch 2" in machine.qorgan("backup")
    synced(store)
    assert store.meta.durable > 0
    store.close()
    machine.stop()
    # 9 from PostgreSQL to SQLite again: the same operations
    acknowledged = on_the_office(machine.office())
    newest = max((machine.folder / "other-disk").glob("*.backup"), key=lambda path: path.stat().st_mtime)
    third = Machine(_made(machine.folder / "third"))
    shutil.copytree(safe / "keys", third.data / "keys")
    assert "Epoch 3 begins" in third.qorgan(restoring[0], str(newest), *restoring[2:])
    back = third.office()
    assert acknowledged <= on_the_office(back)
    with back.database.read() as session:
        assert verify(session).is_whole
    back.database.engine.dispose()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
