"""A PostgreSQL of our own for one run of the tests: made in a temporary folder, reached by socket, gone afterwards.

A database for each test is a copy of a template that was migrated once. Never skips: without PostgreSQL a test that
needs it fails and names the package.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

START_SECONDS = 120
STOP_SECONDS = 120
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For tests that do not measure durability."""


class PostgresMissing(Exception):
    """The programs of PostgreSQL or its system user are not there."""


def programs() -> Path:
    """The folder of initdb and postgres, of the newest version installed. Raises PostgresMissing."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    if initdb := shutil.which("initdb"):
        return Path(initdb).parent
    raise PostgresMissing("PostgreSQL is not installed: sudo apt-get install postgresql")


def _owner() -> str | None:
    """The system user the server runs as: root may not, so it becomes "postgres"; anybody else stays."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError as error:
        raise PostgresMissing("root cannot run PostgreSQL and there is no user postgres") from error


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


class Cluster:
    """A running server with its own files. `settings` are "name=value" pairs over the defaults."""

    def __init__(self, settings: tuple[str, ...] = QUICK) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="qorgan-pg-"))
        self._count = 0
        self._templates: dict[str, str] = {}
        owner = _owner()
        if owner:
            shutil.chown(self.folder, owner)
        bin_ = programs()
        made = subprocess.run(
            [bin_ / "initdb", "--pgdata", self.folder / "data", "--username", "qorgan", "--auth", "trust",
             "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions"],
            user=owner, cwd=self.folder, capture_output=True, text=True,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(made.stderr)
        self._owner = owner
        self._options = [
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "max_connections=200",
            *settings,
        ]
        self.start()

    def start(self) -> None:
        """Runs the server on its files; after a kill it recovers first. Returns when it takes questions."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [programs() / "postgres", "-D", self.folder / "data", *(f"-c{one}" for one in self._options)],
                user=self._owner, cwd=self.folder, stdout=log, stderr=log, preexec_fn=_end_with_parent,
            )  # fmt: skip
        self._wait()

    def kill(self, how: signal.Signals) -> None:
        """Ends the server and every process of it. SIGKILL: gone; SIGQUIT: its own "immediate", without tidying up."""
        children = self._children()
        self._process.send_signal(how)
        self._process.wait(STOP_SECONDS)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        end = time.monotonic() + STOP_SECONDS
        while any(_runs(child) for child in children):
            assert time.monotonic() < end, "a process of the server does not end"
            time.sleep(0.01)

    def kill_a_backend(self) -> None:
        """One process that serves a connection is gone: the server ends all others and recovers by itself."""
        with psycopg.connect(f"host={self.folder} user=qorgan dbname=postgres", autocommit=True) as connection:
            connection.execute("SELECT 1")
            os.kill(connection.info.backend_pid, signal.SIGKILL)
        self._wait()

    def _children(self) -> list[int]:
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(each) for each in path.read_text().split()]

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self._run("SELECT 1")
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.folder / "log").read_text(errors="replace")) from None
                time.sleep(0.05)

    def _run(self, statement: str) -> None:
        with psycopg.connect(f"host={self.folder} user=qorgan dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def url(self, name: str) -> str:
        """The SQLAlchemy address of a database."""
        return f"postgresql+psycopg://qorgan@/{name}?host={self.folder}"

    def new(self, template: str = "template0") -> str:
        """The address of a fresh database, empty or a copy."""
        self._count += 1
        name = f"qorgan_{self._count}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def migrated(self, migrate: Callable[[str], None]) -> str:
        """The address of a fresh database that `migrate` (given an address) has filled; it runs once a session."""
        return self.filled("migrated", migrate)

    def filled(self, name: str, fill: Callable[[str], None]) -> str:
        """The address of a copy of a database that `fill` (given an address) has filled; once a name and run."""
        if name not in self._templates:
            url = self.new()
            fill(url)
            self._templates[name] = _name(url)
        return self.new(self._templates[name])

    def drop(self, url: str) -> None:
        """Removes a database, whoever is still connected."""
        self._run(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")

    def stop(self) -> None:
        """Ends the server and removes its files."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _name(url: str) -> str:
    return url.split("@/", 1)[1].split("?", 1)[0]
