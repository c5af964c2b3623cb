"""A program older than its database touches nothing and says so; one that is newer asks for the migration."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from server import cli
from server.keys import make_keys, save_keys
from server.migrations import NewerSchema, OlderSchema, check_schema, migrate, schema_of


def test_an_older_program_refuses_and_changes_nothing(empty_database_url: str) -> None:
    from sqlalchemy import create_engine, text

    with pytest.raises(OlderSchema):
        check_schema(empty_database_url)
    migrate(empty_database_url)
    check_schema(empty_database_url)
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchema):
        check_schema(empty_database_url)
    with pytest.raises(NewerSchema):
        migrate(empty_database_url)
    assert schema_of(empty_database_url) == "9999"
    engine.dispose()


def test_the_commands_say_it_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QORGAN_DATA", str(tmp_path))
    monkeypatch.setenv("QORGAN_KEY_PASSPHRASE", "words of a test")
    monkeypatch.delenv("QORGAN_DATABASE", raising=False)
    save_keys(make_keys(1), tmp_path / "keys", "words of a test")
    assert cli.main(["verify"]) == 1
    assert "qorgan migrate" in capsys.readouterr().err
    assert cli.main(["migrate"]) == 0
    with sqlite3.connect(tmp_path / "office.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (
        ["verify"], ["migrate"], ["serve"], ["backup"], ["quarantine", "list"], ["tablets", "list"],
        ["bundle", "make", "019cacb3-f200-7681-8140-9980da69785a", str(tmp_path / "made")],
    ):  # fmt: skip
        assert cli.main(command) == 1
        assert "too old" in capsys.readouterr().err, command
