"""Dates, times and sizes as people write them: dd.mm.yyyy, 24 hours, decimal comma. Source: UX section 7."""

from __future__ import annotations

from datetime import datetime

from shared.texts import Texts
from shared.values import ALMATY, moment_of


def day(text: str) -> str:
    """ "2026-03-07" or a stamp → "07.03.2026"; empty stays empty."""
    return ".".join(reversed(text[:10].split("-"))) if text else ""


def days(first: str, last: str) -> str:
    """Two days as one span; one day when they are the same."""
    return day(first) if not last or last == first else f"{day(first)}–{day(last)}"


def clock(text: str) -> str:
    """A stamp → "14:05"."""
    return f"{moment_of(text).astimezone(ALMATY):%H:%M}" if text else ""


def moment(text: str) -> str:
    """A stamp → "07.03.2026 14:05"."""
    return f"{moment_of(text).astimezone(ALMATY):%d.%m.%Y %H:%M}" if text else ""


def date_of(now: datetime) -> str:
    """The moment's day in Kazakhstan, yyyy-mm-dd."""
    return now.astimezone(ALMATY).date().isoformat()


def size(texts: Texts, count: int) -> str:
    """Bytes in the largest unit that leaves at least a tenth: "0,4 МБ"."""
    mega = count / 1_000_000
    if mega < 0.1:
        return texts("today.kilobytes", size=max(1, round(count / 1000)))
    number = f"{mega:.1f}" if mega < 10 else str(round(mega))
    return texts("today.megabytes", size=number if texts.language == "en" else number.replace(".", ","))
