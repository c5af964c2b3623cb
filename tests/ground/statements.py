"""The office's SQLite connections, which tell before each statement: so a test can end the office at any of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

listeners: list[Callable[[str], None]] = []
"""Called with every statement of any world's office, before it runs; what one raises goes up from the statement."""


@contextmanager
def untold() -> Iterator[None]:
    """Statements of the block are a test's own: nobody is told of them."""
    kept = listeners[:]
    listeners.clear()
    try:
        yield
    finally:
        listeners[:] = kept


class _Cursor(sqlite3.Cursor):
    def execute(self, statement: str, *rest: Any) -> Any:
        _tell(statement)
        return super().execute(statement, *rest)

    def executemany(self, statement: str, *rest: Any) -> Any:
        _tell(statement)
        return super().executemany(statement, *rest)


class _Connection(sqlite3.Connection):
    def cursor(self, factory: type[sqlite3.Cursor] = _Cursor) -> Any:
        return super().cursor(factory)

    def execute(self, statement: str, *rest: Any) -> Any:
        _tell(statement)
        return super().execute(statement, *rest)

    def executemany(self, statement: str, *rest: Any) -> Any:
        _tell(statement)
        return super().executemany(statement, *rest)

    def commit(self) -> None:
        if self.in_transaction:
            _tell("COMMIT")
        super().commit()


def _tell(statement: str) -> None:
    for listener in listeners:
        listener(statement)


def told_of_statements(dialect: object, record: object, cargs: list[Any], cparams: dict[str, Any]) -> None:
    """For SQLAlchemy's event `do_connect`: its connections are these."""
    cparams["factory"] = _Connection
