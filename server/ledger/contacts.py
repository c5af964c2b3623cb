"""What is kept of the contact with a tablet: nonces, drift of its clock, tokens for media and packs.

A tablet shows the nonce it was given last. Another one comes from a request that was late on its way, whose answer
nobody hears, or from a second tablet under the same keys. It reads nothing, and is given a nonce of its own: whoever
shows that one has heard the answer, so two tablets live, and reading stops. Source: SETTLED decisions 19, 24.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, delete

from server.ledger.tables import ContactRow, DeviceTokenRow
from shared.ledger.crypto import random_bytes, sha256
from shared.ledger.messages import Hello
from shared.values import DeviceId, moment_of

TOKEN_LIFE = timedelta(minutes=15)
WHATEVER = "*"
MOST = 2**31 - 1
"""Largest number a tablet may claim of itself."""
ISSUED_KEPT = 32
"""Replies may be lost: so many nonces given to whoever showed the last one are still good."""
LATE = "!"
"""Stands before a nonce that was given for an old one."""
EPOCH = "@"
"""Stands before the epoch the tablet knew when it showed its last nonce."""


def contact(session: Session, hello: Hello, is_apart: Callable[[int], bool], now: datetime) -> tuple[ContactRow, str]:
    """Notes the contact and gives the nonce for the next one. A twin freezes the row and ends the device's tokens;
    `row.shown` is another than the nonce of the hello when that one was old.

    is_apart  asked with the epoch the tablet last knew when the nonce is not one given: whether it knows a ledger that
              this office lost, for then the office forgot the nonce with the rest
    """
    row = session.get(ContactRow, hello.device, with_for_update=True)
    if row is None:
        row = ContactRow(device=hello.device, shown=hello.nonce, seen_at=now, minute_began=now)
        session.add(row)
    fresh = note_contact(row, hello, is_apart, now)
    if row.frozen:
        _end_tokens(session, hello.device)
    session.flush()
    return row, fresh


def note_contact(row: ContactRow, hello: Hello, is_apart: Callable[[int], bool], now: datetime) -> str:
    """Writes the contact into its row, wherever that came from, and gives the nonce for the next one; as `contact`."""
    fresh = given = _secret(18)
    if row.shown == WHATEVER:
        row.shown, row.issued = hello.nonce, ""
    elif not _follows(row, hello):
        if is_apart(_epoch(row)):
            row.shown = hello.nonce
        else:
            given = LATE + fresh
            if LATE + hello.nonce in row.issued.split():
                freeze(row, "twin", now)
    row.issued = " ".join([*row.issued.split(), given][-ISSUED_KEPT:])
    if row.minute_began is None or now - row.minute_began >= timedelta(minutes=1):
        row.minute_began, row.minute_count = now, 0
    row.minute_count += 1
    row.seen_at, row.drift_seconds = now, drift(hello.now, now)
    row.undelivered, row.oldest_seconds = _undelivered(hello)
    return fresh


def standing_nonce(row: ContactRow, hello: Hello) -> str:
    """The nonce given last to whoever showed the one this tablet shows once more; "" when none was.

    Whoever repeats frames because no answer came may be given it again: nothing changes by that, so nothing has to
    last either. A second tablet that repeats the same frames is told apart as soon as either says something else.
    """
    if row.shown == WHATEVER or hello.nonce != row.shown:
        return ""
    return next((each for each in reversed(row.issued.split()) if each[0] not in (LATE, EPOCH)), "")


def _follows(row: ContactRow, hello: Hello) -> bool:
    """Whether it is the nonce of the tablet's last exchange that came through. What else was given for the one before
    ends with it: a tablet that heard one answer never shows what another answer to the same nonce said."""
    issued = row.issued.split()
    if hello.nonce in issued and hello.nonce[0] not in (LATE, EPOCH):
        row.shown = hello.nonce
        row.issued = " ".join([f"{EPOCH}{hello.epoch}", *(each for each in issued if each.startswith(LATE))])
        return True
    return hello.nonce == row.shown


def _epoch(row: ContactRow) -> int:
    """The epoch of the office the tablet knew when it last went on: what says less was late on its way."""
    return next((int(each[1:]) for each in row.issued.split() if each.startswith(EPOCH)), 0)


def _undelivered(hello: Hello) -> tuple[int, int]:
    """(operations, seconds the oldest is old by the tablet's own clock), as it claims; (0, 0) when it is silent."""
    if not isinstance(hello.undelivered, tuple):
        return 0, 0
    count, oldest = hello.undelivered
    try:
        age = int((moment_of(hello.now) - moment_of(oldest)).total_seconds()) if count else 0
    except (ValueError, OverflowError):
        age = 0
    return min(count, MOST), max(0, min(age, MOST))


def freeze(row: ContactRow, why: str, now: datetime) -> None:
    """Stops the reading of a tablet; a stop that stands keeps its first reason and moment."""
    if not row.frozen:
        row.frozen, row.frozen_why, row.frozen_at = True, why, now


def stop_reading(session: Session, device: DeviceId, now: datetime) -> None:
    """The device wrote two histories: it reads nothing until people have looked. Source: SETTLED decision 20."""
    row = session.get(ContactRow, device)
    if row is None:
        row = ContactRow(device=device, seen_at=now)
        session.add(row)
    freeze(row, "fork", now)
    _end_tokens(session, device)
    session.flush()


def _end_tokens(session: Session, device: DeviceId) -> None:
    """Whoever reads nothing loads nothing either, with whatever was given to it before."""
    session.execute(delete(DeviceTokenRow).where(col(DeviceTokenRow.device) == device))


def drift(tablet_now: str, now: datetime) -> int:
    """Seconds the tablet's clock is ahead, within a year either way; 0 when its time cannot be read."""
    try:
        ahead = int((moment_of(tablet_now) - now).total_seconds())
    except (ValueError, OverflowError):
        return 0
    return max(-31_536_000, min(31_536_000, ahead))


def let_read(session: Session, device: DeviceId) -> str:
    """Two people looked into it: the tablet reads again, and whatever nonce it shows next is taken.

    Returns why it had been stopped; "" when it was not.
    """
    row = session.get(ContactRow, device, with_for_update=True)
    if row is None or not row.frozen:
        return ""
    why = row.frozen_why
    row.frozen, row.frozen_why, row.frozen_at, row.shown, row.issued = False, "", None, WHATEVER, ""
    session.flush()
    return why


def give_token(session: Session, device: DeviceId, now: datetime) -> str:
    """A token for media and packs, 15 minutes."""
    token, row = new_token(device, now)
    session.execute(delete(DeviceTokenRow).where(col(DeviceTokenRow.until) < now))
    session.add(DeviceTokenRow(**row))
    return token


def new_token(device: DeviceId, now: datetime) -> tuple[str, dict[str, Any]]:
    """A fresh token and the values of its row."""
    token = _secret(32)
    return token, {"hash": sha256(token.encode()).hex(), "device": device, "until": now + TOKEN_LIFE}


def device_of_token(session: Session, token: str, now: datetime) -> DeviceId | None:
    """The tablet a token was given to, while it lasts."""
    row = session.get(DeviceTokenRow, sha256(token.encode()).hex())
    return DeviceId(row.device) if row is not None and now <= row.until else None


def _secret(size: int) -> str:
    return base64.urlsafe_b64encode(random_bytes(size)).decode().rstrip("=")
