"""The office as `qorgan serve` runs it, in a process that can be killed and started again on the same files."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.photos import PASSPHRASE
from field_app.sync import client
from server.accounts.tables import DeviceRow
from server.demo.processes import free_port
from server.ledger.tables import AccessRow
from server.media.tables import AnnouncedRow, PromisedRow, UploadRow
from server.office import Office, new_subject
from shared.values import DeviceId
from tests.server.conftest import START

SIZE = 400_000


def announce(office: Office, device: DeviceId, name: str, size: int = SIZE) -> None:
    """What the operation that names a photo and its announcement leave behind."""
    with office.database.write() as session:
        session.add(PromisedRow(sha256=name, subject=new_subject(START), role="original", size=size))
        session.add(UploadRow(sha256=name, size=size, device=device, began_at=START))
        session.add(AnnouncedRow(sha256=name, device=device, size=size))


@dataclass
class Served:
    """An office served by a process of its own, that can be killed and started again on the same files."""

    folder: Path
    office: Office
    device: DeviceId
    token: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {**os.environ, "QORGAN_DATA": str(self.folder), "QORGAN_KEY_PASSPHRASE": PASSPHRASE}
        for name in ("QORGAN_DATABASE", "QORGAN_MEDIA", "QORGAN_ADDRESS"):
            environment.pop(name, None)
        environment |= self.settings
        command = [sys.executable, "-m", "server.cli", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)  # fmt: skip
        until = time.monotonic() + 120
        while time.monotonic() < until:
            assert self.process.poll() is None, "the office ended by itself"
            try:
                client.media_offset(client.Office(self.address), "none", "0" * 64)
            except client.NoNetwork:
                time.sleep(0.05)
            except client.Refused:
                return
        raise AssertionError("the office does not answer")

    def kill(self) -> None:
        """SIGKILL to the office and the workers it started, by their session."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait()

    def file(self, announced: bool = True) -> tuple[str, bytes]:
        """Fresh bytes that an operation names."""
        data = os.urandom(SIZE)
        name = hashlib.sha256(data).hexdigest()
        if announced:
            announce(self.office, self.device, name, len(data))
        return name, data

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def promised(served: Served, name: str) -> None:
    """An operation the tablet may read names this file; nothing was announced."""
    subject = new_subject(START)
    with served.office.database.write() as session:
        person = session.get(DeviceRow, served.device).person
        session.add(AccessRow(audience=person, subject=subject, granted=0))
        session.add(PromisedRow(sha256=name, subject=subject, role="original", size=SIZE))
