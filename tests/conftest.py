"""What every test may ask for, and what a run owes its reader: both databases, a browser, and no silent skip."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2.bccache import Bucket, BytecodeCache

from tests.postgres import Cluster

# Set before anything imports the window library, in every process of a run.
os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.setdefault("KIVY_NO_ARGS", "1")
os.environ.setdefault("KIVY_NO_FILELOG", "1")
os.environ.setdefault("KIVY_NO_CONSOLELOG", "1")
os.environ["KIVY_HOME"] = tempfile.mkdtemp(prefix="qorgan-kivy-")  # one a process: workers would meet in one

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 6 * 1024**3
"""So much must be free there; a run needs less, because what a test that passed leaves is removed at once."""


def _has_room_in_memory() -> bool:
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= MEMORY_BYTES and not found.f_flag & os.ST_NOEXEC


if _has_room_in_memory():
    # Files of tests lie in memory: an fsync costs nothing there. What a disk forgets is the matter of tests/faults.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile("check", deadline=None, max_examples=200, suppress_health_check=_QUIET, print_blob=True)
settings.register_profile("quick", settings.get_profile("check"), max_examples=25)
settings.register_profile("campaign", settings.get_profile("check"), max_examples=20_000, stateful_step_count=80)
settings.load_profile(os.environ.get("QORGAN_EXAMPLES", "check"))

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic",
]  # fmt: skip


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Compiled(BytecodeCache):
    """Templates compiled once a process: each test has an application of its own, all with the same pages."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Compiled()}

# ── databases ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _migrate(url: str) -> None:
    from server.migrations import migrate

    migrate(url)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL of this run that does not wait for the disk."""
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[Cluster]:
    """A PostgreSQL of this run that waits for the disk."""
    cluster = Cluster(settings=())
    yield cluster
    cluster.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the database engine: every test that asks runs once on each."""
    return str(request.param)


@pytest.fixture
def empty_database_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'office.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    url = cluster.new()
    yield url
    cluster.drop(url)


def copy_sqlite(template: Path, target: Path) -> None:
    """A copy of a database nobody has open, with what is not folded in yet."""
    for suffix in ("", "-wal"):
        if template.with_name(template.name + suffix).exists():
            shutil.copy(template.with_name(template.name + suffix), target.with_name(target.name + suffix))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "office.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with all tables and no rows."""
    if engine == "sqlite":
        target = tmp_path / "office.db"
        copy_sqlite(request.getfixturevalue("migrated_sqlite"), target)
        yield f"sqlite:///{target}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    url = cluster.migrated(_migrate)
    yield url
    cluster.drop(url)


# ── browser ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The command of a Chromium; the test fails and names the package when there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found, "no Chromium on the path: sudo apt-get install chromium (any Chromium or Chrome will do)"
    return found


# ── how a run is cut up and what it says at the end ─────────────────────────────────────────────────────────────────


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Window tests share one process, browser tests another."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("window"):
            item.add_marker(pytest.mark.xdist_group("window"))
        elif {"page", "browser", "chromium_path"} & names:
            item.add_marker(pytest.mark.xdist_group("browser"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names every skipped test with its reason."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section(f"skipped: {len(skipped)}" + (" (a failure here)" if _strict() else ""))
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With CI=true a skip is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped") and _strict() and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _strict() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")
