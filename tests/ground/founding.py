"""What every world begins with, made once in a process: an office with its people, a visit ready to start, tablets.

Kept as files in a folder that goes when the process ends; a world copies them. Nothing here is doubled: the office is
founded, people are granted roles, tablets enrol and sync through the product's own functions.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from flask import Flask

from field_app.enrolment import enrol
from field_app.store.store import Store
from field_app.sync.worker import Worker
from server.accounts import actions as accounts
from server.accounts.actions import NewPerson, found_office
from server.app import create_app
from server.config import Config
from server.db import Database
from server.keys import Keys, make_keys
from server.ledger.actions import record
from server.ledger.opening import Sealer
from server.migrations import migrate
from server.office import Office, new_subject
from server.visits import actions as visits
from shared.accounts import Role, RoleGranted
from shared.deadlines import read_calendar
from shared.law.law import read_rules
from shared.ledger.crypto import box_address, new_box_key
from shared.values import DeviceId, PersonId, SubjectId
from shared.visits import ConflictDeclared, GroupFormed, VisitPlanned
from tests.ground.chance import seeded
from tests.ground.clock import START, Clock
from tests.ground.line import Line, laid
from tests.ground.tablet import CHEAP, PIN, TabletKeystore

MEMORY = Path("/dev/shm")
OFFICE_PORT = 18000
TABLETS = ("leader", "other", "third", "outsider")
PEOPLE: dict[str, tuple[Role, ...]] = {
    "officer": (Role.CENTRE_OFFICER,),
    "officer_two": (Role.CENTRE_OFFICER,),
    "commissioner": (Role.COMMISSIONER,),
    "council": (Role.COUNCIL_MEMBER,),
    "leader": (Role.NPM_MEMBER,),
    "other": (Role.NPM_MEMBER,),
    "third": (Role.NPM_MEMBER,),
    "outsider": (Role.NPM_MEMBER,),
}
INSTITUTION = "syn-1"


@dataclass(frozen=True)
class Founded:
    """The files every world copies, and who is in them.

    people      admin, secretary (the second officer), and the names of PEOPLE → person
    keyholders  number → X25519 secret
    devices     name of a tablet → its device
    """

    folder: Path
    office: Office
    people: dict[str, PersonId]
    keyholders: dict[int, bytes]
    visit: SubjectId
    devices: dict[str, DeviceId]
    app: Flask


def port_of(name: str) -> int:
    """The port of the loopback behind which a tablet's line begins."""
    return OFFICE_PORT + 1 + TABLETS.index(name)


@cache
def founded() -> Founded:
    """The one of this process; the same bytes in every process, so that a seed plays alike everywhere."""
    with seeded(0):
        return _found()


def _found() -> Founded:
    folder = Path(tempfile.mkdtemp(prefix="qorgan-ground-", dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    clock = Clock(START - timedelta(days=1))
    office = _office(folder)
    people, keyholders = _people(office, clock)
    app = create_app(clock=clock, office=office)
    visit = _visit(office, people, clock)
    devices = _tablets(folder, office, app, people, clock)
    office.database.engine.dispose()
    _fold_log_in(folder / "office.db")
    return Founded(folder, office, people, keyholders, visit, devices, app)


def _office(folder: Path) -> Office:
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    config = Config(data=folder, database=url, key_passphrase="unused", address=f"http://127.0.0.1:{OFFICE_PORT}")
    return Office(config, Database(url), make_keys(int(START.timestamp() * 1000)), read_rules(), read_calendar())


def _people(office: Office, clock: Clock) -> tuple[dict[str, PersonId], dict[int, bytes]]:
    secrets = {number: new_box_key() for number in (1, 2, 3)}
    with office.database.write() as session:
        holders = [
            (NewPerson(f"Keyholder {number}", (Role.KEYHOLDER,)), box_address(secret).hex())
            for number, secret in secrets.items()
        ]
        names = {"kk": "Кеңсе", "ru": "Аппарат", "en": "Office"}
        admin = NewPerson("Admin", (Role.ADMIN,))
        secretary = NewPerson("Secretary", (Role.COUNCIL_SECRETARY,))
        made = found_office(session, office, names, admin, secretary, holders, clock.now)
    people = {"admin": made.admin, "secretary": made.second}
    for name, roles in PEOPLE.items():
        with office.database.write() as session:
            person = accounts.add_person(session, office, made.admin, NewPerson(name.title(), ()), clock.now)
            bodies = [RoleGranted(role=role, since="2026-01-01", second=made.second) for role in roles]
            record(session, office, SubjectId(person), made.admin, bodies, clock.now)
        people[name] = person
    return people, secrets


def _visit(office: Office, people: dict[str, PersonId], clock: Clock) -> SubjectId:
    """Planned, its group formed, nobody in conflict, the mandate issued, an officer assigned: it may start."""
    group = tuple(people[name] for name in TABLETS[:3])
    visit, secretary = new_subject(clock.now), people["secretary"]
    with office.database.write() as session:
        sealer = Sealer(session, office, visit, None, group)
        plan = {"institution": INSTITUTION, "from_on": "2026-03-02", "to_on": "2026-03-06"}
        key, sealed = sealer.seal(VisitPlanned.KIND, plan)
        planned = VisitPlanned(visit_kind="special", key=key, sealed=sealed, photos_allowed=True)
        formed = GroupFormed(members=group, leader=group[0], least=2)
        record(session, office, visit, secretary, [*sealer.bodies(), planned, formed], clock.now)
        for person in group:
            record(session, office, visit, person, [ConflictDeclared(conflict=False)], clock.now)
        visits.issue_mandate(session, office, secretary, visit, date(2026, 3, 2), date(2026, 3, 31), clock.now)
        visits.assign_officer(session, office, secretary, visit, people["officer"], clock.now)
    return visit


def _tablets(
    folder: Path, office: Office, app: Flask, people: dict[str, PersonId], clock: Clock
) -> dict[str, DeviceId]:
    """Enrolled, confirmed, and in step with the office; closed in good order."""
    stores: dict[str, Store] = {}
    with laid({port_of(name): Line(app) for name in TABLETS}):
        for name in TABLETS:
            store = Store.create(folder / name, PIN, TabletKeystore(), clock.now, CHEAP)
            with office.database.write() as session:
                code = accounts.make_code(session, office, people["admin"], people[name], clock.now)
            enrol(store, f"http://127.0.0.1:{port_of(name)}", code, name)
            with office.database.write() as session:
                accounts.confirm_device(
                    session, office, people["secretary"], DeviceId(store.identity.device), clock.now
                )
            stores[name] = store
        for name, store in stores.items():
            for _ in range(3):
                done = Worker(store, clock, lambda: 0.5).run_once()
                assert done.trouble == "", f"{name}: {done}"
            clock.pass_(minutes=2)
    devices = {name: DeviceId(store.identity.device) for name, store in stores.items()}
    for name, store in stores.items():
        store.close()
        for left in ("ballast", "owner"):
            (folder / name / left).unlink(missing_ok=True)
    return devices


def _fold_log_in(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.execute("pragma journal_mode=delete")
    connection.close()


def copy_tree(source: Path, target: Path) -> None:
    """A folder copied; packs and media, which are never written over, become second names of the same files."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(source):
        if entry.is_dir():
            copy_tree(Path(entry.path), target / entry.name)
        elif source.name == "packs":
            try:
                os.link(entry.path, target / entry.name)
            except OSError:
                shutil.copyfile(entry.path, target / entry.name)
        else:
            shutil.copyfile(entry.path, target / entry.name)


def keys_of(founded: Founded) -> Keys:
    """The keys of the founded office."""
    return founded.office.keys
