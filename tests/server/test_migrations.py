"""From an empty database to the newest schema, the same on both engines, and equal to the tables the code declares."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect
from sqlmodel import SQLModel

import server.migrations.tables
from server.db import Database
from server.ledger.tables import CounterRow
from server.migrations import migrate


def test_the_newest_schema_is_what_the_code_declares(empty_database_url: str) -> None:
    migrate(empty_database_url)
    engine = create_engine(empty_database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, SQLModel.metadata) == []
        assert set(inspect(connection).get_table_names()) == {*SQLModel.metadata.tables, "alembic_version"}
    engine.dispose()


def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    migrate(empty_database_url)
    migrate(empty_database_url)
    database = Database(empty_database_url)
    with database.read() as session:
        assert session.get(CounterRow, 1).value == 0
    database.engine.dispose()


def test_every_tables_module_is_seen() -> None:
    assert {"server.accounts.tables", "server.ledger.tables", "server.media.tables"} <= set(
        server.migrations.tables.MODULES
    )


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sqlite_is_set_to_lose_nothing(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in
                 ("journal_mode", "synchronous", "foreign_keys", "secure_delete")}  # fmt: skip
    database.engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
