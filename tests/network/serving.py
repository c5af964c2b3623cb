"""The office as a process of its own: `qorgan serve` on a database and keys, reached over TCP, ended by its id."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from server.demo.processes import free_port
from server.keys import Keys, save_keys

PASSPHRASE = "a passphrase for tests alone"
READY_SECONDS = 120.0


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Serving:
    """One server process (with `workers` of its own) over an office that is founded already."""

    def __init__(self, folder: Path, database: str, keys: Keys | None, workers: int = 1, port: int = 0) -> None:
        """folder  of this office: keys and media lie there, shared by all servers of it

        keys    saved where the folder has none yet
        port    one that served before; any free one without
        """
        if keys is not None and not (folder / "keys" / "office.keys").exists():
            save_keys(keys, folder / "keys", PASSPHRASE)
        self.port = port or free_port()
        self.log = folder / f"serve-{self.port}.log"
        environment = {
            **os.environ, "QORGAN_DATA": str(folder), "QORGAN_DATABASE": database,
            "QORGAN_KEY_PASSPHRASE": PASSPHRASE, "QORGAN_ADDRESS": self.address,
        }  # fmt: skip
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "serve", "--port", str(self.port), "--workers", str(workers)],
                env=environment, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[2], preexec_fn=_end_with_parent,
            )  # fmt: skip

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> Serving:
        """Waits until it answers. Raises AssertionError with its last words."""
        until = time.monotonic() + READY_SECONDS
        while True:
            assert self.process.poll() is None, self.tail()
            assert time.monotonic() < until, self.tail()
            try:
                with urllib.request.urlopen(f"{self.address}/login", timeout=5):
                    return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)

    def tail(self) -> str:
        """The last lines it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def end(self) -> None:
        """Asks it to end, then insists."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
