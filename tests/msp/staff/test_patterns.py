"""Weekly patterns: in their own zone, over changes of the clock, without holidays; and arithmetic of spans."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp.staff.patterns import (
    Pattern,
    days_of,
    holidays_of,
    hours_of,
    span_on,
    spans_of,
    weekly,
)
from tenants.foundation.spans import clipped, merged, without

BERLIN = "Europe/Berlin"
START = datetime(2026, 1, 1, tzinfo=UTC)


def pattern(
    first, last, starts=time(8), ends=time(17), zone="Asia/Jakarta", rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU"
):
    return Pattern(rule, first, last, starts, ends, zone)


def test_first_and_last_day_are_included():
    assert days_of(pattern(date(2026, 11, 2), date(2026, 11, 9))) == [date(2026, 11, d) for d in (2, 3, 9)]


def test_every_second_week():
    found = days_of(pattern(date(2026, 11, 2), date(2026, 11, 22), rule=weekly(["TU", "MO"], 2)))
    assert found == [date(2026, 11, d) for d in (2, 3, 16, 17)]


@pytest.mark.parametrize(("days", "every"), [([], 1), (["XX"], 1), (["MO"], 0), (["MO"], 5)])
def test_no_rule_without_a_day_or_with_odd_weeks(days, every):
    with pytest.raises(ValueError, match="weekly"):
        weekly(days, every)


def test_the_wall_clock_stays_over_a_change_of_the_clock():
    spans = dict(spans_of(pattern(date(2026, 10, 19), date(2026, 10, 26), zone=BERLIN)))
    assert {begin.astimezone(ZoneInfo(BERLIN)).hour for begin, _ in spans.values()} == {8}
    assert spans[date(2026, 10, 19)][0].hour == 6
    assert spans[date(2026, 10, 26)][0].hour == 7


@pytest.mark.parametrize(
    ("on", "hours"), [(date(2026, 3, 28), 7), (date(2026, 10, 24), 9), (date(2026, 11, 4), 8)]
)
def test_a_night_in_which_clocks_change_is_shorter_or_longer(on, hours):
    begin, end = span_on(on, time(22), time(6), BERLIN)
    assert end - begin == timedelta(hours=hours)


def test_a_shift_of_a_whole_day():
    begin, end = span_on(date(2026, 11, 4), time(8), time(8), "Asia/Jakarta")
    assert end - begin == timedelta(days=1)


@given(
    st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    st.times(),
    st.times(),
    st.sampled_from((BERLIN, "Asia/Jakarta", "Australia/Lord_Howe", "America/New_York")),
)
def test_a_shift_always_ends_after_it_begins(on, starts, ends, zone):
    begin, end = span_on(on, starts.replace(tzinfo=None), ends.replace(tzinfo=None), zone)
    assert timedelta(0) < end - begin <= timedelta(hours=25)


def test_holidays_of_a_country_are_left_out():
    resting = holidays_of("ID", date(2026, 8, 1), date(2026, 8, 31))
    assert date(2026, 8, 17) in resting
    found = [on for on, _ in spans_of(pattern(date(2026, 8, 10), date(2026, 8, 18)), resting)]
    assert found == [date(2026, 8, d) for d in (10, 11, 18)]
    assert holidays_of("", date(2026, 8, 1), date(2026, 8, 31)) == frozenset()


SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(
        lambda one: (START + timedelta(hours=one[0]), START + timedelta(hours=one[0] + one[1]))
    ),
    max_size=8,
)


def hours(spans):
    return {
        int((begin - START).total_seconds() // 3600) + step
        for begin, end in spans
        for step in range(int((end - begin).total_seconds() // 3600))
    }


@given(SPANS, SPANS)
def test_what_is_left_is_what_the_others_do_not_have(spans, taken):
    left = without(spans, taken)
    assert hours(left) == hours(spans) - hours(taken)
    assert left == merged(left)
    assert hours_of(left) == len(hours(left))


@given(SPANS)
def test_clipping_keeps_what_lies_inside(spans):
    begin, end = START + timedelta(hours=10), START + timedelta(hours=30)
    assert hours(clipped(spans, begin, end)) == {one for one in hours(spans) if 10 <= one < 30}
