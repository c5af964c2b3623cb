"""Making every projected table again from the frames, one subject a transaction.

What stays: frames, chains, the counter, the moments access was granted. What a person cannot tell from the frames
(sessions, passphrases, codes, receipts, the read log) is no projection and is not touched. Source: SETTLED 23.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlmodel import Session, SQLModel, col, select

from server.db import Database
from server.ledger.append import project_again
from server.ledger.tables import SubjectRow
from shared.ledger.crypto import sha256
from shared.values import SubjectId

KEPT = frozenset(
    """
    frames chains subjects access counter receipts held_frames contacts device_tokens read_log
    credentials sessions login_attempts enrolments role_proposals packs institutions media_uploads quarantine_proposals
    alembic_version
    """.split()
)
"""Tables that are no projection. `access` is one, but its `granted` numbers are the tablets' place in their pages."""

_ORDER = ("office", "law", "form", "register", "person", "visit_request", "vote", "election", "visit")


def rebuild(database: Database, progress: Callable[[int, int], None] = lambda done, of: None) -> int:
    """Projects every subject again, those others belong to first. Returns how many."""
    with database.read() as session:
        rows = [(row.kind, row.id) for row in session.exec(select(SubjectRow).order_by(col(SubjectRow.id)))]
    rank = {kind: number for number, kind in enumerate(_ORDER)}
    rows.sort(key=lambda row: (rank.get(row[0], len(_ORDER)), row[1]))
    for number, (_, subject) in enumerate(rows, 1):
        with database.write() as session:
            project_again(session, SubjectId(subject))
        progress(number, len(rows))
    return len(rows)


def projected_hash(session: Session) -> str:
    """SHA-256 (hex) over every row of every projected table, numbers that a database gives left out."""
    lines: list[str] = []
    for table in SQLModel.metadata.sorted_tables:
        if table.name in KEPT:
            continue
        names = [
            column.name for column in table.columns
            if not (column.primary_key and column.autoincrement is not False and column.type.python_type is int
                    and len(table.primary_key.columns) == 1)
        ]  # fmt: skip
        found = session.execute(select(*[table.c[name] for name in names]))
        lines += sorted(f"{table.name} {tuple(row)!r}" for row in found)
    return sha256("\n".join(lines).encode()).hex()
