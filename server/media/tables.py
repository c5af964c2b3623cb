"""Tables of media: which hashes operations name, and how far each file has come. The bytes lie in a folder."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from server.db import Hash, Id, Instant


class PromisedRow(SQLModel, table=True):
    """An operation of this subject names this ciphertext; projected with the subject."""

    __tablename__ = "media_promised"

    sha256: str = Field(sa_column=Column(Hash, primary_key=True))
    subject: str = Field(sa_column=Column(Id, primary_key=True, index=True))
    role: str = Field(max_length=16)
    size: int


class UploadRow(SQLModel, table=True):
    """A file announced by a tablet: its whole size, and when its last byte came and its hash was right."""

    __tablename__ = "media_uploads"

    sha256: str = Field(sa_column=Column(Hash, primary_key=True))
    size: int
    device: str = Field(sa_column=Column(Id, nullable=False))
    began_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    done_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
