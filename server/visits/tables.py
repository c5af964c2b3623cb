"""Tables of visits, their groups, officers and mandates, all made again from the folded subject.

The plan (institution, dates, reason) has no column: it stays sealed until the visit starts.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from server.db import Id, Instant


class VisitRow(SQLModel, table=True):
    """A visit. `institution` is empty until the group stands at the gate."""

    __tablename__ = "visits"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    visit_kind: str = Field(max_length=16)
    stage: str = Field(max_length=24, index=True)
    planned_by: str = Field(sa_column=Column(Id, nullable=False))
    planned_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True, index=True))
    request: str | None = Field(default=None, sa_column=Column(Id, nullable=True, index=True))
    photos_allowed: bool = False
    institution: str = Field(default="", max_length=64, index=True)
    started_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    closed_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    mandate: str = Field(default="", max_length=32)


class VisitMemberRow(SQLModel, table=True):
    """A member of the group that stands: the place in its order, and the declaration (None: not made yet)."""

    __tablename__ = "visit_members"

    visit: str = Field(sa_column=Column(Id, primary_key=True))
    person: str = Field(sa_column=Column(Id, primary_key=True, index=True))
    place: int
    leads: bool
    conflict: bool | None = None


class VisitOfficerRow(SQLModel, table=True):
    """An officer assigned to review the visit."""

    __tablename__ = "visit_officers"

    visit: str = Field(sa_column=Column(Id, primary_key=True))
    person: str = Field(sa_column=Column(Id, primary_key=True, index=True))


class MandateRow(SQLModel, table=True):
    """Every mandate ever issued; `stands` says whether it still holds. Numbers are one series a year."""

    __tablename__ = "mandates"

    number: str = Field(max_length=32, primary_key=True)
    visit: str = Field(sa_column=Column(Id, nullable=False, index=True))
    issued_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    stands: bool
