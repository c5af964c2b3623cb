"""When something falls due: working days of Kazakhstan, due moments, terms of office.

Every count is made in the time zone of the calendar (Almaty), from data (law/holidays.toml); nothing here knows what
time it is now. A term in days begins on the day behind the event and ends with the end of its last day.
A term that ends on a day off is not prolonged: the earlier day is the safe one. Source: our choice, because the laws
read say nothing on it; Labour Code arts 84-85 for the days off.
"""

from __future__ import annotations

import calendar as months_of
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HOLIDAYS = Path(__file__).parent / "law" / "holidays.toml"
_END_OF_DAY = time(23, 59, 59)
_CLOCK_UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(hours=24)}
_MONTH_UNITS = {"month": 1, "months": 1, "year": 12, "years": 12}


@dataclass(frozen=True, slots=True)
class Holiday:
    """A holiday of one year: its name (text key `law.holiday.<name>`) and whether it moves off a day off."""

    on: date
    name: str
    moves: bool


@dataclass(frozen=True, slots=True)
class MovedDay:
    """A day off moved by decree: `off` becomes free, `worked` a working day; either may be missing."""

    off: date | None
    worked: date | None
    basis: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked. Yearly holidays hold for every year, movable ones only where they are listed."""

    zone: ZoneInfo
    weekend: frozenset[int]
    yearly: tuple[tuple[int, int, str, bool], ...]
    movable: tuple[Holiday, ...]
    moved: tuple[MovedDay, ...]
    first_year: int
    last_year: int
    _years: dict[int, Mapping[date, str]] = field(default_factory=dict, compare=False, repr=False)

    def covers(self, day: date) -> bool:
        """Whether the holidays of that year are all listed; a page says so when they are not."""
        return self.first_year <= day.year <= self.last_year

    def day_of(self, moment: datetime) -> date:
        """The calendar day of a moment in this calendar's zone. Raises ValueError for a naive moment."""
        if moment.tzinfo is None:
            raise ValueError("a moment needs its offset from UTC")
        return moment.astimezone(self.zone).date()

    def days_off(self, year: int) -> Mapping[date, str]:
        """Holidays, days off moved by a holiday and by decree in a year, with the holiday's name; no plain weekends."""
        if year not in self._years:
            self._years[year] = self._off(year)
        return self._years[year]

    def holiday(self, day: date) -> str | None:
        """The name of the holiday that makes the day free, "moved" for a decree; None for any other day."""
        return self.days_off(day.year).get(day)

    def is_working_day(self, day: date) -> bool:
        """Whether the day is worked in a five-day week."""
        if any(moved.worked == day for moved in self.moved):
            return True
        return day.isoweekday() not in self.weekend and day not in self.days_off(day.year)

    def _off(self, year: int) -> dict[date, str]:
        holidays = [Holiday(date(year, month, day), name, moves) for month, day, name, moves in self.yearly]
        holidays += [holiday for holiday in self.movable if holiday.on.year == year]
        off = {holiday.on: holiday.name for holiday in holidays}
        off |= {moved.off: "moved" for moved in self.moved if moved.off is not None and moved.off.year == year}
        for holiday in sorted(holidays, key=lambda holiday: holiday.on):
            if holiday.moves and holiday.on.isoweekday() in self.weekend:
                free = holiday.on
                while free in off or free.isoweekday() in self.weekend:
                    free += timedelta(days=1)
                off[free] = holiday.name
        return off


@dataclass(frozen=True, slots=True)
class Due:
    """The end of a term: `on` the last day in the calendar's zone, `at` its last second in UTC."""

    on: date
    at: datetime


@dataclass(frozen=True, slots=True)
class TermOfOffice:
    """The days somebody holds an office, both included; `ended_on` is the last day when it ended before its time."""

    begins_on: date
    ends_on: date
    ended_on: date | None = None

    @property
    def last_day(self) -> date:
        """The last day in office."""
        return self.ends_on if self.ended_on is None else min(self.ends_on, self.ended_on)

    def is_in_office(self, day: date) -> bool:
        """Whether the office is held on that day."""
        return self.begins_on <= day <= self.last_day


def is_working_day(day: date, calendar: Calendar) -> bool:
    """Whether the day is worked in a five-day week."""
    return calendar.is_working_day(day)


def add_working_days(start: date, count: int, calendar: Calendar) -> date:
    """The count-th working day behind `start`; the start itself never counts, 0 gives it back.

    Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("working days are counted forward")
    day = start
    while count:
        day += timedelta(days=1)
        count -= calendar.is_working_day(day)
    return day


def working_days_between(start: date, end: date, calendar: Calendar) -> int:
    """Working days behind `start` up to and with `end`; negative when `end` lies before `start`."""
    if end < start:
        return -working_days_between(end, start, calendar)
    days = (start + timedelta(days=step) for step in range(1, (end - start).days + 1))
    return sum(1 for day in days if calendar.is_working_day(day))


def add_months(start: date, count: int) -> date:
    """The same day `count` months on; the last day of the month where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
    return date(year, month + 1, min(start.day, months_of.monthrange(year, month + 1)[1]))


def due(moment: datetime, value: int, unit: str, calendar: Calendar) -> Due:
    """When a term that runs from `moment` ends.

    unit  minutes, hours, days (24 hours each, to the second) · working days, calendar days, months, years (end of
          the last day); the singular of the last four is read too

    Raises ValueError for a naive moment, a negative value or another unit.
    Source: rules.toml for value and unit; "days" = sutki, Criminal Procedure Code art. 181.
    """
    if value < 0:
        raise ValueError("a term runs forward")
    start = calendar.day_of(moment)
    if unit in _CLOCK_UNITS:
        at = moment.astimezone(UTC).replace(microsecond=0) + value * _CLOCK_UNITS[unit]
        return Due(calendar.day_of(at), at)
    if unit in ("working day", "working days"):
        last = add_working_days(start, value, calendar)
    elif unit in ("calendar day", "calendar days"):
        last = start + timedelta(days=value)
    elif unit in _MONTH_UNITS:
        last = add_months(start, value * _MONTH_UNITS[unit])
    else:
        raise ValueError(f"no term is counted in {unit!r}")
    return Due(last, end_of_day(last, calendar))


def end_of_day(day: date, calendar: Calendar) -> datetime:
    """The last second of a day of this calendar, in UTC."""
    return datetime.combine(day, _END_OF_DAY, calendar.zone).astimezone(UTC)


def is_late(due_at: Due, now: datetime) -> bool:
    """Whether the term is over; its last second is still in time."""
    return now.astimezone(UTC).replace(microsecond=0) > due_at.at


def days_left(due_at: Due, now: datetime, calendar: Calendar) -> int:
    """Calendar days to the last day: 0 on it, negative behind it."""
    return (due_at.on - calendar.day_of(now)).days


def working_days_left(due_at: Due, now: datetime, calendar: Calendar) -> int:
    """Working days behind today up to the last day; negative behind it."""
    return working_days_between(calendar.day_of(now), due_at.on, calendar)


def term_of_office(begins_on: date, value: int, unit: str) -> TermOfOffice:
    """The term of an office that lasts `value` months or years from its first day.

    A term of two years from 10.03.2026 ends with 09.03.2028. Raises ValueError for another unit or a value under 1.
    """
    if unit not in _MONTH_UNITS or value < 1:
        raise ValueError(f"no office lasts {value} {unit}")
    return TermOfOffice(begins_on, add_months(begins_on, value * _MONTH_UNITS[unit]) - timedelta(days=1))


def read_calendar(path: Path = HOLIDAYS) -> Calendar:
    """The calendar of a file. Raises ValueError for wrong dates or fields, OSError."""
    return calendar_from(path.read_text(encoding="utf-8"))


def calendar_from(source: str) -> Calendar:
    """The calendar of a TOML text; errors as `read_calendar`."""
    data = tomllib.loads(source)
    try:
        return _calendar(data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"calendar: field {error} is missing or wrong") from error


def _calendar(data: dict[str, Any]) -> Calendar:
    for entry in data["yearly"]:
        date(2023, entry["month"], entry["day"])  # a day that some years lack is refused here
    return Calendar(
        zone=ZoneInfo(data["zone"]),
        weekend=frozenset(data["weekend"]),
        yearly=tuple((each["month"], each["day"], each["name"], each["moves"]) for each in data["yearly"]),
        movable=tuple(Holiday(each["on"], each["name"], each["moves"]) for each in data["movable"]),
        moved=tuple(MovedDay(each.get("off"), each.get("worked"), each["basis"]) for each in data.get("moved", [])),
        first_year=data["first_year"],
        last_year=data["last_year"],
    )
