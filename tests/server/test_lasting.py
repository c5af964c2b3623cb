"""What waits for the disk and what does not: a connection that once did not wait never answers for what has to last."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from server.db import Database

FULL = 2


def test_a_push_that_could_not_begin_leaves_no_connection_that_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    """SQLite only: PostgreSQL takes the setting back with the transaction."""
    database = Database(f"sqlite:///{tmp_path / 'office.db'}")
    other = sqlite3.connect(tmp_path / "office.db")
    with database.lent() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == FULL
        connection.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"), database.push(connection, lasting=False):
            raise AssertionError("it has no turn")
        other.rollback()
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == FULL
        with pytest.raises(ZeroDivisionError), database.push(connection, lasting=False):
            raise ZeroDivisionError
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == FULL
    other.close()
