"""Writes versions/0001_initial.py from the models: until the first release there is one migration, made anew freely.

Run: python -m server.migrations.regenerate
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from alembic import command

from server.migrations import FOLDER, alembic_config

REVISION = "0001"


def regenerate() -> Path:
    """The path of the one migration, written from an empty database to all tables."""
    target = FOLDER / "versions" / f"{REVISION}_initial.py"
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        config = alembic_config(f"sqlite:///{folder}/empty.db")
        command.revision(config, "initial", autogenerate=True, rev_id=REVISION)
    source = target.read_text(encoding="utf-8")
    if "server.db." in source and "import server.db" not in source:
        source = source.replace("import sqlmodel\n", "import sqlmodel\nimport server.db\n", 1)
    target.write_text(source, encoding="utf-8")
    return target


if __name__ == "__main__":
    print(regenerate())
