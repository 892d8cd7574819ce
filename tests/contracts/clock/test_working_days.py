"""Working days: the same time on the N-th date that opens (R23), against a walk over dates and their spans."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clock.calendar import ALWAYS, Calendar, Hours, SpecialDay, WeeklyHours
from contracts.clock.working_days import after_working_days

OFFICE = tuple(WeeklyHours(day, Hours(480, 1020)) for day in range(5))
JAKARTA = ZoneInfo("Asia/Jakarta")
FRIDAY = datetime(2026, 11, 20, 16, 0, tzinfo=JAKARTA)


def local(found):
    return found.astimezone(JAKARTA).isoformat(timespec="minutes")[:16]


def test_a_weekend_is_not_counted():
    assert local(after_working_days(Calendar("Asia/Jakarta", OFFICE), FRIDAY, 1)) == "2026-11-23T16:00"
    assert local(after_working_days(Calendar("Asia/Jakarta", OFFICE), FRIDAY, 5)) == "2026-11-27T16:00"


def test_holidays_are_not_counted_and_special_days_are():
    calendar = Calendar(
        "Asia/Jakarta",
        OFFICE,
        (date(2026, 11, 23),),
        (SpecialDay(date(2026, 11, 21), (Hours(540, 600),)), SpecialDay(date(2026, 11, 24))),
    )
    assert local(after_working_days(calendar, FRIDAY, 1)) == "2026-11-21T16:00"
    assert local(after_working_days(calendar, FRIDAY, 2)) == "2026-11-25T16:00"


def test_around_the_clock_they_are_days():
    assert after_working_days(ALWAYS, FRIDAY, 7) == FRIDAY.astimezone(UTC) + timedelta(days=7)


def test_a_time_that_is_skipped_is_the_later_one():
    calendar = Calendar("Europe/Berlin", tuple(WeeklyHours(day, Hours(0, 1440)) for day in range(7)))
    at = datetime(2026, 3, 28, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert after_working_days(calendar, at, 1) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_repeated_hour_leads_on_from_either_of_its_two():
    calendar = Calendar("Europe/Berlin", tuple(WeeklyHours(day, Hours(0, 1440)) for day in range(7)))
    at = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert after_working_days(calendar, at, 1) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_calendar_that_never_opens_has_none():
    assert after_working_days(Calendar("Asia/Jakarta"), FRIDAY, 1) is None


def test_no_days_are_refused():
    with pytest.raises(ValueError, match="forwards"):
        after_working_days(ALWAYS, FRIDAY, 0)


@given(
    days=st.sets(st.integers(0, 6), min_size=1),
    closed=st.sets(st.integers(0, 40)),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001
    count=st.integers(1, 20),
)
def test_between_lie_exactly_so_many_open_dates(days, closed, at, count):
    begin = at.replace(tzinfo=JAKARTA)
    holidays = tuple(begin.date() + timedelta(days=one) for one in sorted(closed))
    calendar = Calendar("Asia/Jakarta", tuple(WeeklyHours(day, Hours(480, 1020)) for day in days), holidays)
    found = after_working_days(calendar, begin, count).astimezone(JAKARTA)
    assert found.timetz() == begin.timetz()
    opened = {
        span[0].astimezone(JAKARTA).date() for span in calendar.open_spans(begin, found + timedelta(days=1))
    }
    assert len([one for one in opened if begin.date() < one <= found.date()]) == count
    assert found.date() in opened
