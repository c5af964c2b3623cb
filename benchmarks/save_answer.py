"""How long saving one answer takes on a tablet, beside a raw insert and a raw append, each on the disk.

Medians in milliseconds and the ratio that may fail a run. Source: PERFORMANCE A1, SETTLED decision 28.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.figures import Figure
from field_app.store.store import Store
from shared.ledger.crypto import box_address, new_box_key, new_id
from shared.observations.answers import AnswerRecorded
from shared.observations.record import RecordOpened
from shared.values import DeviceId, PersonId, SubjectId

NOW = datetime(2026, 3, 7, 9, tzinfo=UTC)
LIMIT_MS = 4.0
RATIO, GOOD_RATIO = 2.0, 1.4
"""At most twice the raw writes (A1)."""


class _Keystore:
    def secret(self) -> bytes:
        return bytes(32)


def _timed(count: int, act: Callable[[int], object]) -> list[float]:
    spent = []
    for number in range(count):
        begun = time.perf_counter()
        act(number)
        spent.append((time.perf_counter() - begun) * 1000)
    return spent


def saves(folder: Path, count: int) -> list[float]:
    """Milliseconds of each of `count` answers to one record."""
    store = Store.create(folder / "tablet", "49027315", _Keystore(), NOW)
    review = box_address(new_box_key()).hex()
    identity = msgspec.structs.replace(
        store.identity, device=DeviceId(new_id(1)), person=PersonId(new_id(2)), review_key=review
    )
    store.enrol(identity)
    record = store.new_subject(NOW)
    store.record(record, RecordOpened(visit=SubjectId(new_id(3)), checklists=()), now=NOW)
    spent = _timed(count, lambda n: store.record(record, AnswerRecorded(item=f"/mc/group/q{n}", value=n), now=NOW))
    store.close()
    return spent


def raw(folder: Path, count: int) -> list[float]:
    """Milliseconds of a row of the same size inserted and a record of the same size appended, each fsynced."""
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    connection.execute("create table row (number integer primary key, body blob)")
    descriptor = os.open(folder / "raw.copy", os.O_WRONLY | os.O_CREAT)
    body = os.urandom(260)

    def write(_: int) -> None:
        connection.execute("insert into row (body) values (?)", (body,))
        os.write(descriptor, body)
        os.fsync(descriptor)

    spent = _timed(count, write)
    os.close(descriptor)
    connection.close()
    return spent


def figures(count: int = 350) -> list[Figure]:
    """The median run of three."""
    runs = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as name:
            ours, floor = saves(Path(name), count), raw(Path(name), count)
        runs.append((statistics.median(ours), statistics.quantiles(ours, n=100)[98], statistics.median(floor)))
    median, p99, floor_ms = (statistics.median(each) for each in zip(*runs, strict=True))
    ratio = statistics.median(ours / floor for ours, _, floor in runs)
    return [
        Figure("save one answer, median, both fsyncs (A1)", median, "ms", must=LIMIT_MS),
        Figure("save one answer, 99 of 100", p99, "ms"),
        Figure("a raw insert and a raw append", floor_ms, "ms"),
        Figure("save one answer, against a raw insert and a raw append", ratio, "x", RATIO, aim=GOOD_RATIO),
    ]
