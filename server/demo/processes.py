"""The processes of the demo: the office, and command lines of the tablet. Each is started, waited for, ended by id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from server.demo.stage import DemoFailed

READY_SECONDS = 60.0


def free_port() -> int:
    """A port of the loopback address nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(name: str) -> str:
    """The console script beside this interpreter."""
    return str(Path(sys.executable).with_name(name))


class Process:
    """A process with its log file."""

    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._file = log.open("ab")
        self.process = subprocess.Popen(
            arguments, stdout=self._file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip

    def end(self) -> None:
        """Asks it to end, and ends it by force after five seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._file.close()

    def tail(self) -> str:
        """The last lines it wrote."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


def wait_until_answers(address: str, process: Process) -> None:
    """Until the office answers its sign-in page. Raises DemoFailed with its last words."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if process.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/login", timeout=2):  # noqa: S310 - our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise DemoFailed(f"the office does not answer at {address}:\n{process.tail()}")


def run(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, codes: Sequence[int] = (0,)
) -> str:
    """Runs a command to its end; what it printed. Raises DemoFailed for another exit code than those given."""
    done = subprocess.run(
        arguments, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})}, check=False,
    )  # fmt: skip
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(arguments)}\n{done.stdout}{done.stderr}\n")
    if done.returncode not in codes:
        raise DemoFailed(
            f"{' '.join(arguments[:4])} ended with {done.returncode}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
        )
    return done.stdout
