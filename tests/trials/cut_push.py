"""A push whose connection is cut at any byte, of the request or of the reply: the office holds none of it or all.

Over real TCP: the client of the product, the proxy that fails as told, the office as a process of its own. Forty
operations in three frames; after the cut the same push is sent again, and once more: each operation is there once.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import NoReturn

from sqlmodel import delete, select

from field_app.sync import client
from server.accounts.tables import AttemptRow
from server.demo.proxy import Fault, Kind, Proxy
from server.ledger import queries
from server.ledger.tables import FrameRow, HeldFrameRow
from server.office import new_subject
from shared.accounts import Role
from shared.ledger.messages import Reply, read_reply
from shared.visits import ConflictDeclared, VisitPlanned
from tests.network.offices import Scene, answers, record_of, scene
from tests.network.serving import Serving
from tests.server.conftest import Tablet
from tests.trials.trial import MEMORY, Ground, Trial

OPERATIONS = 40


@dataclass(frozen=True)
class Running:
    """An office that runs for all seeds of a process, and a line to it."""

    on: Scene
    proxy: Proxy
    sizes: tuple[int, int]


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a part of a push is held, or an operation twice or not at all."""
    chance = Random(seed)
    running = _running()
    tablet = _tablet(running.on)
    body = _push(tablet, running.on)
    to_office, back = running.sizes
    at = chance.randrange(to_office + back)
    kind: Kind = "cut_request" if at < to_office else chance.choice(("cut_reply", "reset"))
    running.proxy.plan([Fault(kind, at if at < to_office else at - to_office)])
    heard = _sent(running, tablet, body)
    held = _held(running.on, tablet)
    assert held in (0, OPERATIONS), f"{kind} at byte {at}: the office holds {held} of {OPERATIONS}"
    assert heard is None or held == OPERATIONS, "a receipt for what is not held"
    first, second = (_sent(running, tablet, body) for _ in range(2))
    assert first is not None, "without a fault the push does not go through"
    assert second is not None
    assert {each.status for each in first.receipt.frames} <= {"accepted", "already"}, first.receipt.frames
    assert second.receipt_bytes == first.receipt_bytes, "the same push brought another receipt"
    assert _held(running.on, tablet) == OPERATIONS
    with running.on.world.office.database.read() as session:
        assert session.exec(select(HeldFrameRow)).all() == []


def _sent(running: Running, tablet: Tablet, body: bytes) -> Reply | None:
    """What the tablet heard; None when the line broke."""
    try:
        answer = client.exchange(client.Office(running.proxy.address), body, tablet.secret)
    except client.NoNetwork:
        return None
    return read_reply(answer, bytes.fromhex(running.on.world.office.keys.sign_key))


def _tablet(on: Scene) -> Tablet:
    """A new one for each seed, so that no limit a minute is met; nor that of codes, which is not tried here."""
    on.world.clock.now = datetime.now(UTC)
    with on.world.office.database.write() as session:
        session.exec(delete(AttemptRow))
    return on.world.tablet(on.world.person(Role.NPM_MEMBER))


def _push(tablet: Tablet, on: Scene) -> bytes:
    """Forty operations in three frames: a visit nobody planned, its record, more of the record."""
    visit, record = new_subject(on.world.now), new_subject(on.world.now)
    frames = [
        tablet.write(visit, VisitPlanned(visit_kind="unplanned", key="", sealed=""), ConflictDeclared(conflict=False)),
        record_of(tablet, visit, record, 19),
        tablet.write(record, *answers(18, 100)),
    ]
    return tablet.request(*frames)


def _held(on: Scene, tablet: Tablet) -> int:
    """How many operations of the tablet are in the ledger; each place once."""
    with on.world.office.database.read() as session:
        rows = session.exec(select(FrameRow).where(FrameRow.device == tablet.id)).all()
        places = [
            (row.subject, row.first + number) for row in rows for number in range(len(queries.frame_of(row).lines))
        ]
    assert len(places) == len(set(places)), "an operation is held twice"
    return len(places)


@cache
def _running() -> Running:
    folder = Path(tempfile.mkdtemp(prefix="qorgan-cut-push-", dir=MEMORY if MEMORY.is_dir() else None))
    on = scene(Ground(folder, _nothing))
    serving = Serving(folder, on.world.office.database.url, on.world.office.keys)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(serving.end)
    proxy = Proxy(("127.0.0.1", serving.ready().port))
    atexit.register(proxy.close)
    running = Running(on, proxy, (0, 0))
    tablet = _tablet(on)
    before = proxy.seen.bytes_up, proxy.seen.bytes_down
    assert _sent(running, tablet, _push(tablet, on)) is not None, serving.tail()
    return Running(on, proxy, (proxy.seen.bytes_up - before[0], proxy.seen.bytes_down - before[1]))


def _nothing() -> NoReturn:
    raise AssertionError("no PostgreSQL here")


TRIAL = Trial(
    "cut_push",
    traps=("B.1",),
    says="A push of forty operations cut at any byte over TCP is held whole or not at all, and once after a repeat.",
    per_commit=40,
    release=500,
    run=run,
)
