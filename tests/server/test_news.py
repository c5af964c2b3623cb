"""The short way of an exchange and the page in full agree on whether anything of others waits for a tablet."""

from __future__ import annotations

import random
import uuid

from sqlmodel import Session

from server.ledger import ordinary_rows, queries
from server.ledger.ordinary_rows import OrdinaryRows
from server.ledger.tables import AccessRow, FrameRow
from shared.permissions import EVERYBODY
from shared.values import DeviceId, PersonId
from tests.server.conftest import World

SEEDS = 40
ROUNDS = 25


def _id(draw: random.Random) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def _ledger(session: Session, draw: random.Random, people: list[PersonId], devices: list[DeviceId], now) -> int:
    """A ledger of some frames and rights in the order of one counter, some rights given late; the counter after it."""
    subjects = [_id(draw) for _ in range(draw.randint(1, 8))]
    at, granted, places = 0, set(), dict.fromkeys(subjects, 0)
    for _ in range(draw.randint(1, 30)):
        at += 1
        subject, audience = draw.choice(subjects), draw.choice([*people, *people, EVERYBODY])
        if draw.random() < 0.4:
            if (audience, subject) not in granted:
                granted.add((audience, subject))
                session.add(AccessRow(audience=audience, subject=subject, granted=at))
            continue
        places[subject] += 1
        frame = FrameRow(
            cursor=at, subject=subject, device=draw.choice(devices), first=places[subject], count=1, last_id="00" * 32,
            data=b"", ledger_head="00" * 32, received_at=now,
        )  # fmt: skip
        session.add(frame)
    session.flush()
    return at


def test_whether_anything_waits_is_told_alike_by_news_by_subject_and_by_the_page(world: World, monkeypatch):
    rows = OrdinaryRows(world.office.database)
    told = []
    for seed in range(SEEDS):
        draw = random.Random(seed)
        people = [PersonId(_id(draw)) for _ in range(3)]
        devices = [DeviceId(_id(draw)) for _ in range(4)]
        with world.office.database.read() as session:
            session.connection().exec_driver_sql("DELETE FROM access")
            session.connection().exec_driver_sql("DELETE FROM frames")
            counter = _ledger(session, draw, people, devices, world.now)
            driver = session.connection().connection.dbapi_connection
            for _ in range(ROUNDS):
                person, own, position = draw.choice(people), draw.choice(devices), draw.randint(0, counter)
                after = (position, draw.choice([position, draw.randint(0, position)]))
                waits = bool(queries._waiting(session, person, own, after))
                for few in (0, counter + 1):
                    monkeypatch.setattr(ordinary_rows, "FEW_NEWS", few)
                    assert rows.waits_for(driver, person, own, after, counter) == waits, (seed, person, after, few)
                told.append(waits)
    assert 0.2 < sum(told) / len(told) < 0.8, "both answers were asked for"
