"""The office takes longer to commit than the tablet waits: the tablet gives up, comes again, and all is there once.

Over real TCP. A lock holds the commit: on SQLite the queue of writers, on PostgreSQL the counter, which a push takes
last. The client gives up one to three times, and may have written more meanwhile. When the lock is let go every push
that hung is still carried out; what was sent again must not count again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest.mock import patch

import pytest
from sqlmodel import Session, select
from werkzeug.serving import make_server

from field_app.sync import client
from server.ledger.tables import CounterRow, FrameRow
from server.office import new_subject
from shared.ledger.frame import Frame
from shared.ledger.messages import Reply, read_reply
from tests.network.offices import Direct, Scene, answers, record_of, scene
from tests.trials.trial import Ground, Trial

GIVES_UP_AFTER = 0.25
"""Seconds; the lock is held until the client has given up, however long that takes."""


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when an operation is lost or counts twice."""
    chance = Random(seed)
    on = scene(ground, chance.choice(("sqlite", "postgresql")))
    tablet = on.tablets[0]
    record = new_subject(on.world.now)
    frames = [record_of(tablet, on.visits[0], record, 10)]
    with _served(on) as office:
        with _held(on):
            for _ in range(chance.randint(1, 3)):
                with patch.object(client, "read_timeout", lambda size: GIVES_UP_AFTER), pytest.raises(client.NoNetwork):
                    _sent(office, tablet, frames)
                if chance.random() < 0.5:
                    frames.append(tablet.write(record, *answers(chance.randint(1, 5), 100 * len(frames))))
        for _ in range(2):
            said = _sent(office, tablet, frames).receipt.frames
            assert {each.status for each in said} <= {"accepted", "already"}, said
    with on.world.office.database.read() as session:
        rows = session.exec(select(FrameRow).where(FrameRow.subject == record).order_by(FrameRow.first)).all()  # type: ignore[arg-type]
        held = [(row.first, row.last_id) for row in rows]
    assert held == [(frame.header.first, frame.ids()[-1].hex()) for frame in frames]
    other = on.tablets[1]
    pulled = [frame.encoded() for frame in other.sync_all() if frame.header.subject == record]
    assert pulled == [frame.encoded() for frame in frames]
    assert not tablet.sync().page.revoked, "a late answer was taken for a twin"
    on.close()


def _sent(office: client.Office, tablet: Direct, frames: list[Frame]) -> Reply:
    tablet.world.clock.pass_(seconds=2)
    answer = client.exchange(office, tablet.request(*frames), tablet.secret)
    reply = read_reply(answer, bytes.fromhex(tablet.world.office.keys.sign_key))
    tablet.nonce = reply.page.next_nonce
    return reply


@contextmanager
def _held(on: Scene) -> Iterator[None]:
    """Nobody else commits while this lasts."""
    database = on.world.office.database
    if database.is_sqlite:
        with database.write():
            yield
        return
    with Session(database.engine) as session:
        session.get(CounterRow, 1, with_for_update=True)
        yield
        session.rollback()


@contextmanager
def _served(on: Scene) -> Iterator[client.Office]:
    server = make_server("127.0.0.1", 0, on.world.app, threaded=True)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield client.Office(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()  # waits for what still hung


TRIAL = Trial(
    "held_commit",
    traps=("B.27",),
    says="A commit held back beyond the tablet's patience, and repeated, counts once.",
    per_commit=6,
    release=300,
    run=run,
)
