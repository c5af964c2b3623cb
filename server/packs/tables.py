"""The table of packs."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from server.db import Hash


class PackRow(SQLModel, table=True):
    """A file by the SHA-256 of its bytes; never changed. Kept in the database, so that it comes with the operation."""

    __tablename__ = "packs"

    sha256: str = Field(sa_column=Column(Hash, primary_key=True))
    kind: str = Field(max_length=16)
    size: int
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
