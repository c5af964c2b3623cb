"""`qorgan verify` over a ledger of a million operations: whole visits of 350, each a record of its own.

The ledger is written straight into the tables, as the office would have written it; then verify walks all of it: bytes,
seals, chains, heads, spelling, kinds, audiences. Source: SETTLED decisions 5, 12.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert, update

from benchmarks.figures import Figure
from benchmarks.ledger import bodies
from benchmarks.push import NOW, SECRET, Standing
from server.ledger import heads, queries
from server.ledger.packing import packed
from server.ledger.tables import AccessRow, ChainRow, CounterRow, FrameRow, SubjectRow
from server.ledger.verify import verify
from server.office import new_subject
from shared.ledger.frame import cut, pieces
from shared.ledger.messages import next_ledger_head
from shared.ledger.operation import encode_line, genesis
from shared.observations.record import RecordOpened
from shared.values import SubjectId, stamp

OPERATIONS = 1_000_000
KINDS = 8
"""Visits of different words; the records repeat them."""
MINUTE = 60.0


def fill(standing: Standing, operations: int) -> int:
    """Writes records until the ledger holds so many operations more; how many frames that made."""
    lines = [
        [encode_line(body, standing.member, stamp(NOW), clock) for clock, body in enumerate(made, 1)]
        for made in ([RecordOpened(visit=standing.visit, checklists=()), *bodies(n, True)] for n in range(KINDS))
    ]
    written, number = 0, 0
    while written < operations:
        with standing.office.database.write() as session:
            counter = queries.counter(session)
            cursor, head = counter.value, bytes.fromhex(counter.head)
            rows: dict[type, list[dict[str, object]]] = {FrameRow: [], ChainRow: [], SubjectRow: [], AccessRow: []}
            for _ in range(50):
                subject, said = new_subject(NOW), lines[number % KINDS]
                first, prev = 1, genesis(standing.device, subject)
                for run in pieces(said):
                    frame = cut(SECRET, standing.device, subject, first, prev, run)
                    prev, first, cursor = frame.ids()[-1], first + len(run), cursor + 1
                    head = next_ledger_head(head, prev)
                    rows[FrameRow].append({
                        "cursor": cursor, "subject": subject, "device": standing.device, "first": frame.header.first,
                        "count": len(run), "last_id": prev.hex(), "data": packed(frame), "ledger_head": head.hex(),
                        "received_at": NOW,
                    })  # fmt: skip
                rows[ChainRow].append({"device": standing.device, "subject": subject, "seq": len(said),
                                       "head": prev.hex(), "clock": len(said)})  # fmt: skip
                rows[SubjectRow].append({"id": subject, "kind": "record", "parent": standing.visit,
                                         "clock": len(said), "accepted": cursor, "projected": cursor})  # fmt: skip
                rows[AccessRow].append({"audience": standing.member, "subject": SubjectId(subject), "granted": cursor})
                written, number = written + len(said), number + 1
            ends = {(standing.device, row["subject"]): (row["seq"], row["head"]) for row in rows[ChainRow]}
            heads.move(session, ends)
            for table, values in rows.items():
                session.execute(insert(table), values)
            session.execute(update(CounterRow).values(value=cursor, head=head.hex()))
    return number


def figures() -> list[Figure]:
    """Seconds and megabytes of one walk over a million operations."""
    with tempfile.TemporaryDirectory() as folder:
        standing = Standing(Path(folder))
        fill(standing, OPERATIONS)
        began = time.perf_counter()
        with standing.office.database.read() as session:
            found = verify(session, processes=os.cpu_count() or 1)
        spent = time.perf_counter() - began
        standing.office.database.engine.dispose()
    if not found.is_whole:
        raise RuntimeError(found.wrong[0])
    note = f"{found.operations:,} operations in {found.frames:,} frames, {os.cpu_count()} processes"
    return [Figure("verify: a million operations", spent * 1e6 / found.operations, "s", MINUTE, True, note)]
