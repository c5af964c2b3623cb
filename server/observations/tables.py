"""Tables of what was observed: codes and counts for lists and figures. No word that was ever sealed has a column.

All rows are made again from the folded record or interview. Source: SETTLED decision 32.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from server.db import Hash, Id, Instant


class FindingRow(SQLModel, table=True):
    """A finding of a record: codes of its standing version; `differs` when two members changed it apart."""

    __tablename__ = "findings"

    id: str = Field(sa_column=Column(Hash, primary_key=True))
    record: str = Field(sa_column=Column(Id, nullable=False, index=True))
    visit: str = Field(sa_column=Column(Id, nullable=False, index=True))
    severity: str = Field(max_length=8)
    urgent: bool
    standards: str = Field(sa_column=Column(Text, nullable=False))
    evidence_count: int
    author: str = Field(sa_column=Column(Id, nullable=False))
    recorded_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    differs: bool
    withdrawn: str = Field(default="", max_length=32)


class AnswerRow(SQLModel, table=True):
    """What counts for one item. `state` one, chosen or differs; `value` is the open coded value as canonical JSON,
    empty where the answer is words or there is none; `non_answer` why there is none."""

    __tablename__ = "answers"
    __table_args__ = (Index("answers_of_item", "item", "visit"),)

    record: str = Field(sa_column=Column(Id, primary_key=True))
    item: str = Field(max_length=400, primary_key=True)
    visit: str = Field(sa_column=Column(Id, nullable=False, index=True))
    state: str = Field(max_length=8)
    value: str = Field(sa_column=Column(Text, nullable=False))
    is_words: bool
    non_answer: str = Field(default="", max_length=16)
    refused_by: str = Field(default="", max_length=8)
    author: str | None = Field(default=None, sa_column=Column(Id, nullable=True))
    voices: int


class ThemeCountRow(SQLModel, table=True):
    """How the items of one theme (the first step of their path) were answered."""

    __tablename__ = "theme_counts"

    record: str = Field(sa_column=Column(Id, primary_key=True))
    theme: str = Field(max_length=80, primary_key=True)
    visit: str = Field(sa_column=Column(Id, nullable=False, index=True))
    answered: int = 0
    differing: int = 0
    not_seen: int = 0
    not_asked: int = 0
    refused: int = 0
    not_applicable: int = 0


class InterviewRow(SQLModel, table=True):
    """That an interview exists: its number and author. Consent and everything said stay in the ledger."""

    __tablename__ = "interviews"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    visit: str = Field(sa_column=Column(Id, nullable=False, index=True))
    number: str = Field(max_length=16)
    author: str = Field(sa_column=Column(Id, nullable=False))
    opened_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    withdrawn: bool
