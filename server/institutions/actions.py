"""Taking in a register: whole or not at all. The earlier one stays in force until the new one is."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import insert, update
from sqlmodel import Session, col, delete

from server.institutions.csv_import import read_register
from server.institutions.tables import InstitutionRow
from server.office import Office
from server.packs.actions import publish_register
from server.refusals import Refused
from shared.institutions import Institution, encode_register
from shared.values import PersonId


def import_register(
    session: Session, office: Office, author: PersonId, data: bytes, now: datetime, *, synthetic: bool = False
) -> int | Refused:
    """Takes in the CSV of a register and publishes it. Returns the number of institutions, or why it is refused."""
    rows = read_register(data)
    if isinstance(rows, Refused):
        return rows
    put_in_force(session, office, author, rows, now, synthetic=synthetic)
    return len(rows)


def put_in_force(
    session: Session, office: Office, author: PersonId, rows: list[Institution], now: datetime, *, synthetic: bool
) -> str:
    """These institutions are the register from now on. Returns the SHA-256 of their pack."""
    session.execute(delete(InstitutionRow).where(col(InstitutionRow.key).in_([row.key for row in rows])))
    session.execute(update(InstitutionRow).values(is_listed=False))
    session.execute(insert(InstitutionRow), [{**msgspec.structs.asdict(row), "is_listed": True} for row in rows])
    packed, _ = encode_register(rows)
    return publish_register(session, office, author, "institutions", packed, len(rows), now, synthetic=synthetic)
