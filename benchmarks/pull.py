"""A new tablet pulls a hundred visits from a running office over HTTP, and takes them into its store.

Pulling is asking, waiting, unpacking and reading the pages, up to frames that can be checked; it is held against
reading as many rows raw from SQLite. Taking in is checking every seal and chain, reading every operation, merging,
comparing, sealing the rows and the disk; it is held against inserting as many rows raw, in as many transactions.
Source: PERFORMANCE P8 and A3, SETTLED decisions 19, 22, 27, 35.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks import limits
from benchmarks.figures import Figure
from benchmarks.ledger import bodies
from benchmarks.push import NOW, Standing, frame_of
from field_app.store import incoming, outgoing
from field_app.store.store import Store
from field_app.sync import client
from server.accounts import actions as accounts
from server.keys import save_keys
from server.ledger.actions import record
from server.office import new_subject
from shared.ledger.crypto import Effort, sha256
from shared.ledger.messages import encode_request, read_reply
from shared.ledger.operation import Body
from shared.observations.record import RecordOpened
from shared.visits import GroupFormed, VisitPlanned

VISITS = 100
ROWS = VISITS * 346
ROUNDS = 3
TOGETHER = 10
"""Visits pushed in one exchange: a tablet may come sixty times a minute."""
PASSPHRASE = "a passphrase for one run on one machine"
START_SECONDS = 60
PULL_MUST, PULL_AIM = 4, 2
APPLY_MUST, APPLY_AIM = 2.5, 1.5


class _Keystore:
    def secret(self) -> bytes:
        return bytes(32)


def fill(standing: Standing, visits: int) -> None:
    """Puts so many visits into the office, each with its record of 346 operations made by one tablet."""
    waiting = []
    for number in range(visits):
        visit = new_subject(NOW)
        plan: list[Body] = [
            VisitPlanned(visit_kind="periodic", key="", sealed=""),
            GroupFormed(members=(standing.member,), leader=standing.member, least=1),
        ]
        with standing.office.database.write() as session:
            record(session, standing.office, visit, standing.member, plan, NOW)
        made = [RecordOpened(visit=visit, checklists=()), *bodies(number, sealed=True)]
        waiting.append(frame_of(standing.device, standing.member, new_subject(NOW), made))
    for at in range(0, visits, TOGETHER):
        standing.push(*waiting[at : at + TOGETHER])


@contextmanager
def running(standing: Standing, folder: Path) -> Iterator[str]:
    """The address of the office, served by a process of its own as in earnest."""
    save_keys(standing.office.keys, folder / "keys", PASSPHRASE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"QORGAN_DATA": str(folder), "QORGAN_DATABASE": standing.office.config.database}
    settings |= {"QORGAN_KEY_PASSPHRASE": PASSPHRASE}
    server = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "serve", "--port", str(port)],
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(START_SECONDS)


def _wait_for(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def new_tablet(standing: Standing, folder: Path, url: str) -> Store:
    """A second tablet of the member, confirmed, with an empty store."""
    store = Store.create(folder, "49027315", _Keystore(), NOW, Effort(8, 1, 1))
    keys = standing.office.keys
    with standing.office.database.write() as session:
        code = accounts.make_code(session, standing.office, standing.founder, standing.member, NOW)
        device, _ = accounts.enrol(session, standing.office, code, None, *store.public_keys(), "Tablet", NOW)
        accounts.confirm_device(session, standing.office, standing.member, device, NOW)
    store.enrol(
        msgspec.structs.replace(
            store.identity,
            device=device,
            person=standing.member,
            server_url=url,
            server_device=keys.device,
            server_key=keys.sign_key,
            review_key=keys.review_key,
        )
    )
    return store


def pulled(store: Store, url: str) -> tuple[float, float, int]:
    """(seconds of pulling, seconds of taking in, pages) until nothing more waits at the office."""
    office, pull, take, pages = client.Office(url), 0.0, 0.0, 0
    more = True
    while more:
        begun = time.perf_counter()
        body = encode_request(outgoing.hello(store, [], datetime.now(UTC)), [])
        answer = client.exchange(office, body, store.identity.sign_seed)
        reply = read_reply(answer, bytes.fromhex(store.identity.server_key))
        asked = time.perf_counter()
        incoming.apply_reply(store, reply, datetime.now(UTC))
        taken = time.perf_counter()
        pull, take, pages, more = pull + asked - begun, take + taken - asked, pages + 1, reply.page.more
    return pull, take, pages


def raw_rows(folder: Path, transactions: int) -> tuple[float, float]:
    """(seconds of reading, seconds of inserting) the rows of as many visits, inserted in so many transactions."""
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(limits.ROWS)
    rows = [(sha256(f"{n} {m}".encode())[:16], *columns) for n in range(VISITS)
            for m, columns in enumerate(limits.columns())]  # fmt: skip
    begun = time.perf_counter()
    size = -(-len(rows) // transactions)
    for at in range(0, len(rows), size):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(limits.INSERT, rows[at : at + size])
        connection.execute("COMMIT")
    inserted = time.perf_counter()
    found = connection.execute("SELECT seq, id, kind, author, at, data FROM log WHERE seq > 0 ORDER BY seq").fetchall()
    read = time.perf_counter()
    connection.close()
    if len(found) != ROWS:
        raise RuntimeError("rows are missing")
    return read - inserted, inserted - begun


def figures() -> list[Figure]:
    """Medians of three new tablets, and of the same rows raw beside each."""
    with tempfile.TemporaryDirectory(prefix="qorgan-pull-") as name:
        folder = Path(name)
        standing = Standing(folder)
        fill(standing, VISITS)
        with running(standing, folder) as url:
            rounds = [_round(standing, folder / f"tablet-{number}", url) for number in range(ROUNDS + 1)][1:]
        standing.office.database.engine.dispose()
    pull, take, read, insert = (statistics.median(each) for each in zip(*rounds, strict=True))
    per_visit = 1000 / VISITS
    return [
        Figure("pull of 100 visits by a new tablet", pull * per_visit, "ms", note="a visit"),
        Figure("reading the same rows raw", read * per_visit, "ms", note="a visit"),
        Figure("pull of 100 visits, against reading the rows raw",
               statistics.median(one[0] / one[2] for one in rounds), "x", PULL_MUST, aim=PULL_AIM),
        Figure("tablet takes in 100 pulled visits", take * per_visit, "ms", note="a visit"),
        Figure("inserting the same rows raw", insert * per_visit, "ms", note="a visit"),
        Figure("tablet takes in 100 pulled visits, against raw inserts",
               statistics.median(one[1] / one[3] for one in rounds), "x", APPLY_MUST, aim=APPLY_AIM),
    ]  # fmt: skip


def _round(standing: Standing, folder: Path, url: str) -> tuple[float, float, float, float]:
    store = new_tablet(standing, folder, url)
    pull, take, pages = pulled(store, url)
    held = sum(len(store.operations(each)) for each in store.subjects("record"))
    store.close()
    if held != ROWS:
        raise RuntimeError(f"{held} operations instead of {ROWS}")
    return pull, take, *raw_rows(folder, pages)
