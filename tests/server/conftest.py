"""An office founded on each engine, with a clock that stands until it is moved, and tablets that speak with it."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.accounts import actions as accounts
from server.accounts.actions import Founded, NewPerson, found_office
from server.accounts.sessions import open_session, set_passphrase
from server.app import create_app
from server.config import Config
from server.db import Database
from server.keys import Keys, make_keys
from server.ledger.actions import record
from server.ledger.contacts import TOKEN_LIFE
from server.migrations import migrate
from server.office import Office, new_subject
from shared.accounts import Role, RoleGranted
from shared.deadlines import Calendar, read_calendar
from shared.law.law import LawBook, read_rules
from shared.ledger.crypto import Effort, box_address, new_box_key, new_signing_key, sign, verifying_key
from shared.ledger.frame import Frame, cut
from shared.ledger.merge import heads_digest
from shared.ledger.messages import (
    SIGNATURE_HEADER,
    ChainHead,
    Hello,
    Reply,
    encode_request,
    read_reply,
    request_message,
)  # fmt: skip
from shared.ledger.operation import Body, chain, encode_line, genesis
from shared.values import DeviceId, PersonId, SubjectId, stamp
from shared.visits import GroupFormed, VisitPlanned
from tests.conftest import copy_sqlite
from tests.ground.clock import START, Clock
from tests.postgres import Cluster

PASSPHRASES = {"admin": "blue lantern over nine hills", "second": "quiet river behind the mill"}
LIGHT = Effort(8 * 1024, 1, 1)
"""Cost of passphrases in tests that are about something else."""


@dataclass
class World:
    """A founded office and what tests do with it."""

    office: Office
    clock: Clock
    founded: Founded
    made: Flask | None = None
    _count: int = field(default=0)

    @property
    def app(self) -> Flask:
        """The application, made when it is first asked for: a good half of the tests never do."""
        if self.made is None:
            self.made = create_app(clock=self.clock, office=self.office)
        return self.made

    @app.setter
    def app(self, app: Flask) -> None:
        self.made = app

    @property
    def now(self) -> datetime:
        """The moment it is."""
        return self.clock.now

    def client(self) -> FlaskClient:
        """A browser of its own."""
        return self.app.test_client()

    def signed_in(self, person: PersonId, hat: Role) -> FlaskClient:
        """A browser that wears a hat of this person; the passphrase is not asked."""
        with self.office.database.write() as session:
            cookie = open_session(session, person, hat.value, self.now)
        client = self.client()
        client.set_cookie("__Host-qorgan", cookie, domain="127.0.0.1")
        return client

    def person(self, *roles: Role, name: str = "", login: str = "", passphrase: str = "") -> PersonId:
        """Somebody with these roles."""
        self._count += 1
        with self.office.database.write() as session:
            person = accounts.add_person(
                session, self.office, self.founded.admin,
                NewPerson(name or f"Person {self._count}", (), "ru", login, passphrase), self.now,
            )  # fmt: skip
            bodies = [RoleGranted(role=role, since="2026-01-01", second=self.founded.second) for role in roles]
            record(session, self.office, SubjectId(person), self.founded.admin, bodies, self.now)
        return person

    def tablet(self, person: PersonId, *, confirmed: bool = True) -> Tablet:
        """A tablet of this person, enrolled over the API."""
        with self.office.database.write() as session:
            code = accounts.make_code(session, self.office, self.founded.admin, person, self.now)
        tablet = Tablet(self, person)
        answer = self.client().post(
            "/api/devices/enrol",
            json={"code": code, "sign_key": verifying_key(tablet.secret).hex(), "label": "Tablet",
                  "box_key": box_address(tablet.box_secret).hex()},
        )  # fmt: skip
        assert answer.status_code == 201, answer.json
        tablet.id = DeviceId(answer.json["device"])
        if confirmed:
            self.confirm(tablet)
        return tablet

    def confirm(self, tablet: Tablet) -> None:
        """The second officer compares the digits."""
        with self.office.database.write() as session:
            accounts.confirm_device(session, self.office, self.founded.second, tablet.id, self.now)

    def visit(self, *members: PersonId) -> SubjectId:
        """A planned visit with a group; the first member leads."""
        subject = new_subject(self.now)
        from server.ledger.opening import Sealer

        with self.office.database.write() as session:
            sealer = Sealer(session, self.office, subject, None, members)
            key, sealed = sealer.seal("visit_planned", {"institution": "syn-1", "from_on": "2026-03-05"})
            bodies: list[Body] = [
                *sealer.bodies(),
                VisitPlanned(visit_kind="preventive", key=key, sealed=sealed),
                GroupFormed(members=members, leader=members[0], least=1),
            ]
            record(session, self.office, subject, self.founded.second, bodies, self.now)
        return subject


@dataclass
class Tablet:
    """A tablet as the office sees it: keys, chains, cursor, nonce."""

    world: World
    person: PersonId
    secret: bytes = field(default_factory=new_signing_key)
    box_secret: bytes = field(default_factory=new_box_key)
    id: DeviceId = DeviceId("")
    nonce: str = ""
    cursor: str = ""
    epoch: int = 0
    known: tuple[int, str] = (0, "")
    clock: int = 0
    chains: dict[SubjectId, list[bytes]] = field(default_factory=dict)
    frames: dict[SubjectId, list[Frame]] = field(default_factory=dict)
    seen: list[Frame] = field(default_factory=list)

    def write(self, subject: SubjectId, *bodies: Body, clock: int | None = None, author: str = "") -> Frame:
        """A frame with these operations at the end of the chain."""
        lines = self.chains.setdefault(subject, [])
        ids = [genesis(self.id, subject), *chain(genesis(self.id, subject), lines)]
        fresh = []
        for body in bodies:
            self.clock = clock or self.clock + 1
            fresh.append(encode_line(body, PersonId(author or self.person), stamp(self.world.now), self.clock))
        frame = cut(self.secret, self.id, subject, len(lines) + 1, ids[-1], fresh)
        lines += fresh
        self.frames.setdefault(subject, []).append(frame)
        return frame

    def heads(self) -> str:
        """Digest of the heads of all own chains."""
        found = []
        for subject, lines in self.chains.items():
            found.append((subject, len(lines), chain(genesis(self.id, subject), lines)[-1].hex()))
        return heads_digest(found)

    def request(self, *frames: Frame, lacks: tuple[ChainHead, ...] = ()) -> bytes:
        """The plain bytes of an exchange."""
        hello = Hello(
            device=self.id, epoch=self.epoch, from_=self.cursor, heads=self.heads(), known=self.known,
            nonce=self.nonce, now=stamp(self.world.now), lacks=lacks or msgspec.UNSET,
        )  # fmt: skip
        return encode_request(hello, frames)

    def post(self, body: bytes, **headers: str) -> object:
        """The answer of the office to plain bytes."""
        signature = base64.b64encode(sign(self.secret, request_message(body))).decode()
        return self.world.client().post(
            "/api/sync",
            data=gzip.compress(body),
            headers={"Content-Encoding": "gzip", SIGNATURE_HEADER: signature} | headers,
        )

    def sync(self, *frames: Frame, lacks: tuple[ChainHead, ...] = ()) -> Reply:
        """One exchange; what it brings is kept."""
        answer = self.post(self.request(*frames, lacks=lacks))
        assert answer.status_code == 200, answer.get_data()  # type: ignore[attr-defined]
        return self.take(gzip.decompress(answer.get_data()))  # type: ignore[attr-defined]

    def take(self, plain: bytes) -> Reply:
        """Reads a reply and follows it."""
        reply = read_reply(plain, bytes.fromhex(self.world.office.keys.sign_key))
        self.nonce, self.cursor = reply.page.next_nonce, reply.page.cursor
        self.epoch, self.known = reply.receipt.epoch, (reply.receipt.position, reply.receipt.ledger_head)
        self.seen += reply.frames
        return reply

    def sync_all(self) -> list[Frame]:
        """Exchanges until nothing waits; the frames that came."""
        found: list[Frame] = []
        while True:
            reply = self.sync()
            found += reply.frames
            if not reply.page.more:
                return found


def statuses(reply: Reply) -> list[tuple[str, str]]:
    """What became of the frames of a request."""
    return [(frame.status, frame.reason) for frame in reply.receipt.frames]


def an_office(url: str, folder: Path, address: str = "http://127.0.0.1:8000", keys: Keys | None = None) -> Office:
    """An office on a migrated database, keys in memory: fresh ones, or those of an office that was founded there."""
    config = Config(data=folder, database=url, key_passphrase="unused", address=address)
    return Office(config, Database(url), keys or make_keys(1_772_000_000_000), *_law())


@cache
def _law() -> tuple[LawBook, Calendar]:
    """Rules and calendar as they are delivered, read once a process: nothing can change them."""
    return read_rules(), read_calendar()


def found(office: Office, clock: Clock) -> Founded:
    """Founds it: an admin (login admin) and a second officer, secretary and commissioner (login second)."""
    with office.database.write() as session:
        admin = NewPerson("Admin", (Role.ADMIN,), "ru")
        second = NewPerson("Second", (Role.COUNCIL_SECRETARY, Role.COMMISSIONER), "kk")
        names = {"kk": "Кеңсе", "ru": "Аппарат", "en": "Office"}
        founded = found_office(session, office, names, admin, second, [], clock.now)
        for login, person in (("admin", founded.admin), ("second", founded.second)):
            set_passphrase(session, person, login, PASSPHRASES[login], LIGHT)
    return founded


_begun: dict[str, tuple[Keys, Founded]] = {}
"""Keys and people of the office founded in this process, by engine: every test begins with a copy of it."""


@pytest.fixture
def world(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A founded office."""

    def begin(url: str) -> None:
        office = an_office(url, tmp_path)
        _begun[engine] = office.keys, found(office, Clock())
        office.database.engine.dispose()

    if engine == "sqlite":
        migrated = request.getfixturevalue("migrated_sqlite")
        template = migrated.with_name("founded.db")
        if not template.exists():
            copy_sqlite(migrated, template)
            begin(f"sqlite:///{template}")
        copy_sqlite(template, tmp_path / "office.db")
        yield from _world(f"sqlite:///{tmp_path / 'office.db'}", engine, tmp_path)
        return

    def fill(url: str) -> None:
        migrate(url)
        begin(url)

    cluster: Cluster = request.getfixturevalue("postgres")
    url = cluster.filled("founded", fill)
    yield from _world(url, engine, tmp_path)
    cluster.drop(url)


def _world(url: str, engine: str, folder: Path) -> Iterator[World]:
    keys, founded = _begun[engine]
    office = an_office(url, folder, keys=keys)
    yield World(office, Clock(), founded)
    office.database.engine.dispose()


__all__ = ["LIGHT", "START", "TOKEN_LIFE"]


@pytest.fixture
def pair(world: World) -> tuple[Tablet, Tablet, str]:
    """Two members of one visit with their tablets, and the visit."""
    one, other = world.person(Role.NPM_MEMBER), world.person(Role.NPM_MEMBER)
    tablets = world.tablet(one), world.tablet(other)
    return (*tablets, world.visit(one, other))
