"""A damaged page of the office's database: verify names the place, and requests are not answered 500 for ever."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from field_app.acts import visits
from server.ledger.verify import verify
from tests.ground import World
from tests.ground.founding import INSTITUTION

PAGE = 4096


def first_page(path: Path, table: str) -> int:
    """The page a table begins on."""
    connection = sqlite3.connect(path)
    try:
        root = connection.execute("select rootpage from sqlite_master where name = ?", (table,)).fetchone()[0]
    finally:
        connection.close()
    return int(root)


@pytest.mark.parametrize("table", ["frames", "subjects"])
def test_a_zeroed_page_is_named_by_verify_and_the_office_says_that_it_is_away(tmp_path, table, caplog):
    with World.open(tmp_path / "world") as world:
        path = world.office.config.data / "office.db"
        tablet = world.tablets["leader"]
        visits.start(tablet.store, world.visit, INSTITUTION, tablet.clock())
        world.office.database.engine.dispose()
        number = first_page(path, table)
        data = bytearray(path.read_bytes())
        data[(number - 1) * PAGE : number * PAGE] = bytes(PAGE)
        path.write_bytes(data)
        world.restart_office()
        with world.office.database.read() as session:
            found = verify(session)
        assert not found.is_whole
        assert "damaged" in found.wrong[0]
        assert any("age" in line for line in found.wrong[1:]), found.wrong
        done = tablet.sync()
        assert done.trouble == "no_network", done
        assert "THE DATABASE IS DAMAGED" in caplog.text


@pytest.mark.parametrize("seed", range(12))
def test_a_flipped_byte_of_a_frame_is_found(tmp_path, seed):
    """Wherever it falls in the bytes of a frame, its place is named."""
    with World.open(tmp_path / "world") as world:
        path = world.office.config.data / "office.db"
        world.office.database.engine.dispose()
        connection = sqlite3.connect(path)
        rows = connection.execute("select cursor, data from frames order by cursor").fetchall()
        cursor, data = random.Random(seed).choice(rows)
        broken = bytearray(data)
        broken[random.Random(seed).randrange(len(broken))] ^= 1 << random.Random(seed).randrange(8)
        connection.execute("update frames set data = ? where cursor = ?", (bytes(broken), cursor))
        connection.commit()
        connection.close()
        world.restart_office()
        with world.office.database.read() as session:
            found = verify(session)
        assert not found.is_whole
        assert f"position {cursor}" in found.wrong[0]
