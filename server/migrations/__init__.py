"""The schema of the database: `migrate(url)` brings any earlier state to the newest."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig

FOLDER = Path(__file__).parent


def alembic_config(url: str) -> AlembicConfig:
    """Alembic's settings for a database."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate(url: str) -> None:
    """Brings the database to the newest schema and gives it the ledger's counter. Safe to repeat."""
    from server.db import Database
    from server.ledger.actions import found_ledger
    from server.ledger.tables import CounterRow

    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(alembic_config(url), "head")
    database = Database(url)
    with database.write() as session:
        if session.get(CounterRow, 1) is None:
            found_ledger(session)
    database.engine.dispose()
