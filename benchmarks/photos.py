"""Photos through the running office against writing and hashing the same bytes raw: what sealing off the line costs.

Ten files of 2.5 MB go over loopback one after the other as a tablet sends them on a good line: announcement and bytes
in one request, held to the sum, on the disk and noted before it is answered. Raw is one file after the other: hashed,
written, on the disk. Source: PERFORMANCE, SETTLED decisions 59, 61, decision 0016.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Figure
from field_app.sync import client
from server.accounts import actions as accounts
from server.accounts.actions import NewPerson, found_office
from server.config import Config
from server.db import Database
from server.demo.processes import free_port
from server.keys import make_keys, save_keys
from server.ledger.contacts import give_token
from server.ledger.tables import ChainRow
from server.media.store import make_folders
from server.media.tables import PromisedRow
from server.migrations import migrate
from server.office import Office, new_subject
from shared.accounts import Role
from shared.deadlines import read_calendar
from shared.law.law import read_rules
from shared.ledger.crypto import new_signing_key, verifying_key
from shared.values import DeviceId

COUNT = 10
SIZE = 2_500_000
ROUNDS = 3
MUST, AIM = 3.0, 1.8
PASSPHRASE = "for a benchmark only"


def _now() -> datetime:
    return datetime.now(UTC)


def founded(folder: Path) -> tuple[Office, DeviceId, str]:
    """An office on the disk with one tablet; its pass for files."""
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    keys = make_keys(int(time.time() * 1000))
    save_keys(keys, folder / "keys", PASSPHRASE)
    office = Office(Config(folder, url, PASSPHRASE), Database(url), keys, read_rules(), read_calendar())
    with office.database.write() as session:
        names = {"kk": "A", "ru": "A", "en": "A"}
        first, second = NewPerson("A", (Role.ADMIN,)), NewPerson("B", (Role.COUNCIL_SECRETARY, Role.NPM_MEMBER))
        founded = found_office(session, office, names, first, second, [], _now())
        code = accounts.make_code(session, office, founded.admin, founded.second, _now())
        key = verifying_key(new_signing_key()).hex()
        device, _ = accounts.enrol(session, office, code, None, key, key, "Tablet", _now())
        accounts.confirm_device(session, office, founded.second, device, _now())
    with office.database.write() as session:
        token = give_token(session, device, _now())
    return office, device, token


def promise(office: Office, device: DeviceId, files: dict[str, bytes]) -> None:
    """What the operations that name the photos leave behind."""
    subject = new_subject(_now())
    with office.database.write() as session:
        session.add(ChainRow(device=device, subject=subject, seq=1, head="0" * 64, clock=1))
        for name, data in files.items():
            session.add(PromisedRow(sha256=name, subject=subject, role="original", size=len(data)))


@contextmanager
def _serving(folder: Path) -> Iterator[client.Office]:
    """The office as `qorgan serve` runs it."""
    port = free_port()
    environment = {**os.environ, "QORGAN_DATA": str(folder), "QORGAN_KEY_PASSPHRASE": PASSPHRASE}
    for name in ("QORGAN_DATABASE", "QORGAN_MEDIA"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "server.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    office = client.Office(f"http://127.0.0.1:{port}")
    try:
        _until_it_answers(office, process)
        yield office
    finally:
        process.terminate()
        process.wait()


def _until_it_answers(office: client.Office, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            client.media_offset(office, "none", "0" * 64)
        except client.NoNetwork:
            time.sleep(0.05)
        except client.Refused:
            return
    raise RuntimeError("the office does not answer")


def _sent(office: client.Office, token: str, files: dict[str, bytes]) -> float:
    """Seconds to send them all, one after the other over one connection."""
    begun = time.perf_counter()
    with client.kept_open(office) as line:
        for name, data in files.items():
            if client.media_begin(line, token, name, len(data), data) != len(data):
                raise RuntimeError("the office did not take a whole photo")
    return time.perf_counter() - begun


def _raw(folder: Path, files: dict[str, bytes]) -> float:
    """Seconds to hash and write them, each on the disk."""
    begun = time.perf_counter()
    for number, data in enumerate(files.values()):
        hashlib.sha256(data).hexdigest()
        with (folder / f"raw-{number}").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    return time.perf_counter() - begun


def figures() -> list[Figure]:
    """The median round of three, both ways in each."""
    rounds = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        office, device, token = founded(folder)
        for number in range(256):  # an office that has had photos before has them all
            make_folders(office.media / f"{number:02x}")
        with _serving(folder) as serving:
            for _ in range(ROUNDS):
                files = {hashlib.sha256(data).hexdigest(): data for data in (os.urandom(SIZE) for _ in range(COUNT))}
                promise(office, device, files)
                rounds.append((_sent(serving, token, files), _raw(folder, files)))
        office.database.engine.dispose()
    sent, raw = sorted(rounds, key=lambda each: each[0] / each[1])[ROUNDS // 2]
    return [
        Figure("photos through the office, 10 × 2.5 MB", sent * 1e3, "ms"),
        Figure("  written and hashed raw", raw * 1e3, "ms"),
        Figure("photos with hash and fsync, against raw", sent / raw, "x", must=MUST, aim=AIM),
    ]


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())
