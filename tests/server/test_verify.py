"""`verify` names the first bad place, whatever was changed: one change of each kind, each found."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlmodel import select

from server.ledger.opening import log_reads
from server.ledger.tables import FrameRow
from server.ledger.verify import verify
from server.office import Reader
from shared.accounts import Role
from tests.server.conftest import World
from tests.server.test_sync import answers, begun

CHANGES = {
    "a frame's bytes": ("UPDATE frames SET data = :other WHERE cursor = :cursor", "header is not the one of its row"),
    "a frame taken out": ("DELETE FROM frames WHERE cursor = :cursor", "does not follow"),
    "the end cut off": ("DELETE FROM frames WHERE cursor = :last", "frames are missing at the end"),
    "a head": ("UPDATE frames SET ledger_head = :hash WHERE cursor = :cursor", "head of the ledger does not follow"),
    "a last id": ("UPDATE frames SET last_id = :hash WHERE cursor = :cursor", "last id is not the one"),
    "a count": ("UPDATE frames SET count = count + 1 WHERE cursor = :cursor", "header is not the one"),
    "the counter set back": ("UPDATE counter SET value = 1", "the counter stands at 1"),
    "a chain": ("UPDATE chains SET seq = seq + 1 WHERE subject = :record", "table and frames differ"),
    "the digest over chains": ("UPDATE heads SET digest = :hash", "not the digest over its chains"),
    "a digest taken away": ("DELETE FROM heads", "not the digest over its chains"),
    "a kind": ("UPDATE subjects SET kind = 'interview' WHERE id = :record", "its operations say record"),
    "an acceptance": ("UPDATE subjects SET accepted = accepted + 1 WHERE id = :record", "it was accepted up to"),
    "an audience taken away": ("DELETE FROM access WHERE subject = :record", "does not get it"),
    "an audience added": ("INSERT INTO access VALUES ('nobody', :record, 1)", "nobody gets it and may not hold it"),
    "a line of the read log": ("UPDATE read_log SET purpose = 'other'", "read log, line 1"),
}


def filled(pair) -> tuple[World, str]:
    one, _, visit = pair
    record, _ = begun(one, visit)
    one.sync(one.write(record, *answers(2, 40)))
    world = one.world
    with world.office.database.write() as session:
        reader = Reader(world.founded.admin, Role.ADMIN)
        log_reads(session, reader, "record.read", [(record, "x")], "a test", world.now)
    return world, record


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_every_kind_of_change_is_found(pair, what: str) -> None:
    world, record = filled(pair)
    statement, words = CHANGES[what]
    with world.office.database.read() as session:
        assert verify(session).is_whole
        rows = session.exec(select(FrameRow).order_by(FrameRow.cursor)).all()
        mine = [row.cursor for row in rows if row.subject == record]
        other, last = rows[0].data, rows[-1].cursor
    given = {"other": other, "cursor": mine[0], "last": last, "hash": b"x" * 32, "record": _bytes(record)}
    with world.office.database.engine.execution_options(writes=True).connect() as connection:
        connection.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})
        connection.commit()
    with world.office.database.read(behind=True) as session:
        found = verify(session)
    assert not found.is_whole
    assert words in found.wrong[0], found.wrong


def test_several_processes_find_the_same(pair, monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = filled(pair)
    monkeypatch.setattr("server.ledger.verify.WORTH_PROCESSES", 1)
    with world.office.database.read() as session:
        alone, together = verify(session), verify(session, processes=2)
    assert alone == together
    assert together.is_whole


def _bytes(id_: str) -> bytes:
    from shared.ledger.operation import id_bytes

    return id_bytes(id_)
