"""Rows of a table through the driver itself, without the layers between: for the few statements of an ordinary push.

Names and values come from the table's own columns, so that both ways write the same bytes. Source: decision 0009.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Dialect, Table


class Statements:
    """Spells statements for one engine: `?` becomes the driver's own mark, locks are asked for where rows have them."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.is_sqlite = dialect.name == "sqlite"

    def spelled(self, statement: str) -> str:
        """A statement with `?` for values."""
        return statement if self.is_sqlite else statement.replace("?", "%s")

    def locking(self, statement: str) -> str:
        """A SELECT that keeps its rows until the end; on SQLite the one writer holds everything already."""
        return self.spelled(statement if self.is_sqlite else statement + " FOR UPDATE")

    def together(self, connection: Any) -> AbstractContextManager[Any]:
        """Statements of the block travel together where the driver can; what fails is raised at its end at latest."""
        together: AbstractContextManager[Any] = nullcontext() if self.is_sqlite else connection.pipeline()
        return together


class PlainTable:
    """One table: what to select and insert, and how its values look on either side of the driver."""

    def __init__(self, table: Table, statements: Statements) -> None:
        dialect = statements.dialect
        self.names = tuple(column.name for column in table.columns)
        types = {column.name: column.type.dialect_impl(dialect) for column in table.columns}
        self._bind = {name: type_.bind_processor(dialect) for name, type_ in types.items()}
        self._result = tuple(type_.result_processor(dialect, None) for type_ in types.values())
        self.select = f"SELECT {', '.join(self._quoted(dialect))} FROM {table.name}"
        marks = ", ".join("?" * len(self.names))
        self.insert = statements.spelled(
            f"INSERT INTO {table.name} ({', '.join(self._quoted(dialect))}) VALUES ({marks})"
        )

    def _quoted(self, dialect: Dialect) -> list[str]:
        return [dialect.identifier_preparer.quote(name) for name in self.names]

    def value(self, name: str, value: Any) -> Any:
        """A value as the driver takes it for this column."""
        process = self._bind[name]
        return value if process is None else process(value)

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """A whole row as the driver takes it, in the order of the columns."""
        return tuple(self.value(name, row[name]) for name in self.names)

    def row(self, found: Sequence[Any]) -> Any:
        """A row of `select` with its values as the product knows them, under the names of its columns."""
        return SimpleNamespace(
            **{
                name: value if process is None else process(value)
                for name, process, value in zip(self.names, self._result, found, strict=True)
            }
        )
