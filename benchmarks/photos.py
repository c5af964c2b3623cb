"""Photos through the running office against writing and hashing the same bytes raw: what sealing off the line costs.

Ten files of 2.5 MB go over loopback in whole pieces of 1 MiB, each piece with its sum and on the disk before it is
answered, each file checked by its hash. Raw is one file after the other: hashed, written, on the disk. Source:
PERFORMANCE, SETTLED decisions 59, 61.
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
from server.media.tables import PromisedRow, UploadRow
from server.migrations import migrate
from server.office import Office, new_subject
from shared.accounts import Role
from shared.deadlines import read_calendar
from shared.law.law import read_rules
from shared.ledger.crypto import new_signing_key, verifying_key
from shared.values import DeviceId

COUNT = 10
SIZE = 2_500_000
PIECE = 1024 * 1024
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


def announce(office: Office, device: DeviceId, name: str, size: int = SIZE) -> None:
    """What the operation that names a photo and its announcement leave behind."""
    with office.database.write() as session:
        session.add(PromisedRow(sha256=name, subject=new_subject(_now()), role="original", size=size))
        session.add(UploadRow(sha256=name, size=size, device=device, began_at=_now()))


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
            offset = client.media_offset(line, token, name) or 0
            while offset < len(data):
                offset = client.media_piece(line, token, name, offset, data[offset : offset + PIECE])
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
        with _serving(folder) as serving:
            for _ in range(ROUNDS):
                files = {hashlib.sha256(data).hexdigest(): data for data in (os.urandom(SIZE) for _ in range(COUNT))}
                for each in files:
                    announce(office, device, each)
                rounds.append((_sent(serving, token, files), _raw(folder, files)))
        office.database.engine.dispose()
    sent, raw = sorted(rounds, key=lambda each: each[0] / each[1])[ROUNDS // 2]
    return [
        Figure("photos through the office, 10 × 2.5 MB", sent * 1e3, "ms"),
        Figure("  written and hashed raw", raw * 1e3, "ms"),
        Figure("  against raw", sent / raw, "x", must=MUST, note=f"aim {AIM}"),
    ]


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())
