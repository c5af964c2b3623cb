"""Tables of requests and of the votes on them, projected from folded subjects; one table of bulk votes, for the undo.

No row holds where a visit goes, when or why: those words stay sealed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from server.db import Hash, Id, Instant


class RequestRow(SQLModel, table=True):
    """A request as it stands. `vote` is the ballot that decides or decided it, `closes_at` the end of its count."""

    __tablename__ = "visit_requests"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    state: str = Field(max_length=16, index=True)
    visit_kind: str = Field(max_length=16)
    urgency: str = Field(max_length=8)
    filer: str = Field(sa_column=Column(Id, nullable=False, index=True))
    leader: str = Field(default="", max_length=36)
    filed_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    vote: str | None = Field(default=None, sa_column=Column(Id, nullable=True, index=True))
    closes_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    decided_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    decision: str | None = Field(default=None, sa_column=Column(Hash, nullable=True))
    visit: str | None = Field(default=None, sa_column=Column(Id, nullable=True))


class VoteRow(SQLModel, table=True):
    """A ballot on one question. `of` is the subject it decides; `result` is empty while it is open."""

    __tablename__ = "votes"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    of: str = Field(sa_column=Column(Id, nullable=False, index=True))
    chair: str = Field(max_length=36)
    opened_on: str = Field(max_length=10)
    closes_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    closed_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    result: str = Field(default="", max_length=16)


class VoteSeatRow(SQLModel, table=True):
    """A member entitled to vote on a ballot: the vote that stands (empty: none), and whether the member is recused.

    conflict  the member declared it in this vote, rather than being recused from its start as the filer
    """

    __tablename__ = "vote_seats"
    __table_args__ = (UniqueConstraint("vote", "person", name="one_seat_a_vote"),)

    id: int | None = Field(default=None, primary_key=True)
    vote: str = Field(sa_column=Column(Id, nullable=False, index=True))
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    choice: str = Field(default="", max_length=8)
    recused: bool = False
    conflict: bool = False


class BulkVoteRow(SQLModel, table=True):
    """One vote of a bulk, or one request the bulk left out with the reason; not an operation.

    bulk  groups the rows of one press of the button
    """

    __tablename__ = "bulk_votes"

    id: int | None = Field(default=None, primary_key=True)
    bulk: str = Field(sa_column=Column(Id, nullable=False, index=True))
    person: str = Field(sa_column=Column(Id, nullable=False))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    request: str = Field(sa_column=Column(Id, nullable=False))
    left_out: str = Field(default="", max_length=16)
    undone: str = Field(default="", max_length=16)
