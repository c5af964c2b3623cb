"""Two PostgreSQL servers of our own: a primary that waits for its replica before it says that a commit is kept.

The replica is made with pg_basebackup and takes over by pg_promote, as docs/scale.md says an administrator does.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from tests.postgres import Cluster, _end_with_parent, _owner, programs

WAIT_SECONDS = 120.0
DATABASE = "qorgan_pair"


class Pair:
    """Primary and replica. `address` names both: whoever connects finds the one that takes writes."""

    def __init__(self) -> None:
        self.primary = Cluster(settings=())
        self.primary._run(f"CREATE DATABASE {DATABASE}")
        self.folder = Path(tempfile.mkdtemp(prefix="qorgan-replica-"))
        self._replica: subprocess.Popen[bytes] | None = None
        self._owner = _owner()
        if self._owner:
            shutil.chown(self.folder, self._owner)

    @property
    def address(self) -> str:
        """The SQLAlchemy address of the office's database, wherever it lives."""
        hosts = f"host={self.primary.folder}&host={self.folder}"
        return f"postgresql+psycopg://qorgan@/{DATABASE}?{hosts}&target_session_attrs=read-write"

    def replicate(self) -> None:
        """Makes the replica; when this returns no commit is answered before the replica has it on its disk."""
        self._on(self.primary.folder, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        data = self.folder / "data"
        made = subprocess.run(
            [programs() / "pg_basebackup", "-h", self.primary.folder, "-U", "qorgan", "-D", data, "-R", "-X", "stream",
             "--checkpoint=fast", "--no-sync"],
            user=self._owner, cwd=self.folder, capture_output=True, text=True,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        data.chmod(0o700)
        with (self.folder / "log").open("wb") as log:
            self._replica = subprocess.Popen(
                [programs() / "postgres", "-D", data, "-c", "listen_addresses=", "-c", "max_connections=200",
                 "-c", f"unix_socket_directories={self.folder}", "-c", "hot_standby=on"],
                user=self._owner, cwd=self.folder, stdout=log, stderr=log, preexec_fn=_end_with_parent,
            )  # fmt: skip
        self._on(self.primary.folder, "SELECT pg_reload_conf()")
        self._until(self.primary.folder, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")

    def kill_primary(self, how: signal.Signals) -> None:
        """SIGKILL: gone at once. SIGQUIT: PostgreSQL's own "immediate": gone without tidying up."""
        self.primary._process.send_signal(how)
        self.primary._process.wait(60)

    def promote(self) -> None:
        """The replica takes over, and waits for no other replica until it has one."""
        self._on(self.folder, "SELECT pg_promote(true, 60)")
        self._until(self.folder, "SELECT 1 WHERE NOT pg_is_in_recovery()")
        self._on(self.folder, "ALTER SYSTEM SET synchronous_standby_names = ''")
        self._on(self.folder, "SELECT pg_reload_conf()")

    def stop(self) -> None:
        """Ends both and removes their files."""
        if self._replica is not None:
            self._replica.send_signal(signal.SIGINT)
            try:
                self._replica.wait(20)
            except subprocess.TimeoutExpired:
                self._replica.kill()
                self._replica.wait()
        self.primary.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _on(self, host: Path, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(f"host={host} user=qorgan dbname=postgres", autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _until(self, host: Path, question: str) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                if self._on(host, question):
                    return
            except psycopg.OperationalError:
                pass
            assert time.monotonic() < until, f"{question}\n{self.log()}"
            time.sleep(0.05)

    def log(self) -> str:
        """The last words of the replica."""
        path = self.folder / "log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""
