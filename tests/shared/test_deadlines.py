"""Terms over holidays, month ends, leap years and the time zone of Almaty, against a slow counter of days."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from shared.deadlines import (
    HOLIDAYS,
    Due,
    TermOfOffice,
    add_months,
    add_working_days,
    calendar_from,
    days_left,
    due,
    is_late,
    is_working_day,
    read_calendar,
    term_of_office,
    working_days_between,
    working_days_left,
)

CALENDAR = read_calendar()
ALMATY = timezone(timedelta(hours=5))

# Written down by hand from the law for each year: days free that are neither Saturday nor Sunday.
FREE_WEEKDAYS = {
    2024: "01-01 01-02 03-08 03-21 03-22 03-25 05-01 05-07 05-09 07-08 08-30 10-25 12-16",
    2025: "01-01 01-02 01-07 03-10 03-21 03-24 03-25 05-01 05-07 05-09 06-06 07-07 09-01 10-27 12-16",
    2026: "01-01 01-02 01-07 03-09 03-23 03-24 03-25 05-01 05-07 05-11 05-27 07-06 08-31 10-26 12-16",
    2027: "01-01 01-04 01-07 03-08 03-22 03-23 03-24 05-03 05-07 05-10 07-06 08-30 10-25 12-16",
    2028: "01-03 01-04 01-07 03-08 03-21 03-22 03-23 05-01 05-05 05-08 05-09 07-06 08-30 10-25 12-18",
    2029: "01-01 01-02 03-08 03-21 03-22 03-23 04-24 05-01 05-07 05-09 07-06 08-30 10-25 12-17",
    2030: "01-01 01-02 01-07 03-08 03-21 03-22 03-25 05-01 05-07 05-09 07-08 08-30 10-25 12-16",
}
FREE = {date.fromisoformat(f"{year}-{day}") for year, days in FREE_WEEKDAYS.items() for day in days.split()}


def works(day: date) -> bool:
    return day.strftime("%a") not in ("Sat", "Sun") and day not in FREE


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ALMATY)


def test_every_day_of_seven_years() -> None:
    day = date(2024, 1, 1)
    while day < date(2031, 1, 1):
        assert is_working_day(day, CALENDAR) == works(day), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-03-08", "womens_day"),
        ("2026-03-09", "womens_day"),  # 8 March 2026 is a Sunday
        ("2026-03-25", "nauryz"),  # 21 and 22 March 2026 are a weekend, 23 is a holiday itself
        ("2026-05-27", "kurban_ait"),
        ("2026-03-10", None),
    ],
)
def test_holidays_have_names(day: str, name: str | None) -> None:
    assert CALENDAR.holiday(date.fromisoformat(day)) == name


@pytest.mark.parametrize("day", ["2024-01-08", "2024-06-17", "2029-01-08", "2027-05-17"])
def test_religious_days_off_do_not_move(day: str) -> None:
    assert is_working_day(date.fromisoformat(day), CALENDAR)


def test_a_decree_moves_a_day_off() -> None:
    moved = '\n[[moved]]\noff = 2026-07-07\nworked = 2026-07-11\nbasis = "Decree"\n'
    calendar = calendar_from(HOLIDAYS.read_text(encoding="utf-8") + moved)
    assert not is_working_day(date(2026, 7, 7), calendar)
    assert is_working_day(date(2026, 7, 11), calendar)
    assert calendar.holiday(date(2026, 7, 7)) == "moved"
    assert add_working_days(date(2026, 7, 3), 1, calendar) == date(2026, 7, 8)
    assert add_working_days(date(2026, 7, 10), 1, calendar) == date(2026, 7, 11)


def test_years_that_are_not_listed_say_so_and_keep_the_yearly_holidays() -> None:
    assert CALENDAR.covers(date(2030, 12, 31))
    assert not CALENDAR.covers(date(2031, 1, 1))
    assert not is_working_day(date(2033, 12, 16), CALENDAR)
    assert {each.on.year for each in CALENDAR.movable} == set(range(CALENDAR.first_year, CALENDAR.last_year + 1))


def test_working_days_against_a_slow_counter() -> None:
    draw = random.Random(20261122)
    for _ in range(10_000):
        start = date(2024, 1, 1) + timedelta(days=draw.randrange(2400))
        count = draw.randrange(60)
        left, slow = count, start
        while left > 0:
            slow = slow + timedelta(days=1)
            if works(slow):
                left -= 1
        assert add_working_days(start, count, CALENDAR) == slow, (start, count)
        assert working_days_between(start, slow, CALENDAR) == count
        assert working_days_between(slow, start, CALENDAR) == -count


@pytest.mark.parametrize(
    ("start", "count", "unit", "last"),
    [
        ("2026-03-06T23:30", 1, "working days", "2026-03-10"),  # Friday, weekend, holiday moved to Monday
        ("2026-03-20T10:00", 1, "working day", "2026-03-26"),  # five free days behind it
        ("2026-03-20T10:00", 0, "working days", "2026-03-20"),
        ("2026-12-31T10:00", 3, "working days", "2027-01-08"),  # New Year, weekend, 4 moved, 7 Christmas
        ("2026-03-01T10:00", 60, "calendar days", "2026-04-30"),
        ("2028-02-28T10:00", 1, "calendar day", "2028-02-29"),
        ("2027-02-28T10:00", 1, "calendar day", "2027-03-01"),
        ("2026-01-31T10:00", 1, "month", "2026-02-28"),
        ("2028-01-31T10:00", 1, "month", "2028-02-29"),
        ("2026-08-31T10:00", 3, "months", "2026-11-30"),
        ("2026-11-30T10:00", 3, "months", "2027-02-28"),
        ("2026-12-15T10:00", 1, "month", "2027-01-15"),
        ("2028-02-29T10:00", 1, "year", "2029-02-28"),
        ("2028-02-29T10:00", 4, "years", "2032-02-29"),
        ("2026-07-01T10:00", 5, "years", "2031-07-01"),
    ],
)
def test_terms_end_with_the_end_of_their_last_day(start: str, count: int, unit: str, last: str) -> None:
    end = due(at(start), count, unit, CALENDAR)
    assert end.on == date.fromisoformat(last)
    assert end.at == at(f"{last}T23:59:59")


@pytest.mark.parametrize(
    ("start", "count", "unit", "end"),
    [
        ("2026-03-07T14:05:07", 24, "hours", "2026-03-08T14:05:07"),
        ("2026-03-07T14:05:07", 30, "minutes", "2026-03-07T14:35:07"),
        ("2026-03-07T23:50:00", 30, "minutes", "2026-03-08T00:20:00"),
        ("2026-03-07T14:05:07", 3, "days", "2026-03-10T14:05:07"),
    ],
)
def test_hours_and_days_of_24_hours_run_by_the_clock(start: str, count: int, unit: str, end: str) -> None:
    assert due(at(start), count, unit, CALENDAR) == Due(at(end).date(), at(end).astimezone(UTC))


def test_the_day_is_that_of_almaty_wherever_the_clock_stood() -> None:
    late_in_london = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)  # 11 March, 01:00 in Almaty
    assert due(late_in_london, 1, "working days", CALENDAR).on == date(2026, 3, 12)
    early_in_london = datetime(2026, 3, 10, 18, 59, tzinfo=UTC)
    assert due(early_in_london, 1, "working days", CALENDAR).on == date(2026, 3, 11)
    before_the_change = datetime(2024, 2, 20, 18, 30, tzinfo=UTC)  # Almaty was six hours ahead until 29.02.2024
    assert CALENDAR.day_of(before_the_change) == date(2024, 2, 21)


@pytest.mark.parametrize(("count", "unit"), [(-1, "hours"), (1, "weeks"), (1, "of members"), (1, "")])
def test_terms_nobody_could_mean_are_refused(count: int, unit: str) -> None:
    with pytest.raises(ValueError, match="term"):
        due(at("2026-03-07T14:05"), count, unit, CALENDAR)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        due(datetime(2026, 3, 7), 1, "hours", CALENDAR)


def test_the_last_second_is_in_time() -> None:
    end = due(at("2026-03-06T09:00"), 2, "working days", CALENDAR)
    assert not is_late(end, at("2026-03-11T23:59:59.900000"))
    assert is_late(end, at("2026-03-12T00:00:00"))
    hours = due(at("2026-03-06T09:00"), 24, "hours", CALENDAR)
    assert not is_late(hours, at("2026-03-07T09:00:00"))
    assert is_late(hours, at("2026-03-07T09:00:01"))


def test_days_left() -> None:
    end = due(at("2026-03-06T09:00"), 2, "working days", CALENDAR)  # 11 March
    nows = ["2026-03-06T09:00", "2026-03-10T23:59", "2026-03-11T00:00", "2026-03-13T08:00"]
    assert [days_left(end, at(now), CALENDAR) for now in nows] == [5, 1, 0, -2]
    assert [working_days_left(end, at(now), CALENDAR) for now in nows] == [2, 1, 0, -2]


def test_months_never_leap_over_one() -> None:
    for offset in range(1500):
        start = date(2024, 1, 1) + timedelta(days=offset)
        for count in (1, 3, 12, 24):
            end = add_months(start, count)
            assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == count
            assert end.day == start.day or (end + timedelta(days=1)).day == 1


class TestTermOfOffice:
    def test_two_years_end_on_the_day_before(self) -> None:
        term = term_of_office(date(2026, 3, 10), 2, "years")
        assert (term.begins_on, term.ends_on) == (date(2026, 3, 10), date(2028, 3, 9))
        days = [date(2026, 3, 9), date(2026, 3, 10), date(2028, 3, 9), date(2028, 3, 10)]
        assert [term.is_in_office(day) for day in days] == [False, True, True, False]

    def test_a_term_from_a_leap_day(self) -> None:
        assert term_of_office(date(2028, 2, 29), 1, "year").ends_on == date(2029, 2, 27)
        assert term_of_office(date(2028, 3, 1), 1, "year").ends_on == date(2029, 2, 28)

    def test_one_that_ended_early(self) -> None:
        term = TermOfOffice(date(2026, 3, 10), date(2028, 3, 9), ended_on=date(2027, 1, 31))
        assert term.is_in_office(date(2027, 1, 31))
        assert not term.is_in_office(date(2027, 2, 1))
        assert TermOfOffice(date(2026, 3, 10), date(2028, 3, 9), date(2029, 1, 1)).last_day == date(2028, 3, 9)

    @pytest.mark.parametrize(("count", "unit"), [(0, "years"), (2, "days")])
    def test_no_such_office(self, count: int, unit: str) -> None:
        with pytest.raises(ValueError, match="no office"):
            term_of_office(date(2026, 3, 10), count, unit)


@pytest.mark.parametrize(
    "broken",
    [
        'zone = "Asia/Almaty"',
        'zone = "Asia/Almaty"\nweekend=[6,7]\nfirst_year=2024\nlast_year=2030\nmovable=[]\n'
        '[[yearly]]\nname="x"\nmonth=2\nday=29\nmoves=true',
    ],
)
def test_a_broken_calendar_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=r"calendar|day"):
        calendar_from(broken)
