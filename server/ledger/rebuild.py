"""Making every projected table again from the frames, all in one transaction: killed anywhere, the old rows stand.

What stays: frames, chains, the counter, the moments access was granted. What a person cannot tell from the frames
(sessions, passphrases, codes, receipts, the read log) is no projection and is not touched. Pages show the old rows
until the end; writers wait. Where the new rows differ from the old ones the new ones stand: frames are the truth.
Source: SETTLED 23.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table, delete
from sqlmodel import Session, SQLModel, col, select

from server.db import Database
from server.ledger.append import project_again
from server.ledger.tables import SubjectRow
from shared.ledger.crypto import sha256
from shared.values import SubjectId

Progress = Callable[[int, int], None]

KEPT = frozenset(
    """
    frames chains heads subjects access counter receipts held_frames contacts device_tokens read_log
    credentials sessions login_attempts enrolments role_proposals packs institutions media_uploads media_announced
    quarantine_proposals backups standing alembic_version
    """.split()
)
"""Tables that are no projection. `access` is one, but its `granted` numbers are the tablets' place in their pages."""

_ORDER = ("office", "law", "form", "register", "person", "visit_request", "vote", "election", "visit")
_FORGET_AFTER = 200
"""Subjects projected between two moments at which the session lets go of what it read."""


@dataclass(frozen=True)
class Rebuilt:
    """How many subjects were projected, and the hash of every projected table before and after."""

    subjects: int
    before: dict[str, str]
    after: dict[str, str]

    @property
    def differing(self) -> list[str]:
        """Names of the tables whose rows were not what the frames say."""
        return [name for name, hash_ in self.after.items() if self.before.get(name) != hash_]


def rebuild(database: Database, progress: Progress = lambda done, of: None) -> int:
    """Projects every subject again, those others belong to first. Returns how many."""
    return rebuild_compared(database, progress).subjects


def rebuild_compared(database: Database, progress: Progress = lambda done, of: None) -> Rebuilt:
    """As `rebuild`, and says what every table held before and holds now."""
    with database.write() as session:
        before = table_hashes(session)
        count = project_all(session, progress)
        return Rebuilt(count, before, table_hashes(session))


def project_all(session: Session, progress: Progress = lambda done, of: None) -> int:
    """Empties every projected table and projects every subject; how many. The caller commits, or nothing changed."""
    for table in projected_tables():
        session.execute(delete(table))
    rows = [(row.kind, row.id) for row in session.exec(select(SubjectRow).order_by(col(SubjectRow.id)))]
    rank = {kind: number for number, kind in enumerate(_ORDER)}
    rows.sort(key=lambda row: (rank.get(row[0], len(_ORDER)), row[1]))
    for number, (_, subject) in enumerate(rows, 1):
        project_again(session, SubjectId(subject))
        row = session.get(SubjectRow, subject)
        if row is not None:
            row.projected = row.accepted
        if number % _FORGET_AFTER == 0:
            session.flush()
            session.expunge_all()
        progress(number, len(rows))
    session.flush()
    return len(rows)


def projected_tables() -> list[Table]:
    """Every table that the frames say everything about, those without references to others last."""
    import server.migrations.tables  # noqa: F401  (every table is declared)

    return [table for table in reversed(SQLModel.metadata.sorted_tables) if table.name not in KEPT]


def table_hashes(session: Session) -> dict[str, str]:
    """For every projected table its name and a hash (hex) over its rows in whatever order, numbers that a database
    gives left out. The hash is the sum of the rows' SHA-256, so that no table is ever held whole."""
    hashes = {}
    for table in projected_tables():
        names = [
            column.name for column in table.columns
            if not (column.primary_key and column.autoincrement is not False and column.type.python_type is int
                    and len(table.primary_key.columns) == 1)
        ]  # fmt: skip
        total = 0
        for row in session.execute(select(*[table.c[name] for name in names]), execution_options={"yield_per": 500}):
            total += int.from_bytes(sha256(f"{table.name} {tuple(row)!r}".encode()), "big")
        hashes[table.name] = f"{total % 2**256:064x}"
    return dict(sorted(hashes.items()))


def projected_hash(session: Session) -> str:
    """SHA-256 (hex) over the hashes of every projected table."""
    return sha256("\n".join(f"{name} {hash_}" for name, hash_ in table_hashes(session).items()).encode()).hex()
