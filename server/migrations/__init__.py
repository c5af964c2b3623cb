"""The schema of the database: `migrate(url)` brings any earlier state to the newest."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool

FOLDER = Path(__file__).parent


class NewerSchema(Exception):
    """The database was brought to a schema that this program does not know: it is older. The message names it."""


class OlderSchema(Exception):
    """The database has an older schema than this program needs: `qorgan migrate` first. The message names it."""


def alembic_config(url: str) -> AlembicConfig:
    """Alembic's settings for a database."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def schema_of(url: str) -> str:
    """The revision a database has; "" for one without tables."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return ""
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def check_schema(url: str) -> None:
    """Raises NewerSchema or OlderSchema unless the database has the schema of this program."""
    has, script = schema_of(url), ScriptDirectory.from_config(alembic_config(url))
    if has == script.get_current_head():
        return
    if has and has not in {revision.revision for revision in script.walk_revisions()}:
        raise NewerSchema(has)
    raise OlderSchema(has or "none")


def migrate(url: str) -> None:
    """Brings the database to the newest schema and gives it the ledger's counter. Safe to repeat.

    Raises NewerSchema; then nothing was changed.
    """
    with suppress(OlderSchema):
        check_schema(url)
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
