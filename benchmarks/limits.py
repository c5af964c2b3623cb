"""What the machine itself can do with one visit: the floors that ratios are taken against, measured in the same run.

A visit is the 346 flat records of `benchmarks.payload`. Nothing of the product runs here.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import payload
from benchmarks.figures import Figure, median_ms
from shared.ledger.crypto import is_signed, sign, verifying_key

ROWS = "CREATE TABLE log(seq INTEGER PRIMARY KEY, id BLOB UNIQUE, kind TEXT, author TEXT, at INTEGER, data BLOB)"
INSERT = "INSERT INTO log(id, kind, author, at, data) VALUES (?,?,?,?,?)"
FRAMES = "CREATE TABLE frames(seq INTEGER PRIMARY KEY, body BLOB)"
SECRET = hashlib.sha256(b"limits").digest()


@cache
def records(number: int = 0) -> list[dict[str, Any]]:
    """The flat records of a visit."""
    return payload.records(payload.visit(number))


@cache
def body(number: int = 0) -> bytes:
    """The same as one JSON text."""
    return payload.dumps(records(number))


@contextmanager
def database(schema: str, synchronous: str = "FULL") -> Iterator[sqlite3.Connection]:
    """A fresh SQLite file on the disk that is measured."""
    with tempfile.TemporaryDirectory(prefix="qorgan-limits-") as folder:
        connection = sqlite3.connect(Path(folder) / "limits.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute(schema)
        yield connection
        connection.close()


@cache
def columns() -> list[tuple[str, str, int, bytes]]:
    """Kind, author, time and JSON of each record."""
    return [(record["kind"], record["by"], record["at"], payload.dumps(record)) for record in records()]


def _insert(connection: sqlite3.Connection) -> None:
    rows = [(os.urandom(16), *columns) for columns in columns()]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, rows)
    connection.execute("COMMIT")


def rows_ms() -> float:
    """346 rows in one durable transaction."""
    with database(ROWS) as connection:
        return median_ms(lambda: _insert(connection))


def frame_ms() -> float:
    """One packed row in one durable transaction."""
    packed = zlib.compress(body(), 1)
    with database(FRAMES) as connection:
        return median_ms(lambda: connection.execute("INSERT INTO frames(body) VALUES (?)", (packed,)))


def save_ms() -> float:
    """One answer saved by itself: a durable insert and a durable append, as a tablet makes them."""
    row = payload.dumps(records()[1])
    with database(FRAMES) as connection, tempfile.NamedTemporaryFile(prefix="qorgan-limits-") as copy:

        def save() -> None:
            connection.execute("INSERT INTO frames(body) VALUES (?)", (row,))
            copy.write(row)
            copy.flush()
            os.fsync(copy.fileno())

        return median_ms(save)


def accept_ms() -> float:
    """The floor of a push in one process: parse, one signature, hash chain, 346 rows in one durable transaction."""
    data, public = body(), verifying_key(SECRET)
    signature = sign(SECRET, hashlib.sha256(data).digest())
    raw = msgspec.json.Decoder(list[msgspec.Raw])
    with database(ROWS) as connection:

        def accept() -> None:
            assert is_signed(public, hashlib.sha256(data).digest(), signature)
            before = b""
            for record in raw.decode(data):
                before = hashlib.sha256(before + bytes(record)).digest()
            _insert(connection)

        return median_ms(accept)


def chain_ms() -> float:
    """SHA-256 over 346 records, each with the one before."""
    parts = [payload.dumps(record) for record in records()]

    def run() -> None:
        before = b""
        for part in parts:
            before = hashlib.sha256(before + part).digest()

    return median_ms(run)


def sign_ms() -> float:
    """One Ed25519 signature over 32 bytes."""
    return median_ms(lambda: sign(SECRET, bytes(32)))


def figures() -> list[Figure]:
    """The limits of this machine; nothing to hold them against."""
    return [
        Figure("limit: 346 rows, SQLite FULL", rows_ms(), "ms"),
        Figure("limit: one packed row, SQLite FULL", frame_ms(), "ms"),
        Figure("limit: one answer, durable insert and append", save_ms(), "ms"),
        Figure("limit: parse, signature, chain, 346 rows", accept_ms(), "ms"),
        Figure("limit: chain over 346 records", chain_ms(), "ms"),
    ]
