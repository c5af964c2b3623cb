"""The schema of the database: `migrate(url)` brings any earlier state to the newest.

Alembic is loaded by those who change the schema; who only asks whether it fits keeps its memory.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, inspect, pool, text

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

FOLDER = Path(__file__).parent


class NewerSchema(Exception):
    """The database was brought to a schema that this program does not know: it is older. The message names it."""


class OlderSchema(Exception):
    """The database has an older schema than this program needs: `qorgan migrate` first. The message names it."""


def alembic_config(url: str) -> AlembicConfig:
    """Alembic's settings for a database."""
    from alembic.config import Config as AlembicConfig

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
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def revisions() -> list[str]:
    """The schemas this program knows, oldest first: files of migrations are named by them, in order."""
    return sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


def check_schema(url: str) -> None:
    """Raises NewerSchema or OlderSchema unless the database has the schema of this program."""
    has, known = schema_of(url), revisions()
    if has == known[-1]:
        return
    if has and has not in known:
        raise NewerSchema(has)
    raise OlderSchema(has or "none")


def migrate(url: str) -> None:
    """Brings the database to the newest schema and gives it the ledger's counter. Safe to repeat.

    Raises NewerSchema; then nothing was changed.
    """
    with suppress(OlderSchema):
        check_schema(url)
    from alembic import command

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
