"""The encrypted rows: stock SQLite, every body sealed under the store key and bound to its store, table and number.

Knows no meaning of a body. A row that does not open is named and skipped, never fatal. Source: SETTLED decision 35.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from shared.ledger.crypto import SealBroken, seal, unseal

TABLES = ("own", "frame_state", "pulled", "receipt", "subject_key", "draft", "place", "meta", "media")
SCHEMA = Path(__file__).with_name("schema.sql")
_PRAGMAS = (
    "pragma locking_mode=exclusive",  # one process has the folder; and no -shm file, for which a full disk has no room
    "pragma journal_mode=wal",
    "pragma synchronous=full",
    "pragma secure_delete=on",
    "pragma temp_store=memory",
    "pragma wal_autocheckpoint=4000",
)


class Database:
    """One connection; its caller holds the lock, opens and ends transactions."""

    def __init__(self, path: Path, key: bytes, store: str) -> None:
        """Raises sqlite3.DatabaseError when the file is no readable database."""
        self.path, self._key, self._store = path, key, store
        self.damaged: list[tuple[str, int]] = []
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            for pragma in _PRAGMAS:
                self._connection.execute(pragma)
            self._connection.executescript(SCHEMA.read_text(encoding="utf-8"))
            self._next = {table: self._highest(table) + 1 for table in TABLES}
        except sqlite3.Error:
            self._connection.close()
            raise

    def _highest(self, table: str) -> int:
        row = self._connection.execute(f"select max(number) from {table}").fetchone()  # noqa: S608
        return int(row[0] or 0)

    def _about(self, table: str, number: int) -> bytes:
        return f"{self._store}\n{table}\n{number}".encode()

    def begin(self) -> None:
        """A transaction begins."""
        self._before = dict(self._next)
        self._connection.execute("begin immediate")

    def commit(self) -> None:
        """What was written since `begin` is on the disk when this returns."""
        self._connection.execute("commit")

    def roll_back(self) -> None:
        """Nothing was written since `begin`."""
        self._next = self._before
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("rollback")

    def next_number(self, table: str) -> int:
        """The number the next row of the table gets."""
        return self._next[table]

    def put(self, table: str, plain: bytes, number: int | None = None) -> int:
        """Writes a row, over the one with that number if there is one; its number."""
        number = self._next[table] if number is None else number
        sealed = seal(self._key, plain, self._about(table, number))
        self._connection.execute(f"insert or replace into {table} values (?, ?)", (number, sealed))  # noqa: S608
        self._next[table] = max(self._next[table], number + 1)
        return number

    def delete(self, table: str, number: int) -> None:
        """Removes a row; its bytes are overwritten."""
        self._connection.execute(f"delete from {table} where number = ?", (number,))  # noqa: S608

    def get(self, table: str, number: int) -> bytes | None:
        """The body of a row, None when there is none or it does not open."""
        row = self._connection.execute(f"select sealed from {table} where number = ?", (number,)).fetchone()  # noqa: S608
        return self._opened(table, number, row[0]) if row else None

    def rows(self, table: str) -> Iterator[tuple[int, bytes]]:
        """Every row that opens, by number; those that do not are added to `damaged`."""
        for number, sealed in self._connection.execute(f"select number, sealed from {table} order by number"):  # noqa: S608
            plain = self._opened(table, number, sealed)
            if plain is not None:
                yield number, plain

    def salvaged(self, table: str, at_most: int = 200_000) -> Iterator[tuple[int, bytes]]:
        """Rows of a damaged file, each asked for by itself, so that a bad page costs its own rows only."""
        try:
            highest = self._highest(table)
        except sqlite3.Error:
            highest = at_most
        misses = 0
        for number in range(1, min(highest, at_most) + 1):
            try:
                plain = self.get(table, number)
            except sqlite3.Error:
                plain = None
            misses = 0 if plain is not None else misses + 1
            if plain is not None:
                yield number, plain
            if misses > 5000:
                return

    def _opened(self, table: str, number: int, sealed: object) -> bytes | None:
        if isinstance(sealed, bytes):
            with contextlib.suppress(SealBroken):
                return unseal(self._key, sealed, self._about(table, number))
        self.damaged.append((table, number))
        return None

    def skip_to(self, table: str, number: int) -> None:
        """The next row of the table gets this number at least: those below it are taken, if not here, in the copy."""
        self._next[table] = max(self._next[table], number)

    def fold_log_in(self) -> None:
        """Everything in the log is in the file itself, and on the disk. Raises sqlite3.Error."""
        busy, _, _ = self._connection.execute("pragma wal_checkpoint(truncate)").fetchone()
        if busy:
            raise sqlite3.OperationalError("the log could not be folded in")

    def let_go(self) -> None:
        """Closes the file."""
        self._connection.close()

    def close(self) -> None:
        """Folds the log into the file where it can and lets go."""
        with contextlib.suppress(sqlite3.Error):
            self.fold_log_in()
        self.let_go()
