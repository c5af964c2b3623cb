"""One world: a copy of the founded office and its tablets in a folder, with one clock.

    with World.open(folder) as world:
        tablet = world.tablets["leader"]
        visits.start(tablet.store, world.visit, INSTITUTION, tablet.clock())
        assert tablet.sync().trouble == ""

The application is the real one, made once in a process; each request is answered with the office of the world whose
line it came through.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event
from werkzeug.test import Client

from field_app.acts import visits
from field_app.store import locking
from field_app.store.disk import keep_ballast
from server.accounts.sessions import open_session
from server.console.web import COOKIE
from server.db import Database
from server.ledger import queries
from server.ledger.actions import record
from server.office import Office
from shared.accounts import Role
from shared.ledger.operation import Body
from shared.values import DeviceId, PersonId, SubjectId
from tests.ground.clock import Clock, Skewed
from tests.ground.founding import INSTITUTION, OFFICE_PORT, Founded, copy_tree, founded, port_of
from tests.ground.line import Line, laid
from tests.ground.statements import told_of_statements
from tests.ground.tablet import Tablet

BALLAST = 64 * 1024
MEMBERS = ("leader", "other", "third")


@dataclass
class World:
    """An office, tablets and the lines between them. Made by `World.open`."""

    folder: Path
    clock: Clock
    office: Office
    people: dict[str, PersonId]
    keyholders: dict[int, bytes]
    visit: SubjectId
    tablets: dict[str, Tablet]
    _founded: Founded
    _stack: ExitStack = field(default_factory=ExitStack)

    # ── opening and leaving ─────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    @contextmanager
    def open(cls, folder: Path, tablets: Sequence[str] = MEMBERS, url: str = "") -> Iterator[World]:
        """A world in this folder, gone from memory when the block ends; the files stay.

        tablets  those to have, of leader, other, third (the group of the visit) and outsider
        url      address of another database that holds the founded office already; SQLite in the folder by default
        """
        world = cls._made(folder, tablets, url)
        try:
            yield world
        finally:
            world.close()

    @classmethod
    def _made(cls, folder: Path, tablets: Sequence[str], url: str) -> World:
        made = founded()
        folder.mkdir(parents=True, exist_ok=True)
        data = folder / "office"
        data.mkdir()
        if not url:
            shutil.copyfile(made.folder / "office.db", data / "office.db")
        clock = Clock()
        config = replace(made.office.config, data=data, database=url or f"sqlite:///{data / 'office.db'}")
        office = replace(made.office, config=config, database=_database(config.database, made))
        world = cls(folder, clock, office, dict(made.people), made.keyholders, made.visit, {}, made)
        for name in tablets:
            copy_tree(made.folder / name, folder / name)
            world.tablets[name] = Tablet(
                name, folder / name, made.people[name], made.devices[name], Line(world.application), Skewed(clock)
            )
        world._stack.enter_context(laid({port_of(name): each.line for name, each in world.tablets.items()}))
        world._stack.enter_context(patch.object(locking, "keep_ballast", partial(keep_ballast, size=BALLAST)))
        return world

    def close(self) -> None:
        """Tablets and database are let go."""
        for tablet in self.tablets.values():
            tablet.abandon()
        self.office.database.engine.dispose()
        self._stack.close()

    def set_out(self, *names: str) -> None:
        """These tablets, all without a name, are at the place of the visit, and each has read what the others wrote."""
        tablets = [self.tablets[name] for name in names or self.tablets]
        for tablet in tablets:
            visits.start(tablet.store, self.visit, INSTITUTION, tablet.clock())
            assert tablet.sync().trouble == ""
        for tablet in tablets:
            assert tablet.sync().trouble == ""

    # ── the office ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def now(self) -> Any:
        """The true moment it is."""
        return self.clock.now

    def application(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """The office as a WSGI application."""
        app = self._founded.app
        app.extensions["qorgan"], app.extensions["qorgan_clock"] = self.office, self.clock
        return app(environ, start)

    def client(self, person: str = "", hat: Role | None = None) -> Client:
        """A browser of its own; signed in under a hat when a person is named, the passphrase is not asked."""
        client = Client(self.application)
        if hat is not None:
            with self.office.database.write() as session:
                cookie = open_session(session, self.people[person], hat.value, self.clock.now)
            client.set_cookie(COOKIE, cookie, domain="127.0.0.1", secure=True)
        return client

    @property
    def address(self) -> str:
        """Where browsers reach the office."""
        return f"http://127.0.0.1:{OFFICE_PORT}"

    def write(self, subject: SubjectId, author: str, *bodies: Body) -> Any:
        """Operations of the office, by somebody named in `people`; the state after them."""
        with self.office.database.write() as session:
            return record(session, self.office, subject, self.people[author], list(bodies), self.clock.now)

    def state(self, subject: SubjectId) -> Any:
        """What the office knows of a subject."""
        with self.office.database.read() as session:
            return queries.state(session, subject)

    def operations(self, subject: SubjectId) -> list[Any]:
        """Every readable operation the office holds of a subject."""
        with self.office.database.read() as session:
            return queries.operations(session, subject)

    def restart_office(self) -> None:
        """The office's process ends and another begins on the same files."""
        self.office.database.engine.dispose()
        self.office = replace(self.office, database=_database(self.office.config.database, self._founded))

    def kept_copy(self, target: Path) -> Path:
        """A copy of the office's data as it is now, like a backup (SQLite only)."""
        target.mkdir(parents=True)
        source = sqlite3.connect(self.office.config.data / "office.db")
        into = sqlite3.connect(target / "office.db")
        with source, into:
            source.backup(into)
        source.close()
        into.close()
        if self.office.media.exists():
            shutil.copytree(self.office.media, target / "media")
        return target

    def person_of(self, device: DeviceId) -> str:
        """The name of a tablet's owner."""
        return next(name for name, tablet in self.tablets.items() if tablet.device == device)


def _database(url: str, made: Founded) -> Database:
    """A database whose statements were compiled once for all worlds of the process."""
    database = Database(url)
    if database.is_sqlite:
        known = made.office.database.engine
        event.listen(database.engine, "do_connect", told_of_statements)
        for engine in [each for each in vars(database).values() if isinstance(each, Engine)]:
            engine.dialect, engine._compiled_cache = known.dialect, known._compiled_cache
    return database
