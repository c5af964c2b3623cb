"""What is kept of the contact with a tablet: nonces, drift of its clock, tokens for media and packs.

A tablet shows the nonce it was given last. One that was shown before, or never given, means that a second tablet lives
under the same keys: both branches are kept, reading stops. Source: SETTLED decisions 19, 24.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete

from server.ledger.tables import ContactRow, DeviceTokenRow
from shared.ledger.crypto import random_bytes, sha256
from shared.ledger.messages import Hello
from shared.values import DeviceId, moment_of

TOKEN_LIFE = timedelta(minutes=15)
WHATEVER = "*"
ISSUED_KEPT = 32
"""Replies may be lost: so many nonces given since the last one shown are still good."""


def contact(session: Session, hello: Hello, is_apart: Callable[[], bool], now: datetime) -> tuple[ContactRow, str]:
    """Notes the contact and gives the nonce for the next one. A twin freezes the row.

    is_apart  asked when the nonce is not one given: whether the tablet knows a ledger that this office lost, for then
              the office forgot the nonce with the rest
    """
    row = session.get(ContactRow, hello.device, with_for_update=True)
    fresh = _secret(18)
    if row is None:
        row = ContactRow(device=hello.device, shown=hello.nonce, seen_at=now, minute_began=now)
        session.add(row)
    elif row.shown == WHATEVER:
        row.shown, row.issued = hello.nonce, ""
    elif not _follows(row, hello.nonce):
        if is_apart():
            row.shown, row.issued = hello.nonce, ""
        else:
            row.frozen = True
    row.issued = " ".join([*row.issued.split(), fresh][-ISSUED_KEPT:])
    if row.minute_began is None or now - row.minute_began >= timedelta(minutes=1):
        row.minute_began, row.minute_count = now, 0
    row.minute_count += 1
    row.seen_at, row.drift_seconds = now, drift(hello.now, now)
    session.flush()
    return row, fresh


def _follows(row: ContactRow, shown: str) -> bool:
    issued = row.issued.split()
    if shown in issued:
        row.shown, row.issued = shown, " ".join(issued[issued.index(shown) + 1 :])
        return True
    return shown == row.shown


def stop_reading(session: Session, device: DeviceId, now: datetime) -> None:
    """The device wrote two histories: it reads nothing until a person has looked. Source: SETTLED decision 20."""
    row = session.get(ContactRow, device)
    if row is None:
        session.add(ContactRow(device=device, frozen=True, seen_at=now))
    else:
        row.frozen = True
    session.flush()


def drift(tablet_now: str, now: datetime) -> int:
    """Seconds the tablet's clock is ahead, within a year either way; 0 when its time cannot be read."""
    try:
        ahead = int((moment_of(tablet_now) - now).total_seconds())
    except (ValueError, OverflowError):
        return 0
    return max(-31_536_000, min(31_536_000, ahead))


def unfreeze(session: Session, device: DeviceId) -> None:
    """A person looked into the twin and lets the tablet read again; whatever nonce it shows next is taken."""
    row = session.get(ContactRow, device)
    if row is not None:
        row.frozen, row.shown, row.issued = False, WHATEVER, ""


def give_token(session: Session, device: DeviceId, now: datetime) -> str:
    """A token for media and packs, 15 minutes."""
    token = _secret(32)
    session.execute(delete(DeviceTokenRow).where(col(DeviceTokenRow.until) < now))
    session.add(DeviceTokenRow(hash=sha256(token.encode()).hex(), device=device, until=now + TOKEN_LIFE))
    return token


def device_of_token(session: Session, token: str, now: datetime) -> DeviceId | None:
    """The tablet a token was given to, while it lasts."""
    row = session.get(DeviceTokenRow, sha256(token.encode()).hex())
    return DeviceId(row.device) if row is not None and now <= row.until else None


def _secret(size: int) -> str:
    return base64.urlsafe_b64encode(random_bytes(size)).decode().rstrip("=")
