"""What every action of the office needs besides the session: keys, rules, calendar, database.

Made once at start and handed down; it holds no person and no request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from server.config import Config
from server.db import Database
from server.keys import Keys
from server.ledger.projecting import BehindTheLedger
from shared.accounts import Role
from shared.deadlines import Calendar
from shared.law.law import LawBook
from shared.ledger.crypto import new_id
from shared.values import PersonId, SubjectId


@dataclass(frozen=True)
class Office:
    """The running office."""

    config: Config
    database: Database
    keys: Keys
    rules: LawBook
    calendar: Calendar

    def __post_init__(self) -> None:
        """Whoever reads this database from now on finds its tables as new as its ledger."""
        self.database.projecting = BehindTheLedger()

    @property
    def media(self) -> Path:
        """Folder of the stored ciphertexts."""
        return self.config.media


@dataclass(frozen=True)
class Reader:
    """Who asks: a person under one hat."""

    person: PersonId
    hat: Role


def new_subject(now: datetime) -> SubjectId:
    """An id for a subject that is about to begin."""
    return SubjectId(new_id(int(now.astimezone(UTC).timestamp() * 1000)))
