"""Tables of people and devices (projected), and of passphrases, sessions and codes (no operations)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from server.db import Hash, Id, Instant


class PersonRow(SQLModel, table=True):
    """A person, projected from the person's subject."""

    __tablename__ = "persons"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    name: str = Field(max_length=200)
    language: str = Field(max_length=2)


class TermRow(SQLModel, table=True):
    """A role held from a day to a day, both inclusive (yyyy-mm-dd; empty: open), projected."""

    __tablename__ = "terms"

    id: int | None = Field(default=None, primary_key=True)
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    role: str = Field(max_length=32)
    since: str = Field(max_length=10)
    until: str = Field(max_length=10)


class DeviceRow(SQLModel, table=True):
    """A tablet, projected from its person's subject."""

    __tablename__ = "devices"

    id: str = Field(sa_column=Column(Id, primary_key=True))
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    sign_key: str = Field(max_length=64)
    box_key: str = Field(max_length=64)
    label: str = Field(max_length=80)
    enrolled_by: str = Field(max_length=36)
    confirmed_by: str = Field(default="", max_length=36)
    revoked_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))


class CredentialRow(SQLModel, table=True):
    """A login name and its Argon2id hash."""

    __tablename__ = "credentials"

    person: str = Field(sa_column=Column(Id, primary_key=True))
    login: str = Field(max_length=80, unique=True, index=True)
    salt: bytes
    hash: bytes
    memory_kib: int
    passes: int
    lanes: int


class SessionRow(SQLModel, table=True):
    """A signed-in browser: SHA-256 of its cookie, the person and the hat it wears."""

    __tablename__ = "sessions"

    hash: str = Field(sa_column=Column(Hash, primary_key=True))
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    hat: str = Field(max_length=32)
    language: str = Field(max_length=2)
    theme: str = Field(default="light", max_length=12)
    csrf: str = Field(max_length=64)
    began_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    seen_at: datetime = Field(sa_column=Column(Instant, nullable=False))


class AttemptRow(SQLModel, table=True):
    """A try to sign in, kept to limit their number: by account name (hashed) and by address."""

    __tablename__ = "login_attempts"

    id: int | None = Field(default=None, primary_key=True)
    name_hash: str = Field(sa_column=Column(Hash, nullable=False, index=True))
    address: str = Field(max_length=64, index=True)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    good: bool


class EnrolmentRow(SQLModel, table=True):
    """A one-time code for a tablet: its SHA-256, for whom, by whom, until when, and when it was used."""

    __tablename__ = "enrolments"

    hash: str = Field(sa_column=Column(Hash, primary_key=True))
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    made_by: str = Field(sa_column=Column(Id, nullable=False))
    until: datetime = Field(sa_column=Column(Instant, nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))


class RoleProposalRow(SQLModel, table=True):
    """A role the admin proposed (`ends` = to end it), until a second officer confirms or declines. No operation yet."""

    __tablename__ = "role_proposals"
    __table_args__ = {"sqlite_autoincrement": True}  # a page of before never answers a later proposal

    id: int | None = Field(default=None, primary_key=True)
    person: str = Field(sa_column=Column(Id, nullable=False, index=True))
    role: str = Field(max_length=32)
    since: str = Field(max_length=10)
    until: str = Field(max_length=10)
    basis: str = Field(max_length=300)
    ends: bool = False
    proposed_by: str = Field(sa_column=Column(Id, nullable=False))
    proposed_at: datetime = Field(sa_column=Column(Instant, nullable=False))
