"""Tables of elections, projected from folded subjects: what a list and the menu need, no papers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from server.db import Id, Instant


class ElectionRow(SQLModel, table=True):
    """An election as it stands. Dates as yyyy-mm-dd; `open_round` is 0 when no ballot is open."""

    __tablename__ = "elections"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    region: str = Field(default="", max_length=16)
    seats: int
    call_until: str = Field(max_length=10)
    term_from: str = Field(max_length=10)
    called_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    candidates: int = 0
    open_round: int = 0
    elected: int = 0
    closed_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True, index=True))


class ElectionVoterRow(SQLModel, table=True):
    """A member entitled to vote in the open round: whether the ballot is cast, whether the member is recused."""

    __tablename__ = "election_voters"
    __table_args__ = (UniqueConstraint("election", "person", name="one_ballot_a_round"),)

    id: int | None = Field(default=None, primary_key=True)
    election: str = Field(sa_column=Column(Id, nullable=False, index=True))
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    voted: bool = False
    recused: bool = False
