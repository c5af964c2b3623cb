"""Rows of persons, terms and devices, made anew from the folded subject."""

from __future__ import annotations

from sqlmodel import Session, col, delete

from server.accounts.tables import DeviceRow, PersonRow, TermRow
from shared.accounts import Office, Person
from shared.values import moment_of


def office(session: Session, state: Office) -> None:
    """The office has no rows: its one subject is read whole."""


def person(session: Session, state: Person) -> None:
    """The person's name, terms and devices."""
    session.merge(PersonRow(id=state.id, name=state.name, language=state.language))
    session.execute(delete(TermRow).where(col(TermRow.person) == state.id))
    session.add_all(
        TermRow(person=state.id, role=term.role.value, since=term.since, until=term.until) for term in state.terms
    )
    for device in state.devices.values():
        session.merge(
            DeviceRow(
                id=device.id, person=state.id, sign_key=device.sign_key, box_key=device.box_key, label=device.label,
                enrolled_by=device.enrolled_by, confirmed_by=device.confirmed_by,
                revoked_at=moment_of(device.revoked_at) if device.revoked_at else None,
            )
        )  # fmt: skip
    session.flush()
