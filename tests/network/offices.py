"""Offices that cost little: founded once a process with their people and tablets, then copied for each seed.

Tablets are those of `tests.server.conftest`: keys, chains and cursor, and nothing that would mend a fault by itself.
"""

from __future__ import annotations

import atexit
import base64
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from server.app import create_app
from server.config import Config
from server.db import Database
from server.ledger.exchange import exchange
from server.migrations import migrate
from server.office import Office
from shared.accounts import Role
from shared.ledger.crypto import sign
from shared.ledger.frame import Frame
from shared.ledger.messages import ChainHead, Reply, request_message
from shared.observations.answers import AnswerRecorded
from shared.observations.record import RecordOpened
from shared.values import DeviceId, PersonId, SubjectId
from tests.server.conftest import START, Clock, Tablet, World, an_office, found
from tests.trials.trial import MEMORY, Ground


@dataclass(frozen=True)
class Enrolled:
    """A tablet as it was when the office was copied."""

    device: DeviceId
    person: PersonId
    secret: bytes
    box_secret: bytes


@dataclass(frozen=True)
class Founding:
    """An office to be copied: the office it was, who is in it, its visits, and where its tables lie."""

    world: World
    tablets: tuple[Enrolled, ...]
    visits: tuple[SubjectId, ...]


@dataclass
class Scene:
    """A copy: the office, one tablet a member, the visits, each of all members."""

    world: World
    tablets: list[Direct]
    visits: list[SubjectId]

    def close(self) -> None:
        """Lets the database go."""
        self.world.office.database.engine.dispose()


class Direct(Tablet):
    """A tablet that speaks with the office by a call instead of HTTP: quick, and from any thread."""

    def sync(self, *frames: Frame, lacks: tuple[ChainHead, ...] = ()) -> Reply:
        """One exchange; what it brings is kept. Two seconds pass, so that no limit a minute is met."""
        self.world.clock.pass_(seconds=2)
        return self.take(self.said(self.request(*frames, lacks=lacks)))

    def said(self, body: bytes) -> bytes:
        """The office's plain reply to plain bytes. Raises RuleBroken."""
        signature = base64.b64encode(sign(self.secret, request_message(body))).decode()
        return exchange(self.world.office, body, signature, self.world.now)


_foundings: dict[tuple[str, int, int], Founding] = {}


def scene(ground: Ground, engine: str = "sqlite", members: int = 2, visits: int = 1, name: str = "office") -> Scene:
    """A fresh copy on this ground; copies of one founding have the same people, tablets and keys."""
    key = (engine, members, visits)
    if engine == "sqlite":
        if key not in _foundings:
            folder = Path(tempfile.mkdtemp(prefix="qorgan-founding-", dir=MEMORY if MEMORY.is_dir() else None))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            url = f"sqlite:///{folder / 'office.db'}"
            migrate(url)
            _foundings[key] = _founded(url, folder, members, visits)
        url = f"sqlite:///{ground.folder / name}.db"
        shutil.copy(_foundings[key].world.office.config.data / "office.db", ground.folder / f"{name}.db")
    else:

        def fill(url: str) -> None:
            migrate(url)
            _foundings[key] = _founded(url, ground.folder, members, visits)

        url = ground.filled_postgres(f"{members} members, {visits} visits", fill)
    return _copy(_foundings[key], url, ground.folder)


def _founded(url: str, folder: Path, members: int, visits: int) -> Founding:
    office, clock = an_office(url, folder), Clock()
    world = World(office, clock, found(office, clock), create_app(clock=clock, office=office))
    people = [world.person(Role.NPM_MEMBER) for _ in range(members)]
    tablets = [world.tablet(person) for person in people]
    begun = tuple(world.visit(*people) for _ in range(visits))
    if office.database.is_sqlite:
        with office.database.engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    office.database.engine.dispose()
    return Founding(
        world, tuple(Enrolled(each.id, each.person, each.secret, each.box_secret) for each in tablets), begun
    )


def _copy(founding: Founding, url: str, folder: Path) -> Scene:
    old = founding.world
    config = Config(data=folder, database=url, key_passphrase="unused", address="http://127.0.0.1:8000")
    office = Office(config, _database(url, old.office), old.office.keys, old.office.rules, old.office.calendar)
    clock = Clock(START + timedelta(hours=1))
    old.app.extensions["qorgan"], old.app.extensions["qorgan_clock"] = office, clock
    world = World(office, clock, old.founded, old.app, _count=old._count)
    tablets = [Direct(world, each.person, each.secret, each.box_secret, each.device) for each in founding.tablets]
    return Scene(world, tablets, list(founding.visits))


def _database(url: str, first: Office) -> Database:
    """A database whose statements were compiled once for all copies."""
    database = Database(url)
    database.engine.dialect = first.database.engine.dialect
    database.engine._compiled_cache = first.database.engine._compiled_cache  # type: ignore[attr-defined]
    return database


def answers(count: int, start: int = 0) -> list[AnswerRecorded]:
    """Different answers, each its own."""
    return [AnswerRecorded(item=f"/mc/q{number}", value=number) for number in range(start, start + count)]


def record_of(tablet: Tablet, visit: SubjectId, subject: SubjectId, count: int = 3) -> Frame:
    """The first frame of a record of the visit: opened, and some answers."""
    return tablet.write(subject, RecordOpened(visit=visit, checklists=()), *answers(count))
