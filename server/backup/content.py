"""What a backup holds: every row that cannot be made again, as plain values, the same whatever the database is.

Projected tables are left out: a restore makes them from the frames. Left out too is what must not live twice: sessions,
codes, tokens, nonces, tries; and receipts, which name positions of their own epoch. Secret keys are in no table, so in
no backup. Source: SETTLED decisions 23, 33; decision 0014.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlmodel import Session, SQLModel

from server.backup.archive import BackupUnreadable
from server.ledger.contacts import WHATEVER
from server.ledger.queries import unpacked
from shared.ledger.frame import FrameUnreadable, read_frames
from shared.ledger.messages import next_ledger_head
from shared.values import is_hash

BACKED_UP = (
    "frames", "chains", "heads", "subjects", "access", "held_frames", "quarantine_proposals", "contacts", "read_log",
    "credentials", "role_proposals", "packs", "institutions", "media_uploads", "backups",
)  # fmt: skip
"""Tables copied row by row, in this order."""

NOT_TWICE = frozenset({"receipts", "device_tokens", "sessions", "enrolments"})
"""What no copy may bring back to life, however it was put back: it may have ended since."""
LEFT_OUT = NOT_TWICE | {"counter", "standing", "login_attempts", "media_announced"}
"""Tables a restore begins anew. The counter follows from the header; halves of files are in no backup."""

_FORGOTTEN: dict[str, dict[str, Any]] = {
    "contacts": {"shown": WHATEVER, "issued": "", "minute_began": None, "minute_count": 0},
}
"""Columns whose value a copy must not carry: the next nonce of every tablet is taken as it comes."""

ROWS = 200
BYTES = 4 * 1024 * 1024
"""Rows of one record: so many, or so many bytes of frames and packs."""


def table(name: str) -> Table:
    """A table by its name. Raises KeyError."""
    return SQLModel.metadata.tables[name]


def rows_of(session: Session, name: str) -> Iterator[list[list[Any]]]:
    """Every row of a table in runs, as plain values in the order of its columns."""
    source = table(name)
    forgotten = {number: _FORGOTTEN.get(name, {})[column.name] for number, column in enumerate(source.columns)
                 if column.name in _FORGOTTEN.get(name, {})}  # fmt: skip
    found = session.execute(select(source).order_by(*source.primary_key.columns), execution_options={"yield_per": ROWS})
    run: list[list[Any]] = []
    size = 0
    for row in found:
        values = list(row)
        for number, value in forgotten.items():
            values[number] = value
        run.append(values)
        size += sum(len(value) for value in values if isinstance(value, bytes))
        if len(run) == ROWS or size > BYTES:
            yield run
            run, size = [], 0
    if run:
        yield run


def columns_of(name: str) -> list[str]:
    """Names of a table's columns, in order."""
    return [column.name for column in table(name).columns]


def insert_rows(session: Session, name: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Writes rows that a backup holds. A column this version does not have is passed over; one the backup does not
    have takes what the table gives by itself."""
    known = set(columns_of(name))
    taken = [(number, column) for number, column in enumerate(columns) if column in known]
    session.execute(insert(table(name)), [{column: row[number] for number, column in taken} for row in rows])


def go_on_numbering(session: Session) -> None:
    """On PostgreSQL: numbers that the database gives continue behind those just written."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for name in BACKED_UP:
        keys = list(table(name).primary_key.columns)
        if len(keys) != 1 or keys[0].type.python_type is not int:
            continue
        sequence = session.execute(
            text("SELECT pg_get_serial_sequence(:name, :column)"), {"name": name, "column": keys[0].name}
        ).scalar()
        highest = session.execute(select(func.max(keys[0]))).scalar()
        if sequence and highest:
            session.execute(text("SELECT setval(:sequence, :value)"), {"sequence": sequence, "value": highest})


@dataclass
class Walk:
    """The records of a backup as they pass by, held against each other: counts, and the heads that follow from the
    frames' own bytes."""

    head: str
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    operations: int = 0
    ended: bool = False
    _name: str = ""
    _columns: list[str] = field(default_factory=list)
    _head: bytes = bytes(32)

    def step(self, record: Any) -> tuple[str, list[str], list[list[Any]]] | None:
        """Takes the next record; rows come back as (table, columns, rows). Raises BackupUnreadable."""
        if not isinstance(record, list) or not record or self.ended:
            raise BackupUnreadable("a record is none, or stands behind the end")
        try:
            return self._step(*record)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise BackupUnreadable("a record has another shape than any") from error

    def _step(self, kind: str, *rest: Any) -> tuple[str, list[str], list[list[Any]]] | None:
        if kind == "table":
            self._name, self._columns = rest
            self.counts.setdefault(self._name, 0)
        elif kind == "rows":
            self.counts[self._name] += len(rest[0])
            if self._name == "frames":
                self._frames(rest[0])
            return self._name, self._columns, rest[0]
        elif kind == "file":
            name, size = rest
            if not is_hash(name):
                raise BackupUnreadable("a file has another name than a hash")
            self.files[name] = size
        elif kind == "end":
            self._end(*rest)
        else:
            raise BackupUnreadable(f"a record of an unknown kind: {kind}")
        return None

    def _frames(self, rows: list[list[Any]]) -> None:
        at = {name: self._columns.index(name) for name in ("cursor", "last_id", "data", "ledger_head", "count")}
        for row in rows:
            place = f"position {row[at['cursor']]}"
            try:
                frame = read_frames(unpacked(row[at["data"]])[:-1].split(b"\n"))[0]
            except (FrameUnreadable, ValueError, IndexError) as error:
                raise BackupUnreadable(f"{place}: the frame cannot be read") from error
            last_id = frame.ids()[-1]
            self._head = next_ledger_head(self._head, last_id)
            if last_id.hex() != row[at["last_id"]] or self._head.hex() != row[at["ledger_head"]]:
                raise BackupUnreadable(f"{place}: the head of the ledger does not follow from its frames")
            self.operations += row[at["count"]]

    def _end(self, counts: dict[str, int], files: int) -> None:
        self.ended = True
        if counts != self.counts or files != len(self.files):
            raise BackupUnreadable("it holds other rows than were written")
        if self._head.hex() != self.head:
            raise BackupUnreadable("its frames do not lead to the head it names")

    def finish(self) -> None:
        """Raises BackupUnreadable when the end did not come."""
        if not self.ended:
            raise BackupUnreadable("its end is missing")
