"""An office with tablets of twenty-four people, and whole visits of theirs as requests ready for the wire.

Everything goes through the product's own doors: people and visits by its actions, frames sealed and signed as tablets
do. Nothing is measured here.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.clients import posted
from benchmarks.ledger import bodies
from server.accounts import actions as accounts
from server.accounts.actions import NewPerson, found_office
from server.config import Config
from server.db import Database
from server.keys import make_keys, save_keys
from server.ledger.actions import record
from server.ledger.exchange import exchange
from server.migrations import migrate
from server.office import Office, new_subject
from shared.accounts import Role, RoleGranted
from shared.deadlines import read_calendar
from shared.law.law import read_rules
from shared.ledger.crypto import new_signing_key, sign, verifying_key
from shared.ledger.frame import Frame, cut
from shared.ledger.merge import heads_digest
from shared.ledger.messages import SIGNATURE_HEADER, Hello, Reply, encode_request, read_reply, request_message
from shared.ledger.operation import Body, encode_line, genesis
from shared.observations.record import RecordOpened
from shared.values import DeviceId, PersonId, SubjectId, stamp
from shared.visits import GroupFormed, VisitPlanned

TABLETS = 24
PASSPHRASE = "a passphrase for one run on one machine"
SAID = 6
"""Different visits said; a tablet says them in turn, each time as a record of its own."""


@dataclass
class Tablet:
    """A tablet with its chains, its place in what it has read, and its nonce."""

    device: DeviceId
    person: PersonId
    secret: bytes
    cursor: str = ""
    nonce: str = ""
    epoch: int = 0
    known: tuple[int, str] = (0, "")
    heads: list[tuple[SubjectId, int, str]] = field(default_factory=list)
    lines: list[list[bytes]] = field(default_factory=list)

    def said(self, number: int) -> list[bytes]:
        """The lines of a visit behind the one that opens its record."""
        if not self.lines:
            self.lines = [
                [encode_line(body, self.person, stamp(now()), clock) for clock, body in enumerate(made, 2)]
                for made in (bodies(variant, sealed=True) for variant in range(SAID))
            ]
        return self.lines[number % SAID]

    def frame(self, visit: SubjectId, number: int) -> Frame:
        """A whole visit as one frame of a fresh record."""
        subject = new_subject(now())
        opening = encode_line(RecordOpened(visit=visit, checklists=()), self.person, stamp(now()), 1)
        lines = [opening, *self.said(number)]
        frame = cut(self.secret, self.device, subject, 1, genesis(self.device, subject), lines)
        self.heads.append((subject, len(lines), frame.ids()[-1].hex()))
        return frame

    def request(self, *frames: Frame) -> tuple[bytes, str]:
        """Plain body and signature of an exchange that brings these frames."""
        hello = Hello(
            device=self.device, epoch=self.epoch, from_=self.cursor, heads=heads_digest(self.heads), known=self.known,
            nonce=self.nonce, now=stamp(now()),
        )  # fmt: skip
        body = encode_request(hello, frames)
        return body, base64.b64encode(sign(self.secret, request_message(body))).decode()


def now() -> datetime:
    """The machine's clock: the office's process goes by it too."""
    return datetime.now(UTC)


class Ground:
    """An office with tablets of twenty-four people that have read what there is to read."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url or f"sqlite:///{folder / 'office.db'}"
        migrate(self.url)
        keys = make_keys(1)
        save_keys(keys, folder / "keys", PASSPHRASE)
        config = Config(folder, self.url, PASSPHRASE)
        self.office = Office(config, Database(self.url), keys, read_rules(), read_calendar())
        with self.office.database.write() as session:
            first, second = NewPerson("A", (Role.ADMIN,)), NewPerson("B", (Role.COUNCIL_SECRETARY,))
            names = {"kk": "A", "ru": "A", "en": "A"}
            self.founded = found_office(session, self.office, names, first, second, [], now())
        self.tablets = [self._tablet(number) for number in range(TABLETS)]

    def _tablet(self, number: int) -> Tablet:
        admin, second = self.founded.admin, self.founded.second
        secret = new_signing_key()
        key = verifying_key(secret).hex()
        with self.office.database.write() as session:
            person = accounts.add_person(session, self.office, admin, NewPerson(f"Member {number}", ()), now())
            hat = RoleGranted(role=Role.NPM_MEMBER, since="2026-01-01", second=second)
            record(session, self.office, SubjectId(person), admin, [hat], now())
            code = accounts.make_code(session, self.office, admin, person, now())
            device, _ = accounts.enrol(session, self.office, code, None, key, key, "Tablet", now())
            accounts.confirm_device(session, self.office, second, device, now())
        return Tablet(device, person, secret)

    def plan(self, visits: int) -> list[tuple[Tablet, SubjectId]]:
        """So many planned visits, each of one member in turn."""
        planned = []
        for at in range(0, visits, 50):
            with self.office.database.write() as session:
                for number in range(at, min(at + 50, visits)):
                    tablet = self.tablets[number % TABLETS]
                    subject = new_subject(now())
                    plan: list[Body] = [
                        VisitPlanned(visit_kind="preventive", key="", sealed=""),
                        GroupFormed(members=(tablet.person,), leader=tablet.person, least=1),
                    ]
                    record(session, self.office, subject, self.founded.second, plan, now())
                    planned.append((tablet, subject))
        for tablet in self.tablets:
            self._read(tablet)
        return planned

    def _read(self, tablet: Tablet) -> None:
        """The tablet reads what waits for it, so that later pages are empty."""
        more = True
        while more:
            reply = self._answer(exchange(self.office, *tablet.request(), now()))
            tablet.cursor, tablet.nonce, more = reply.page.cursor, reply.page.next_nonce, reply.page.more
            tablet.epoch, tablet.known = reply.receipt.epoch, (reply.receipt.position, reply.receipt.ledger_head)

    def requests(self, visits: int) -> list[bytes]:
        """One request a visit, ready for the wire."""
        return [
            self.wire(*tablet.request(tablet.frame(visit, n))) for n, (tablet, visit) in enumerate(self.plan(visits))
        ]

    @staticmethod
    def wire(body: bytes, signature: str) -> bytes:
        """A request with its headers, packed."""
        return posted(gzip.compress(body, 6), {"Content-Encoding": "gzip", SIGNATURE_HEADER: signature})

    def fill(self, visits: int, each: int = 10) -> None:
        """Puts the records of so many visits into the ledger through the exchange itself, without HTTP, and projects
        them; `each` of them share one planned visit, because planning is not what grows here."""
        planned, began = self.plan(-(-visits // each)), now()
        for number in range(visits):
            tablet, visit = planned[number // each]
            at = began + timedelta(seconds=3 * number)  # a tablet may come sixty times a minute
            frame = tablet.frame(visit, number)
            expect_accepted(self._answer(exchange(self.office, *tablet.request(frame), at)))
            if number % 500 == 499:
                self._project()
        self._project()

    def _project(self) -> None:
        with self.office.database.read():  # whoever reads finds everything projected
            pass

    def check(self, answers: list[bytes]) -> None:
        """Every answer, packed as it came, carries the office's receipt that everything was accepted."""
        for answer in answers:
            expect_accepted(self._answer(gzip.decompress(answer)))

    def _answer(self, plain: bytes) -> Reply:
        return read_reply(plain, bytes.fromhex(self.office.keys.sign_key))


def expect_accepted(reply: Reply) -> None:
    """Raises RuntimeError when a frame was not taken in."""
    for frame in reply.receipt.frames:
        if frame.status != "accepted" or reply.receipt.lines:
            raise RuntimeError(f"a visit was not accepted: {frame}")
