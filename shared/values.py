"""Ids and small values that several capabilities share.

Ids travel as text: subjects, devices and persons are UUIDv7 (`shared.ledger.crypto.new_id`), operations are the
64 hex digits of their chain hash, institutions are keys of the register. Source: SETTLED decisions 5 and 6.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NewType
from zoneinfo import ZoneInfo

PersonId = NewType("PersonId", str)
DeviceId = NewType("DeviceId", str)
SubjectId = NewType("SubjectId", str)
OperationId = NewType("OperationId", str)
InstitutionKey = NewType("InstitutionKey", str)

ALMATY = ZoneInfo("Asia/Almaty")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?")


def is_id(text: object) -> bool:
    """Whether the value is a UUIDv7 in its one accepted spelling."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def is_hash(text: object) -> bool:
    """Whether the value is 64 lower-case hex digits."""
    return isinstance(text, str) and _HASH.fullmatch(text) is not None


def is_decimal(text: object) -> bool:
    """Whether the value is a decimal as the ledger writes it: text, at most 15 digits before and 6 behind the dot."""
    return isinstance(text, str) and _DECIMAL.fullmatch(text) is not None


def stamp(moment: datetime) -> str:
    """An aware moment as the ledger shows it: local time of Kazakhstan with its offset, whole seconds.

    Raises ValueError for a naive moment: a time without its offset says nothing.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset from UTC")
    return moment.astimezone(ALMATY).isoformat(timespec="seconds")


def moment_of(text: str) -> datetime:
    """The aware moment behind a stamp, in UTC. Raises ValueError when it cannot be read or names no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no offset in {text!r}")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} lies outside the calendar") from error


_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")


def as_typed(text: str) -> str:
    """A text as the ledger takes it: line ends as one sign, other control signs left out, blanks around it cut.

    A browser sends the line ends of a text area as two signs, which no canonical line may hold. Source: SETTLED 5.
    """
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
