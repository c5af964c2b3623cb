"""Reading people: names, roles on a day, devices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, or_, select

from server.accounts.tables import CredentialRow, DeviceRow, PersonRow, RoleProposalRow, TermRow
from server.db import Database
from server.ledger.contacts import device_of_token
from server.ledger.ordinary_rows import OrdinaryRows
from server.ledger.tables import ContactRow
from shared.accounts import VISITING, Role
from shared.ledger.crypto import sha256
from shared.values import DeviceId, PersonId

_terms: Any = TermRow.__table__  # type: ignore[attr-defined]
_ROLES_ON = select(_terms.c.role).where(
    _terms.c.person == bindparam("person"), _terms.c.since <= bindparam("day"),
    or_(_terms.c.until == "", _terms.c.until >= bindparam("day")),
)  # fmt: skip


def name_of(session: Session, person: PersonId) -> str:
    """The person's name; empty for an unknown id."""
    return session.exec(select(PersonRow.name).where(PersonRow.id == person)).first() or ""


def names(session: Session) -> dict[PersonId, str]:
    """Every person's name by id."""
    return {PersonId(row.id): row.name for row in session.exec(select(PersonRow))}


def roles_on(session: Session, person: PersonId, day: date) -> list[str]:
    """Roles the person holds on the day, in the order of the Role list."""
    asked = {"person": person, "day": day.isoformat()}
    held = set(session.connection().execute(_ROLES_ON, asked).scalars())
    return [role.value for role in Role if role.value in held]


def terms_of_role(session: Session, role: Role) -> list[TermRow]:
    """Every term of the role, whoever holds it and whenever."""
    return list(session.exec(select(TermRow).where(TermRow.role == role.value)))


def persons_with(session: Session, roles: set[Role], day: date) -> list[PersonId]:
    """Ids of the persons who hold one of the roles on the day, by name."""
    rows = session.exec(
        select(PersonRow.id)
        .join(TermRow, col(TermRow.person) == col(PersonRow.id))
        .where(
            col(TermRow.role).in_([role.value for role in roles]), col(TermRow.since) <= day.isoformat(),
            or_(col(TermRow.until) == "", col(TermRow.until) >= day.isoformat()),
        )
        .order_by(PersonRow.name)
    )  # fmt: skip
    return [PersonId(id_) for id_ in dict.fromkeys(rows)]


def login_of(session: Session, person: PersonId) -> str:
    """The name the person signs in with; empty for nobody who may."""
    row = session.get(CredentialRow, person)
    return row.login if row else ""


def person_of_login(session: Session, login: str) -> PersonId | None:
    """Who signs in under this name."""
    found = session.exec(select(CredentialRow.person).where(CredentialRow.login == login.strip().casefold())).first()
    return PersonId(found) if found else None


def first_admin(session: Session) -> PersonId | None:
    """The admin of the founding: of those who ever were admin, the one with the oldest id."""
    found = session.exec(
        select(TermRow.person).where(TermRow.role == Role.ADMIN.value).order_by(col(TermRow.person))
    ).first()
    return PersonId(found) if found else None


def proposals(session: Session) -> list[RoleProposalRow]:
    """Roles that wait for a second officer, oldest first."""
    return list(session.exec(select(RoleProposalRow).order_by(col(RoleProposalRow.id))))


def device(session: Session, id_: DeviceId) -> DeviceRow | None:
    """The tablet with this id."""
    return session.get(DeviceRow, id_)


@dataclass(frozen=True)
class DeviceLine:
    """A tablet as the people page shows it. `seen_at` is None when it was never heard of."""

    id: str
    label: str
    sign_key: str
    box_key: str
    enrolled_by: str
    confirmed_by: str
    revoked_at: datetime | None
    seen_at: datetime | None
    drift_seconds: int
    frozen: bool


@dataclass(frozen=True)
class PersonLine:
    """A person as the people page shows it: roles as (role, since, until)."""

    id: PersonId
    name: str
    language: str
    roles: list[tuple[str, str, str]]
    devices: list[DeviceLine]
    login: str

    @property
    def visits(self) -> bool:
        """Whether the person holds or held a role that a tablet may wear."""
        return any(role in VISITING for role, _, _ in self.roles)


def people(session: Session, only: PersonId | None = None) -> list[PersonLine]:
    """Everybody by name with terms and tablets, or one person."""
    query = select(PersonRow).order_by(PersonRow.name)
    if only:
        query = query.where(PersonRow.id == only)
    terms: dict[str, list[tuple[str, str, str]]] = {}
    for row in session.exec(select(TermRow).order_by(col(TermRow.since), col(TermRow.id))):
        terms.setdefault(row.person, []).append((row.role, row.since, row.until))
    contacts = {row.device: row for row in session.exec(select(ContactRow))}
    logins = {row.person: row.login for row in session.exec(select(CredentialRow))}
    devices: dict[str, list[DeviceLine]] = {}
    for device_row in session.exec(select(DeviceRow).order_by(col(DeviceRow.id))):
        contact = contacts.get(device_row.id)
        devices.setdefault(device_row.person, []).append(
            DeviceLine(
                device_row.id, device_row.label, device_row.sign_key, device_row.box_key, device_row.enrolled_by,
                device_row.confirmed_by, device_row.revoked_at, contact.seen_at if contact else None,
                contact.drift_seconds if contact else 0, bool(contact and contact.frozen),
            )
        )  # fmt: skip
    return [
        PersonLine(
            PersonId(row.id),
            row.name,
            row.language,
            terms.get(row.id, []),
            devices.get(row.id, []),
            logins.get(row.id, ""),
        )
        for row in session.exec(query)
    ]


def tablet_of(database: Database, token: str, now: datetime) -> tuple[DeviceId, PersonId] | None:
    """The tablet that got this token at its last exchange, and its person; None once it is over or revoked."""
    rows = database.kept(OrdinaryRows)
    with database.lent() as connection:
        found = rows.tablet(connection, sha256(token.encode()), now)
    if found is not None:
        return found
    with database.read() as session:
        id_ = device_of_token(session, token, now)
        row = session.get(DeviceRow, id_) if id_ else None
        return (DeviceId(row.id), PersonId(row.person)) if row is not None and row.revoked_at is None else None
