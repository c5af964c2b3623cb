"""The whole ledger as one text, for somebody outside who checks it with a program of his or her own.

The first line says where the ledger stands; then each frame as it travelled, behind a line with its position. Sealed
words stay sealed. Source: SECURITY B.23, SETTLED decision 12; `tools/check_ledger.py` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlmodel import Session, col, select

from server.ledger import queries
from server.ledger.tables import FrameRow
from shared.ledger.operation import canonical


def exported(session: Session) -> Iterator[bytes]:
    """The lines of the export in pieces, oldest frame first. Raises LookupError before the office is founded."""
    counter = queries.counter(session)
    end, head, epoch = counter.value, counter.head, counter.epoch
    yield canonical({"epoch": epoch, "head": head, "position": end}) + b"\n"
    rows = select(FrameRow).where(col(FrameRow.cursor) <= end).order_by(col(FrameRow.cursor))
    for row in session.exec(rows.execution_options(yield_per=200)):
        yield canonical({"position": row.cursor}) + b"\n" + queries.unpacked(row.data)
