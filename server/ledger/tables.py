"""Tables of the ledger. Frames are the truth; chains, subjects and access are kept beside them for speed and order."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from server.db import Hash, Id, Instant, LongInteger


class FrameRow(SQLModel, table=True):
    """A frame taken in. `cursor` is its number of the counter; `data` its wire bytes, zstd-packed; `ledger_head` the
    head of the ledger after it."""

    __tablename__ = "frames"
    __table_args__ = (
        UniqueConstraint("device", "subject", "first", name="one_frame_a_place"),
        Index("frames_of_subject", "subject", "cursor"),
    )

    cursor: int = Field(sa_column=Column(LongInteger, primary_key=True, autoincrement=False))
    subject: str = Field(sa_column=Column(Id, nullable=False))
    device: str = Field(sa_column=Column(Id, nullable=False))
    first: int
    count: int
    last_id: str = Field(sa_column=Column(Hash, nullable=False))
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    ledger_head: str = Field(sa_column=Column(Hash, nullable=False))
    received_at: datetime = Field(sa_column=Column(Instant, nullable=False))


class ChainRow(SQLModel, table=True):
    """How far one device's chain on one subject is held: seq, id and clock of its last operation."""

    __tablename__ = "chains"

    device: str = Field(sa_column=Column(Id, primary_key=True))
    subject: str = Field(sa_column=Column(Id, primary_key=True, index=True))
    seq: int
    head: str = Field(sa_column=Column(Hash, nullable=False))
    clock: int = Field(sa_column=Column(LongInteger, nullable=False))


class HeadsRow(SQLModel, table=True):
    """The digest over all chains of a device: what a tablet shows of itself, `merge.heads_digest`."""

    __tablename__ = "heads"

    device: str = Field(sa_column=Column(Id, primary_key=True))
    digest: str = Field(sa_column=Column(Hash, nullable=False))


class SubjectRow(SQLModel, table=True):
    """A subject: its kind, the one it belongs to, its clock, the ledger position of its last frame, and the one up to
    which its projected tables go. It is behind while they differ. Source: decision 0009."""

    __tablename__ = "subjects"
    __table_args__ = (
        Index(
            "subjects_behind", "accepted",
            sqlite_where=text("projected < accepted"), postgresql_where=text("projected < accepted"),
        ),
    )  # fmt: skip

    id: str = Field(sa_column=Column(Id, primary_key=True))
    kind: str = Field(max_length=32, index=True)
    parent: str | None = Field(default=None, sa_column=Column(Id, nullable=True, index=True))
    clock: int = Field(sa_column=Column(LongInteger, nullable=False))
    accepted: int = Field(sa_column=Column(LongInteger, nullable=False))
    projected: int = Field(sa_column=Column(LongInteger, nullable=False))


class AccessRow(SQLModel, table=True):
    """An audience (a person's id or "everybody") may hold a subject since the counter stood at `granted`."""

    __tablename__ = "access"
    __table_args__ = (Index("access_by_grant", "audience", "granted", "subject"),)

    audience: str = Field(max_length=36, primary_key=True)
    subject: str = Field(sa_column=Column(Id, primary_key=True, index=True))
    granted: int = Field(sa_column=Column(LongInteger, nullable=False))


class CounterRow(SQLModel, table=True):
    """The one counter every position comes from, the epoch, and the head of the ledger."""

    __tablename__ = "counter"

    id: int = Field(primary_key=True)
    value: int = Field(sa_column=Column(LongInteger, nullable=False))
    epoch: int
    head: str = Field(sa_column=Column(Hash, nullable=False))


class ReceiptRow(SQLModel, table=True):
    """A receipt as it was signed: the same frames bring the same bytes."""

    __tablename__ = "receipts"

    device: str = Field(sa_column=Column(Id, primary_key=True))
    request: str = Field(sa_column=Column(Hash, primary_key=True))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class HeldFrameRow(SQLModel, table=True):
    """A frame that waits for a gap (in its chain, or for the subject it belongs to), is quarantined, or was looked at
    and kept aside: kept raw, without a position, until it fits or two people take it in."""

    __tablename__ = "held_frames"
    __table_args__ = (UniqueConstraint("device", "subject", "first", "last_id", name="one_held_frame"),)

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(sa_column=Column(Id, nullable=False, index=True))
    parent: str | None = Field(default=None, sa_column=Column(Id, nullable=True, index=True))
    device: str = Field(sa_column=Column(Id, nullable=False))
    first: int
    count: int
    prev: str = Field(sa_column=Column(Hash, nullable=False))
    last_id: str = Field(sa_column=Column(Hash, nullable=False))
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: str = Field(max_length=16)
    reason: str = Field(max_length=16)
    carried_by: str = Field(sa_column=Column(Id, nullable=False))
    received_at: datetime = Field(sa_column=Column(Instant, nullable=False))


class ContactRow(SQLModel, table=True):
    """The last contact with a tablet: the nonce it showed, those issued since (space-separated), whether its reading is
    stopped (why: "twin" or "fork"; since when), how often it came in the running minute, and what it said it has not
    delivered: how many operations, the oldest how many seconds old by its own clock."""

    __tablename__ = "contacts"

    device: str = Field(sa_column=Column(Id, primary_key=True))
    shown: str = Field(default="", max_length=64)
    issued: str = Field(default="", max_length=2048)
    frozen: bool = False
    frozen_why: str = Field(default="", max_length=8)
    frozen_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    seen_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    drift_seconds: int = 0
    undelivered: int = 0
    oldest_seconds: int = 0
    minute_began: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    minute_count: int = 0


class DeviceTokenRow(SQLModel, table=True):
    """A token for media and packs: SHA-256 of its bytes, whose it is, until when."""

    __tablename__ = "device_tokens"

    hash: str = Field(sa_column=Column(Hash, primary_key=True))
    device: str = Field(sa_column=Column(Id, nullable=False, index=True))
    until: datetime = Field(sa_column=Column(Instant, nullable=False))


class ReadRow(SQLModel, table=True):
    """One line of the read log, written before sealed content leaves; chained by hash. Source: SETTLED decision 65."""

    __tablename__ = "read_log"

    number: int = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    hat: str = Field(max_length=32)
    verb: str = Field(max_length=48)
    subject: str = Field(sa_column=Column(Id, nullable=False, index=True))
    object: str = Field(max_length=64)
    purpose: str = Field(max_length=200)
    hash: str = Field(sa_column=Column(Hash, nullable=False))
