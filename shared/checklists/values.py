"""Values of the checklist language and how they turn into one another, as ODK does it.

A value is text, number, truth, date, time, moment, or a run of values taken from several rows. Blank text is no
number: every comparison with it is false (only "differs from" is true), never an error.
Source: XPath 1.0 section 4 and the ODK XForms specification; dates written as text compare as dates by our choice,
because a calculation stores its date as text.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal

Single = str | float | bool | date | datetime | time
Value = Single | tuple[Single, ...]

NAN = math.nan
_EPOCH = date(1970, 1, 1)
_NUMBER = re.compile(r"\s*-?(\d+([.,]\d*)?|[.,]\d+)\s*", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?", re.ASCII)


def single(value: Value) -> Single:
    """The first of a run of values, blank when the run is empty."""
    if isinstance(value, tuple):
        return value[0] if value else ""
    return value


def as_number(value: Value) -> float:
    """The value as a number; text that is none gives NaN. Dates count in days since 1970, times in parts of a day."""
    value = single(value)
    match value:
        case bool():
            return 1.0 if value else 0.0
        case float() | int():
            return float(value)
        case str():
            return float(value.replace(",", ".")) if _NUMBER.fullmatch(value) else NAN
        case datetime():
            return (value.date() - _EPOCH).days + _part_of_day(value.time())
        case date():
            return float((value - _EPOCH).days)
        case _:
            return _part_of_day(value)


def _part_of_day(moment: time) -> float:
    whole = timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)
    return whole / timedelta(days=1)


def as_text(value: Value) -> str:
    """The value as text: whole numbers without a point, dates as 2026-03-07, times as 14:05."""
    value = single(value)
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() | int():
            return number_text(float(value))
        case datetime():
            return value.isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case _:
            return value.isoformat(timespec="minutes" if not value.second else "seconds")


def number_text(number: float) -> str:
    """A number as ODK writes it: 3, 2.5, NaN, Infinity; never with an exponent.

    Fifteen digits count, so that 0.1 + 0.2 reads 0.3. Source: our choice, people read these numbers in labels.
    """
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == int(number):
        return str(int(number))
    return format(Decimal(f"{number:.15g}"), "f")


def as_truth(value: Value) -> bool:
    """Whether the value counts as true: text that is not blank, a number that is neither zero nor NaN."""
    value = single(value)
    match value:
        case bool():
            return value
        case float() | int():
            return value != 0 and not math.isnan(value)
        case str():
            return value != ""
        case _:
            return True


def is_blank(value: Value) -> bool:
    """Whether nothing stands there."""
    return single(value) == ""


def date_of(text: str) -> date | None:
    """The date written as 2026-03-07 (a time behind it is dropped), or None."""
    if _DATE.match(text):
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            return None
    return None


def moment_of(text: str) -> datetime | None:
    """The moment written as 2026-03-07T14:05 with or without offset, or None."""
    if _DATE.match(text) and "T" in text:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    return None


def time_of(text: str) -> time | None:
    """The time of day written as 14:05 or 14:05:30, or None."""
    if _TIME.match(text):
        try:
            return time.fromisoformat(text[:8])
        except ValueError:
            return None
    return None


def _comparable(value: Single, other: Single) -> float:
    if isinstance(value, str) and not isinstance(other, (str, bool, float, int)):
        read = (time_of(value) if isinstance(other, time) else None) or moment_of(value) or date_of(value)
        return NAN if read is None else as_number(read)
    if isinstance(value, str) and isinstance(other, str):
        read = moment_of(value) or date_of(value) or time_of(value)
        return as_number(value if read is None else read)
    return as_number(value)


def equal(left: Value, right: Value) -> bool:
    """XPath equality: as truths if one is a truth, as numbers if one is a number or date, else as text."""
    left, right = single(left), single(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return as_truth(left) == as_truth(right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return abs(_comparable(left, right) - _comparable(right, left)) < 1e-12


def ordered(left: Value, right: Value, sign: str) -> bool:
    """Whether left < right (or <=, >, >= by `sign`); false as soon as one of them is no number."""
    left, right = single(left), single(right)
    a, b = _comparable(left, right), _comparable(right, left)
    match sign:
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case _:
            return a >= b


def rounded(number: float, places: int) -> float:
    """Half goes up (2.5 to 3, -2.5 to -2), counted in decimal, so that 2.675 to two places is 2.68."""
    if math.isnan(number) or math.isinf(number):
        return number
    step = Decimal(1).scaleb(-max(-15, min(15, places)))
    return float(((Decimal(repr(number)) / step + Decimal("0.5")).to_integral_value("ROUND_FLOOR")) * step)


def quotient(left: float, right: float) -> float:
    """IEEE division: by zero gives NaN or an infinity, never an error."""
    if right == 0:
        if left == 0 or math.isnan(left):
            return NAN
        return math.copysign(math.inf, left) * math.copysign(1.0, right)
    return left / right


def remainder(left: float, right: float) -> float:
    """Remainder with the sign of the left side, as XPath wants; NaN for zero and for infinities."""
    if right == 0 or math.isinf(left) or math.isnan(left) or math.isnan(right):
        return NAN
    return math.fmod(left, right)


def product(left: float, right: float) -> float:
    """IEEE product."""
    return left * right
