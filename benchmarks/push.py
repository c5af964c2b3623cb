"""Pushing a whole visit of 350 operations in one exchange: the office's time from packed bytes to packed bytes.

On SQLite in a temporary folder, through the application, seal and signature included. Source: PERFORMANCE, SETTLED
decisions 13, 21, 27.
"""

from __future__ import annotations

import base64
import gzip
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Figure, median_of_three
from benchmarks.ledger import bodies
from server.accounts import actions as accounts
from server.accounts.actions import NewPerson, found_office
from server.app import create_app
from server.config import Config
from server.db import Database
from server.keys import make_keys
from server.ledger.actions import record
from server.migrations import migrate
from server.office import Office, new_subject
from shared.accounts import Role
from shared.deadlines import read_calendar
from shared.law.law import read_rules
from shared.ledger.crypto import new_signing_key, sign, verifying_key
from shared.ledger.frame import Frame, cut
from shared.ledger.messages import SIGNATURE_HEADER, Hello, encode_request, request_message
from shared.ledger.operation import Body, encode_line, genesis
from shared.observations.record import RecordOpened
from shared.values import DeviceId, PersonId, SubjectId, stamp
from shared.visits import GroupFormed, VisitPlanned

NOW = datetime(2026, 3, 7, 9, 0, tzinfo=UTC)
SECRET = new_signing_key()


class Standing:
    """An office with a visit of one member, and that member's tablet."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'office.db'}"
        migrate(url)
        self.office = Office(Config(folder, url, ""), Database(url), make_keys(1), read_rules(), read_calendar())
        self.client = create_app(clock=lambda: NOW, office=self.office).test_client()
        self.visit = new_subject(NOW)
        with self.office.database.write() as session:
            names = {"kk": "A", "ru": "A", "en": "A"}
            first, second = NewPerson("A", (Role.ADMIN,)), NewPerson("B", (Role.COUNCIL_SECRETARY, Role.NPM_MEMBER))
            founded = found_office(session, self.office, names, first, second, [], NOW)
            self.founder, self.member = founded.admin, founded.second
            code = accounts.make_code(session, self.office, founded.admin, self.member, NOW)
            key = verifying_key(SECRET).hex()
            self.device, _ = accounts.enrol(session, self.office, code, None, key, key, "Tablet", NOW)
            accounts.confirm_device(session, self.office, self.member, self.device, NOW)
            plan: list[Body] = [
                VisitPlanned(visit_kind="periodic", key="", sealed=""),
                GroupFormed(members=(self.member,), leader=self.member, least=1),
            ]
            record(session, self.office, self.visit, self.member, plan, NOW)

    def frame(self, number: int, sealed: bool = True) -> Frame:
        """The whole visit as one frame of a fresh record."""
        made = [RecordOpened(visit=self.visit, checklists=()), *bodies(number, sealed)]
        return frame_of(self.device, self.member, new_subject(NOW), made)

    def push(self, *frames: Frame) -> float:
        """Milliseconds of one exchange that carries the frames."""
        hello = Hello(device=self.device, epoch=0, from_="", heads="", known=(0, ""), nonce="", now=stamp(NOW))
        body = encode_request(hello, frames)
        signature = base64.b64encode(sign(SECRET, request_message(body))).decode()
        headers = {"Content-Encoding": "gzip", SIGNATURE_HEADER: signature}
        packed = gzip.compress(body, 6)
        began = time.perf_counter()
        answer = self.client.post("/api/sync", data=packed, headers=headers)
        spent = (time.perf_counter() - began) * 1e3
        if answer.status_code != 200 or b'"accepted"' not in gzip.decompress(answer.data):
            raise RuntimeError(answer.get_data(as_text=True)[:200])
        return spent


def frame_of(device: DeviceId, author: PersonId, subject: SubjectId, made: list[Body]) -> Frame:
    """One frame with these operations, from the first of the chain."""
    lines = [encode_line(body, author, stamp(NOW), clock) for clock, body in enumerate(made, 1)]
    return cut(SECRET, device, subject, 1, genesis(device, subject), lines)


def figures() -> list[Figure]:
    """Time of a push."""
    with tempfile.TemporaryDirectory() as folder:
        standing = Standing(Path(folder))
        standing.push(standing.frame(0))
        numbers = iter(range(1, 100))
        spent = median_of_three(lambda: standing.push(standing.frame(next(numbers))))
        count = standing.frame(50).header.count
        standing.office.database.engine.dispose()
    return [Figure("push of a visit, exchange in all", spent, "ms", note=f"{count} operations")]


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())
