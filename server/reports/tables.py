"""Tables of reports and of the review queue, made again from the folded report.

The headline is the frozen text, which the group made readable for the office by its own act. Source: SETTLED 29, 33.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from server.db import Hash, Id, Instant


class ReportRow(SQLModel, table=True):
    """A report: how far it is, its version and check code, and how many signed in which way."""

    __tablename__ = "reports"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    visit: str = Field(sa_column=Column(Id, nullable=False, index=True))
    stage: str = Field(max_length=12, index=True)
    version: int
    sha256: str = Field(max_length=64)
    signed: int
    reservations: int
    dissents: int
    unsigned: int
    submitted_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    accepted_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))


class ReviewRow(SQLModel, table=True):
    """A finding of a submitted report in the queue. `state`: waiting, answered, half, returned, accepted."""

    __tablename__ = "review"

    report: str = Field(sa_column=Column(Id, primary_key=True))
    finding: str = Field(sa_column=Column(Hash, primary_key=True))
    visit: str = Field(sa_column=Column(Id, nullable=False, index=True))
    place: int
    severity: int
    urgent: bool
    state: str = Field(max_length=8, index=True)
    first_officer: str | None = Field(default=None, sa_column=Column(Id, nullable=True))
    headline: str = Field(max_length=120)
    submitted_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
