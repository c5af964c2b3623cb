"""What a tablet learns when it shows a good code, and how often codes may be tried."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from server.accounts import queries
from server.accounts.tables import AttemptRow, PersonRow
from server.ledger import queries as ledger
from server.office import Office
from shared.accounts import Office as OfficeState
from shared.accounts import fingerprint
from shared.errors import RuleBroken
from shared.ledger.crypto import sha256
from shared.values import DeviceId, PersonId

TRIES = 30
"""Codes tried from one address in a minute. A code has 65 bits: this spares the machine, not the code."""
_NAME = sha256(b"qorgan/enrolment").hex()


def may_try(office: Office, address: str, now: datetime) -> None:
    """Counts a try. Raises RuleBroken("too_many")."""
    with office.database.write() as session:
        tries = session.exec(
            select(func.count()).select_from(AttemptRow).where(
                AttemptRow.name_hash == _NAME, AttemptRow.address == address[:64],
                col(AttemptRow.at) > now - timedelta(minutes=1),
            )
        ).one()  # fmt: skip
        if tries >= TRIES:
            raise RuleBroken("too_many", "SECURITY A.6")
        session.add(AttemptRow(name_hash=_NAME, address=address[:64], at=now, good=False))


def digits_of(line: queries.DeviceLine) -> str:
    """The digits of a tablet, to be compared with those it shows."""
    return fingerprint(line.sign_key, line.box_key)


def welcome(session: Session, device: DeviceId, person: PersonId) -> dict[str, Any]:
    """Who the tablet belongs to, the keys of the office, and the digits two people compare."""
    state: OfficeState = ledger.the(session, "office")
    row, owner = queries.device(session, device), session.get(PersonRow, person)
    if row is None or owner is None:
        raise RuleBroken("device_unknown")
    server = list(state.servers)[-1]
    return {
        "device": device,
        "person": person,
        "name": owner.name,
        "language": owner.language,
        "server_device": server,
        "server_key": state.servers[server],
        "review_key": state.review_key,
        "office": state.names,
        "keyholders": [{"number": number, "key": holder.key} for number, holder in sorted(state.keyholders.items())],
        "fingerprint": fingerprint(row.sign_key, row.box_key),
    }
