"""Tables of media: which hashes operations name, who announced a file with what size, which files are whole.

The bytes lie in a folder.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from server.db import Hash, Id, Instant


class PromisedRow(SQLModel, table=True):
    """An operation of this subject names this ciphertext with this size; projected with the subject.

    Two operations of one subject may name one hash with two sizes; which is true shows when the file is whole.
    """

    __tablename__ = "media_promised"

    sha256: str = Field(sa_column=Column(Hash, primary_key=True))
    subject: str = Field(sa_column=Column(Id, primary_key=True, index=True))
    size: int = Field(primary_key=True)
    role: str = Field(max_length=16)


class UploadRow(SQLModel, table=True):
    """A file that tablets announced: when the first did, and when its last byte came and its hash was right.

    size, device  of the tablet that made it whole; until then of the first that announced it
    """

    __tablename__ = "media_uploads"

    sha256: str = Field(sa_column=Column(Hash, primary_key=True))
    size: int
    device: str = Field(sa_column=Column(Id, nullable=False))
    began_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    done_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))


class AnnouncedRow(SQLModel, table=True):
    """What one tablet said of a file it sends. Each tablet has its own bytes of it on their way."""

    __tablename__ = "media_announced"

    sha256: str = Field(sa_column=Column(Hash, primary_key=True))
    device: str = Field(sa_column=Column(Id, primary_key=True))
    size: int
