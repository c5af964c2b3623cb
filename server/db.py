"""The database of the office: one engine, and the ways to use it.

`Database.write()` is one transaction; the answer leaves after its commit. On SQLite writers queue behind a lock of the
process and a file lock between processes, taken only for the write; on PostgreSQL they lock rows. Whoever reads or acts
finds every projected table as new as the ledger: what is accepted and not projected yet is projected first. Ids are
text in Python and 16 bytes in tables. Source: DESIGN section 4, SETTLED decisions 13, 21, decision 0009.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    LargeBinary,
    create_engine,
    event,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session

from shared.ledger.operation import id_bytes, id_text

LongInteger = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both engines (an SQLite INTEGER has them)."""


class Id(TypeDecorator[str]):
    """An id: UUID text outside, 16 bytes inside."""

    impl = LargeBinary(16)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else id_bytes(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else id_text(bytes(value))


class Hash(TypeDecorator[str]):
    """A SHA-256: 64 hex digits outside, 32 bytes inside."""

    impl = LargeBinary(32)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else bytes(value).hex()


class Instant(TypeDecorator[datetime]):
    """An aware moment outside, UTC inside. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its offset from UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


WRITERS = 0x514F5247
"""Name of the lock that writers share or hold alone on PostgreSQL."""
_ALONE = text("SELECT pg_advisory_xact_lock(:name)")
_BESIDE = text("SELECT pg_advisory_xact_lock_shared(:name)")
_HOLD = text("SELECT pg_advisory_lock(:name)")
_LET_GO = text("SELECT pg_advisory_unlock(:name)")


class Projecting(Protocol):
    """What the ledger offers so that nobody meets a subject whose tables are older than what was accepted of it."""

    def is_behind(self, session: Session) -> bool:
        """Whether anything accepted is not projected, as this session sees it."""

    def drain(self, database: Database) -> None:
        """Projects what is behind now, in short transactions between those of others."""

    def finish(self, session: Session) -> None:
        """Projects whatever is behind still, in a transaction that runs alone."""

    def pushed(self) -> None:
        """Something was accepted just now and waits."""

    def is_overloaded(self) -> bool:
        """Whether so much waits that a push had better project what it brings."""


Kept = TypeVar("Kept")


class Database:
    """The engine, on SQLite the queue of writers, and the way to what is not projected yet."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite(url) if self.is_sqlite else _postgresql(url)
        self.projecting: Projecting | None = None
        self._writing = self.engine.execution_options(writes=True)
        self._queue = _Queue(_lock_file(url)) if self.is_sqlite else None
        self.exchanging = threading.Lock()
        """Held while a process answers a tablet: exchanges wait for one another at the writer or the counter anyhow,
        and threads that compute by turns only make each other late. Measured: a tenth more pushes a second on SQLite, a
        quarter more on PostgreSQL."""
        self._kept: dict[object, object] = {}

    def kept(self, make: Callable[[Database], Kept]) -> Kept:
        """What a capability keeps beside this database: made at first use, one for all threads, as long as it lives."""
        return cast(Kept, self._kept.get(make) or self._kept.setdefault(make, make(self)))

    @contextmanager
    def read(self, *, behind: bool = False) -> Iterator[Session]:
        """A session for looking at one state of the whole; what it changes is rolled back.

        behind  for those who look at the ledger alone: subjects may wait to be projected
        """
        with self._looking() as session:
            if behind or self.projecting is None or not self.projecting.is_behind(session):
                yield session
                session.rollback()
                return
        self.projecting.drain(self)
        with self._finished() as session:
            yield session
            session.rollback()

    @contextmanager
    def write(self, *, beside_others: bool = False) -> Iterator[Session]:
        """One transaction: committed when the block ends well, else rolled back.

        beside_others  on PostgreSQL pushes run side by side, because they take their locks in one order. Everything
                       else waits for them and runs alone: an action may touch several subjects in any order. A push
                       does not wait for the projection of others.
        """
        if not beside_others:
            self._drain()
        with self._turn(), Session(self._writing) as session:
            if not self.is_sqlite:
                session.execute(_BESIDE if beside_others else _ALONE, {"name": WRITERS})
            if not beside_others and self.projecting is not None and self.projecting.is_behind(session):
                self.projecting.finish(session)
            yield session
            session.commit()

    @contextmanager
    def lent(self) -> Iterator[Any]:
        """The driver's own connection for single questions to the ledger, which may be behind, and for `push`."""
        lent = self.engine.raw_connection()
        connection: Any = lent.dbapi_connection
        try:
            if self.is_sqlite:
                yield connection
                return
            connection.autocommit = True  # no transaction to begin and to end around one question
            try:
                yield connection
            finally:
                if connection.closed:
                    lent.invalidate()  # it died under the work, whose own error says so
                else:
                    connection.autocommit = False
        finally:
            lent.close()

    @contextmanager
    def push(self, connection: Any) -> Iterator[None]:
        """One transaction beside others on a lent connection, for the few statements of an ordinary push.

        Committed when the block ends well, else rolled back.
        """
        with self._turn():
            try:
                if self.is_sqlite:
                    connection.execute("BEGIN IMMEDIATE")
                else:
                    connection.autocommit = False
                    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (WRITERS,))
                yield
                connection.commit()
            except BaseException:
                if self.is_sqlite or not connection.closed:
                    connection.rollback()
                raise
            finally:
                if not self.is_sqlite and not connection.closed:
                    connection.autocommit = True

    def pushed(self) -> None:
        """Says that something was accepted just now and waits to be projected."""
        if self.projecting is not None:
            self.projecting.pushed()

    def is_overloaded(self) -> bool:
        """Whether nothing more may wait: nobody projects behind here, or too much waits already."""
        return self.projecting is None or self.projecting.is_overloaded()

    def _drain(self) -> None:
        """Projects what is behind in turns with others, so that little is left for the transaction that runs alone."""
        if self.projecting is None or (self._queue is not None and self._queue.is_mine()):
            return
        with Session(self.engine) as session:
            behind = self.projecting.is_behind(session)
        if behind:
            self.projecting.drain(self)

    @contextmanager
    def _looking(self) -> Iterator[Session]:
        with Session(self.engine) as session:
            if not self.is_sqlite:  # one state for all statements, as SQLite gives by itself
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @contextmanager
    def _finished(self) -> Iterator[Session]:
        """A session for looking that began while nobody wrote and nothing was behind."""
        assert self.projecting is not None
        if self._queue is not None and self._queue.is_mine():  # within a write of this thread, which finished already
            with self._looking() as session:
                yield session
            return
        with self._looking() as session:
            with self._turn(), self._held_alone():
                with Session(self._writing) as writing:
                    self.projecting.finish(writing)
                    writing.commit()
                self.projecting.is_behind(session)  # its state is taken at this first statement, before others write
            yield session

    @contextmanager
    def _held_alone(self) -> Iterator[None]:
        """The lock of writers over more than one transaction, on PostgreSQL."""
        if self.is_sqlite:
            yield
            return
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(_HOLD, {"name": WRITERS})
            try:
                yield
            finally:
                connection.execute(_LET_GO, {"name": WRITERS})

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._queue is None:
            yield
            return
        with self._queue.turn():
            yield


class _Queue:
    """One writer at a time: a lock among the threads of this process, a lock on a file among processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()
        self._holder = 0
        self._file: IO[str] | None = None
        self._process = 0

    def is_mine(self) -> bool:
        """Whether this thread has its turn now."""
        return self._holder == threading.get_ident()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for the turn and gives it back."""
        with self._thread:
            file = self._opened()
            fcntl.flock(file, fcntl.LOCK_EX)
            self._holder = threading.get_ident()
            try:
                yield
            finally:
                self._holder = 0
                fcntl.flock(file, fcntl.LOCK_UN)

    def _opened(self) -> IO[str]:
        """The file, opened by this very process: one inherited at a fork would share its lock."""
        if self._file is None or self._process != os.getpid():
            self._file = self._path.open("w")
            self._process = os.getpid()
        return self._file


def _lock_file(url: str) -> Path:
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(path.name + ".lock")


def _postgresql(url: str) -> Engine:
    """An address may name several servers of one pair and `target_session_attrs=read-write`: a connection that died is
    replaced by one to the server that takes writes now. Source: docs/scale.md.
    """
    wait = {} if "connect_timeout" in url else {"connect_timeout": 5}
    return create_engine(url, pool_size=16, max_overflow=8, pool_pre_ping=True, connect_args=wait)


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: object) -> None:
        # The driver would open transactions by itself, and too late: BEGIN is said below.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "temp_store=MEMORY",
            # Kibibytes of one connection: each commit of another process empties it; the system's own cache stays.
            "cache_size=-512",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
