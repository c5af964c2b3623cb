"""Tables of backups: what was copied and proven, and how this database stands among its copies. No operations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from server.db import Hash, Id, Instant, LongInteger


class BackupRow(SQLModel, table=True):
    """A backup that was read back whole after it was written. `sha256` is that of its file, `head` of its ledger."""

    __tablename__ = "backups"

    sha256: str = Field(sa_column=Column(Hash, primary_key=True))
    name: str = Field(max_length=120)
    made_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    proven_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    epoch: int
    position: int = Field(sa_column=Column(LongInteger, nullable=False))
    head: str = Field(sa_column=Column(Hash, nullable=False))
    size: int = Field(sa_column=Column(LongInteger, nullable=False))
    operations: int = Field(sa_column=Column(LongInteger, nullable=False))
    files: int


class StandingRow(SQLModel, table=True):
    """Under which device this database seals for the office since its last restore, when that was, and the position
    that the last proven backup covers. Without a row: the device of the key file, nothing proven."""

    __tablename__ = "standing"

    id: int = Field(primary_key=True)
    server: str | None = Field(default=None, sa_column=Column(Id, nullable=True))
    restored_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    durable: int = Field(default=0, sa_column=Column(LongInteger, nullable=False))
