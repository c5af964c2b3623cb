"""The database of the office: one engine, and the two ways to use it.

`Database.write()` is one transaction; the answer leaves after its commit. On SQLite writers queue behind a lock of the
process and a file lock between processes, taken only for the write; on PostgreSQL they lock rows. Ids are text in
Python and 16 bytes in tables. Source: DESIGN section 4, SETTLED decision 21.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


class Database:
    """The engine and, on SQLite, the queue of writers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite(url) if self.is_sqlite else create_engine(url, pool_size=16, max_overflow=8)
        self._thread = threading.Lock()
        self._file = _lock_file(url) if self.is_sqlite else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for looking; what it changes is rolled back."""
        with Session(self.engine) as session:
            yield session
            session.rollback()

    @contextmanager
    def write(self, *, beside_others: bool = False) -> Iterator[Session]:
        """One transaction: committed when the block ends well, else rolled back.

        beside_others  on PostgreSQL pushes run side by side, because they take their locks in one order. Everything
                       else waits for them and runs alone: an action may touch several subjects in any order.
        """
        with self._turn(), Session(self.engine.execution_options(writes=True)) as session:
            if not self.is_sqlite:
                session.execute(_BESIDE if beside_others else _ALONE, {"name": WRITERS})
            yield session
            session.commit()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        with self._thread, self._file.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _lock_file(url: str) -> Path:
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(path.name + ".lock")


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
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
