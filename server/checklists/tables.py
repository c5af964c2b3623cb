"""The table of published checklists, projected."""

from __future__ import annotations

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from server.db import Hash


class ChecklistRow(SQLModel, table=True):
    """A published version of a checklist; `number` is its place among the versions of its form, from 1."""

    __tablename__ = "checklists"

    form_id: str = Field(primary_key=True, max_length=80)
    version: str = Field(primary_key=True, max_length=32)
    number: int
    sha256: str = Field(sa_column=Column(Hash, nullable=False, index=True))
    title_kk: str = Field(max_length=300)
    title_ru: str = Field(max_length=300)
    title_en: str = Field(max_length=300)
