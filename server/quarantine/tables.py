"""Tables of what was decided about frames (projected) and of what one person proposed and another has not yet seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from server.db import Hash, Id, Instant


class FrameDecisionRow(SQLModel, table=True):
    """What was decided last of one frame, by the id of its last operation; projected from its owner's subject."""

    __tablename__ = "frame_decisions"

    head: str = Field(sa_column=Column(Hash, primary_key=True))
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    device: str = Field(sa_column=Column(Id, nullable=False, index=True))
    subject: str = Field(sa_column=Column(Id, nullable=False, index=True))
    first: int
    count: int
    outcome: str = Field(max_length=16)
    held: str = Field(max_length=16)
    reason: str = Field(max_length=500)
    author: str = Field(max_length=36)
    second: str = Field(max_length=36)
    decided_at: datetime = Field(sa_column=Column(Instant, nullable=False))


class RestoredRow(SQLModel, table=True):
    """A tablet that two people let read again; projected from its owner's subject."""

    __tablename__ = "readings_restored"

    id: int | None = Field(default=None, primary_key=True)
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    device: str = Field(sa_column=Column(Id, nullable=False, index=True))
    stopped: str = Field(max_length=16)
    reason: str = Field(max_length=500)
    author: str = Field(max_length=36)
    second: str = Field(max_length=36)
    restored_at: datetime = Field(sa_column=Column(Instant, nullable=False))


class ProposalRow(SQLModel, table=True):
    """One person's proposal about a frame (`head`) or a stopped tablet (`head` empty), until a second one answers."""

    __tablename__ = "quarantine_proposals"
    __table_args__ = {"sqlite_autoincrement": True}  # a page of before never answers a later proposal

    id: int | None = Field(default=None, primary_key=True)
    device: str = Field(sa_column=Column(Id, nullable=False, index=True))
    head: str = Field(default="", max_length=64, index=True)
    outcome: str = Field(max_length=16)
    reason: str = Field(max_length=500)
    proposed_by: str = Field(sa_column=Column(Id, nullable=False))
    proposed_at: datetime = Field(sa_column=Column(Instant, nullable=False))
