"""What an ordinary exchange asks of the database and writes there: one method a statement, no decision.

Every method takes the driver's connection (`server.db.Database.lent`). Statements are spelled once for the
engine. Locks are taken in the order of `server.ledger.receive`: those others belong to, then the rest, by id, and the
counter last. Source: SETTLED decisions 21, 22, decision 0009.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlmodel import SQLModel

from server.db import Database
from server.ledger.lasting import LastingAnswers
from server.ledger.plain_rows import PlainTable, Statements
from server.ledger.queries import Chain, Counter, audiences
from server.ledger.tables import (
    AccessRow,
    ChainRow,
    ContactRow,
    DeviceTokenRow,
    FrameRow,
    ReceiptRow,
    SubjectRow,
)  # fmt: skip
from shared.ledger.messages import ChainHead
from shared.ledger.operation import id_bytes, id_text
from shared.values import DeviceId, PersonId, SubjectId

FEW_NEWS = 128
"""Up to so many frames one looks at each; a question by subject costs as much with some hundred subjects."""
_WAITS_BY_SUBJECT = (
    "SELECT 1 FROM access a JOIN frames f ON f.subject = a.subject AND f.cursor > "
    "CASE WHEN a.granted > ? THEN 0 WHEN a.granted = ? THEN ? ELSE ? END "
    "WHERE a.audience IN (?, ?) AND f.device <> ? LIMIT 1"
)
_WAITS_BY_NEWS = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM access a JOIN frames f ON f.subject = a.subject AND f.cursor > "
    "CASE WHEN a.granted > ? THEN 0 WHEN a.granted = ? THEN ? END "
    "WHERE a.audience IN (?, ?) AND a.granted >= ? AND f.device <> ?) "
    "OR EXISTS (SELECT 1 FROM frames f CROSS JOIN access a WHERE f.cursor > ? AND f.device <> ? "
    "AND a.subject = f.subject AND a.audience IN (?, ?) AND a.granted < ?)"
)
"""Of subjects granted since; of those granted before, where a CROSS JOIN has SQLite begin with the frames."""


class Speaker(NamedTuple):
    """Whose tablet speaks, and its key as 64 hex."""

    person: PersonId
    sign_key: str


class Standing(NamedTuple):
    """A subject as its row has it."""

    kind: str
    parent: SubjectId | None
    clock: int


class Writing(NamedTuple):
    """Everything an accepted push writes, as values of rows by table."""

    subjects: list[dict[str, Any]]
    moved: list[tuple[SubjectId, int, int]]
    chains: list[dict[str, Any]]
    heads: tuple[DeviceId, str] | None
    access: list[dict[str, Any]]
    frames: list[dict[str, Any]]
    receipt: dict[str, Any] | None
    contact: Any
    token: dict[str, Any]


class OrdinaryRows:
    """The statements of one database. One for all: `database.kept(OrdinaryRows)`."""

    def __init__(self, database: Database) -> None:
        dialect = database.engine.dialect
        self._say = say = Statements(dialect)
        self._forgot_at = 0
        self.lasting = LastingAnswers()
        dbapi: Any = dialect.dbapi
        self.engine_errors: tuple[type[Exception], ...] = (dbapi.IntegrityError, dbapi.OperationalError)
        (
            self._contacts, self._receipts, self._subjects, self._chains, self._access, self._frames,
            self._tokens,
        ) = (
            PlainTable(SQLModel.metadata.tables[row.__tablename__], say)
            for row in (
                ContactRow, ReceiptRow, SubjectRow, ChainRow, AccessRow, FrameRow, DeviceTokenRow,
            )
        )  # fmt: skip
        self._save_contact = say.spelled(
            "UPDATE contacts SET " + ", ".join(f"{name} = ?" for name in self._contacts.names) + " WHERE device = ?"
        )
        self._move_subject = say.spelled("UPDATE subjects SET clock = ?, accepted = ? WHERE id = ?")
        self._move_heads = say.spelled("UPDATE heads SET digest = ? WHERE device = ?")
        self._upsert_chain = self._chains.insert + (
            " ON CONFLICT (device, subject) DO UPDATE SET seq = excluded.seq, head = excluded.head,"
            " clock = excluded.clock"
        )

    # ── who speaks ──────────────────────────────────────────────────────────────────────────────────────────────────

    def device(self, connection: Any, device: DeviceId) -> Speaker | None:
        """Whose tablet it is, by which key; None for an unknown one, one not confirmed, or one revoked."""
        statement = self._say.spelled(
            "SELECT person, sign_key FROM devices WHERE id = ? AND confirmed_by <> '' AND revoked_at IS NULL"
        )
        found = connection.execute(statement, (id_bytes(device),)).fetchone()
        return None if found is None else Speaker(PersonId(id_text(bytes(found[0]))), found[1])

    def tablet(self, connection: Any, token: bytes, now: datetime) -> tuple[DeviceId, PersonId] | None:
        """Whose token has this SHA-256 while it lasts; None for a revoked tablet, and while tables are behind."""
        statement = self._say.spelled(
            "SELECT d.id, d.person FROM device_tokens t JOIN devices d ON d.id = t.device"
            " WHERE t.hash = ? AND t.until >= ? AND d.revoked_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM subjects WHERE projected < accepted)"
        )
        found = connection.execute(statement, (token, self._tokens.value("until", now))).fetchone()
        return None if found is None else (DeviceId(id_text(bytes(found[0]))), PersonId(id_text(bytes(found[1]))))

    def contact(self, connection: Any, device: DeviceId, *, lock: bool = True) -> Any:
        """The row of its last contact, `lock`ed until the end; None before the first."""
        statement = f"{self._contacts.select} WHERE device = ?"
        statement = self._say.locking(statement) if lock else self._say.spelled(statement)
        found = connection.execute(statement, (id_bytes(device),)).fetchone()
        return None if found is None else self._contacts.row(found)

    def roles(self, connection: Any, person: PersonId, day: date) -> list[str]:
        """Roles the person holds on the day."""
        statement = "SELECT role FROM terms WHERE person = ? AND since <= ? AND (until = '' OR until >= ?)"
        today = day.isoformat()
        return [row[0] for row in self._all(connection, statement, (id_bytes(person), today, today))]

    # ── what stands ─────────────────────────────────────────────────────────────────────────────────────────────────

    def counter(self, connection: Any) -> Counter:
        """The counter as it is."""
        return self._counter(connection, self._say.spelled("SELECT value, epoch, head FROM counter WHERE id = 1"))

    def durable(self, connection: Any) -> int:
        """The position that the last proven backup covers."""
        row = connection.execute("SELECT durable FROM standing WHERE id = 1").fetchone()
        return int(row[0]) if row else 0

    def locked_counter(self, connection: Any) -> Counter:
        """The counter, kept until the end: the last lock of a push."""
        return self._counter(connection, self._say.locking("SELECT value, epoch, head FROM counter WHERE id = 1"))

    def _counter(self, connection: Any, statement: str) -> Counter:
        value, epoch, head = connection.execute(statement).fetchone()
        return Counter(value, epoch, bytes(head).hex())

    def head_at(self, connection: Any, position: int) -> str:
        """The head of the ledger at a position; "" where no frame lies at or below it."""
        statement = "SELECT ledger_head FROM frames WHERE cursor <= ? ORDER BY cursor DESC LIMIT 1"
        return "".join(bytes(row[0]).hex() for row in self._all(connection, statement, (position,)))

    def receipt(self, connection: Any, device: DeviceId, name: str) -> bytes | None:
        """The receipt that stands for these frames."""
        statement = self._say.spelled("SELECT body FROM receipts WHERE device = ? AND request = ?")
        found = connection.execute(statement, (id_bytes(device), bytes.fromhex(name))).fetchone()
        return None if found is None else bytes(found[0])

    def subjects(self, connection: Any, wanted: Iterable[SubjectId], *, lock: bool) -> dict[SubjectId, Standing]:
        """Subjects that stand, by id; `lock` keeps their rows until the end."""
        ids = sorted(wanted)
        if not ids:
            return {}
        statement = f"SELECT id, kind, parent, clock FROM subjects WHERE id IN ({_marks(ids)}) ORDER BY id"
        spelled = self._say.locking(statement) if lock else self._say.spelled(statement)
        return {
            SubjectId(id_text(bytes(id_))): Standing(kind, SubjectId(id_text(bytes(parent))) if parent else None, clock)
            for id_, kind, parent, clock in connection.execute(spelled, [id_bytes(id_) for id_ in ids]).fetchall()
        }

    def chains(self, connection: Any, device: DeviceId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Chain]:
        """The device's own chains on these subjects."""
        statement = f"SELECT subject, seq, head, clock FROM chains WHERE device = ? AND subject IN ({_marks(subjects)})"
        values = (id_bytes(device), *(id_bytes(subject) for subject in subjects))
        return {
            SubjectId(id_text(bytes(subject))): Chain(seq, bytes(head).hex(), clock)
            for subject, seq, head, clock in self._all(connection, statement, values)
        }

    def waits_behind(self, connection: Any, subjects: Iterable[SubjectId]) -> bool:
        """Whether a frame is held that may fit once these subjects move."""
        ids = [id_bytes(subject) for subject in subjects]
        statement = (
            f"SELECT 1 FROM held_frames WHERE status = 'waiting' AND subject IN ({_marks(ids)}) UNION ALL "
            f"SELECT 1 FROM held_frames WHERE status = 'waiting' AND parent IN ({_marks(ids)}) LIMIT 1"
        )
        return bool(self._all(connection, statement, (*ids, *ids)))

    def audiences_of(self, connection: Any, subject: SubjectId) -> set[str]:
        """Who may hold a subject now."""
        statement = "SELECT audience FROM access WHERE subject = ?"
        return {row[0] for row in self._all(connection, statement, (id_bytes(subject),))}

    def begin_heads(self, connection: Any, device: DeviceId, digest: str) -> None:
        """The row of the digest over a device's chains, where another did not begin it meanwhile."""
        statement = self._say.spelled("INSERT INTO heads (device, digest) VALUES (?, ?) ON CONFLICT DO NOTHING")
        connection.execute(statement, (id_bytes(device), bytes.fromhex(digest)))

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def set_counter(self, connection: Any, value: int, head: str) -> None:
        """The counter after this push."""
        statement = self._say.spelled("UPDATE counter SET value = ?, head = ? WHERE id = 1")
        connection.execute(statement, (value, bytes.fromhex(head)))

    def write(self, connection: Any, writing: Writing) -> None:
        """Everything but the counter, on PostgreSQL in one journey."""
        with self._say.together(connection):
            self._write(connection, writing)

    def _write(self, connection: Any, writing: Writing) -> None:
        for table, rows in (
            (self._subjects, writing.subjects), (self._access, writing.access), (self._frames, writing.frames),
            (self._tokens, [writing.token]), (self._receipts, [writing.receipt] if writing.receipt else []),
        ):  # fmt: skip
            for row in rows:
                connection.execute(table.insert, table.values(row))
        for subject, clock, accepted in writing.moved:
            connection.execute(self._move_subject, (clock, accepted, id_bytes(subject)))
        for chain in writing.chains:
            connection.execute(self._upsert_chain, self._chains.values(chain))
        if writing.heads:
            device, digest = writing.heads
            connection.execute(self._move_heads, (bytes.fromhex(digest), id_bytes(device)))
        contact = self._contacts.values(vars(writing.contact))
        connection.execute(self._save_contact, (*contact, id_bytes(writing.contact.device)))

    def forget_tokens(self, connection: Any, now: datetime) -> None:
        """Removes tokens that are over, once a minute and process."""
        minute = int(now.timestamp() // 60)
        if minute != self._forgot_at:
            self._forgot_at = minute
            statement = self._say.spelled("DELETE FROM device_tokens WHERE until < ?")
            connection.execute(statement, (self._tokens.value("until", now),))

    # ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────

    def waits_for(self, connection: Any, person: PersonId, own: DeviceId, after: tuple[int, int], upto: int) -> bool:
        """Whether a frame lies above `after` that the person's tablets may take; as `queries.page` has it.

        upto  the counter as it stands: a tablet that read lately is asked of by the frames since, one that did not by
              the subjects it may hold
        """
        position, cursor = after
        at_least = position - 1 if cursor < position else position
        mine, others = audiences(person), id_bytes(own)
        if upto - at_least > FEW_NEWS:
            values = (position, position, cursor, at_least, *mine, others)
            return bool(self._all(connection, _WAITS_BY_SUBJECT, values))
        granted = (position, position, cursor, *mine, position, others)
        return bool(self._all(connection, _WAITS_BY_NEWS, (*granted, at_least, others, *mine, position)))

    def heads(self, connection: Any, device: DeviceId) -> list[ChainHead]:
        """How far every chain of a device is held, by subject."""
        statement = "SELECT subject, seq, head FROM chains WHERE device = ? ORDER BY subject"
        return [
            ChainHead(SubjectId(id_text(bytes(subject))), seq, bytes(head).hex())
            for subject, seq, head in self._all(connection, statement, (id_bytes(device),))
        ]

    def heads_digest(self, connection: Any, device: DeviceId, *, lock: bool = False) -> str:
        """The digest over them, as `merge.heads_digest` has it, `lock`ed until the end; "" while none is kept."""
        statement = "SELECT digest FROM heads WHERE device = ?"
        statement = self._say.locking(statement) if lock else self._say.spelled(statement)
        found = connection.execute(statement, (id_bytes(device),)).fetchone()
        return "" if found is None else bytes(found[0]).hex()

    def chain_ends(
        self, connection: Any, person: PersonId, subjects: Sequence[SubjectId]
    ) -> dict[SubjectId, list[tuple[str, int, str]]]:
        """Device, seq and id of the last operation of every chain, of those subjects the person's tablets may hold."""
        if not subjects:
            return {}
        statement = (
            f"SELECT subject, device, seq, head FROM chains c WHERE subject IN ({_marks(subjects)}) AND EXISTS "
            "(SELECT 1 FROM access a WHERE a.subject = c.subject AND a.audience IN (?, ?)) ORDER BY subject"
        )
        values = (*(id_bytes(subject) for subject in subjects), *audiences(person))
        found: dict[SubjectId, list[tuple[str, int, str]]] = {}
        for subject, device, seq, head in self._all(connection, statement, values):
            ends = found.setdefault(SubjectId(id_text(bytes(subject))), [])
            ends.append((id_text(bytes(device)), seq, bytes(head).hex()))
        return found

    # ── through the driver ──────────────────────────────────────────────────────────────────────────────────────────

    def _all(self, connection: Any, statement: str, values: Sequence[Any]) -> list[Any]:
        found: list[Any] = connection.execute(self._say.spelled(statement), values).fetchall()
        return found


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
