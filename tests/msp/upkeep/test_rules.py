"""When upkeep is due: every occurrence once, whatever the calendar and the clocks do, and no flood after an outage."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp.upkeep.rules import beginning_after, latest, look_again, next_begin, settle
from msp.upkeep.versions import Version
from msp.windows.rules import Recurring

JAKARTA, BERLIN = "Asia/Jakarta", "Europe/Berlin"
RULES = (
    "FREQ=DAILY",
    "FREQ=WEEKLY;BYDAY=SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
    "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=MONTHLY;BYDAY=-1SU",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=29",
)
ZONES = (JAKARTA, BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
BEGAN = datetime(2027, 1, 1, tzinfo=UTC)

plans = st.builds(
    lambda rule, hour, minute, length, zone: Recurring(
        rule, date(2026, 12, 1), time(hour, minute), length, zone
    ),
    st.sampled_from(RULES),
    st.integers(0, 23),
    st.sampled_from((0, 30, 59)),
    st.sampled_from((1, 90, 1_440, 4_000)),
    st.sampled_from(ZONES),
)
days = st.integers(0, 800)


@given(plans, st.lists(st.integers(1, 90 * 24), min_size=1, max_size=12), st.integers(0, 60))
def test_each_occurrence_is_settled_once_however_often_one_looks(plan, steps, lead_days):
    lead, at, until, seen = timedelta(days=lead_days), BEGAN, BEGAN, []
    for hours in steps:
        at += timedelta(hours=hours)
        found = settle(plan, settled_until=until, lead=lead, at=at)
        seen += found
        until = max([until, *(one.span[0] for one in found)])
    assert [one.span for one in seen] == beginning_after(plan, BEGAN, at + lead)
    keys = [one.occurs_on for one in seen]
    assert len(keys) == len(set(keys))


@given(plans, days, st.integers(0, 60))
def test_an_outage_opens_only_the_latest_that_is_over(plan, outage, lead_days):
    at = BEGAN + timedelta(days=outage)
    found = settle(plan, settled_until=BEGAN, lead=timedelta(days=lead_days), at=at)
    over = [one for one in found if one.span[1] <= at]
    assert [one.state for one in over] == ["missed"] * (len(over) - 1) + ["opened"] * bool(over)
    assert {one.state for one in found if one.span[1] > at} <= {"opened"}


@given(plans, days)
def test_it_is_looked_at_just_when_the_next_one_falls_due(plan, passed):
    lead, until = timedelta(days=3), BEGAN + timedelta(days=passed)
    look = look_again(plan, settled_until=until, lead=lead)
    assert look is not None
    assert settle(plan, settled_until=until, lead=lead, at=look - timedelta(seconds=1)) == []
    assert len(settle(plan, settled_until=until, lead=lead, at=look)) == 1


@given(plans, days)
def test_it_begins_at_its_time_of_its_own_day(plan, passed):
    """Where a change of offset leaves that time out, as much later as the clock was put forward."""
    begin = next_begin(plan, BEGAN + timedelta(days=passed))
    assert begin is not None
    local = begin.astimezone(ZoneInfo(plan.time_zone))
    wanted = datetime.combine(local.date(), plan.starts_at)
    exists = wanted.replace(tzinfo=local.tzinfo).astimezone(UTC).astimezone(local.tzinfo)
    assert local.replace(tzinfo=None) == exists.replace(tzinfo=None)


def test_clocks_put_forward_and_back_keep_one_a_day():
    plan = Recurring("FREQ=DAILY", date(2026, 1, 1), time(2, 30), 30, BERLIN)
    for first in (date(2026, 3, 27), date(2026, 10, 23)):
        begin = datetime.combine(first, time(), ZoneInfo(BERLIN))
        found = settle(plan, settled_until=begin, lead=timedelta(), at=begin + timedelta(days=4))
        assert [one.occurs_on.day for one in found] == [first.day + n for n in range(4)]


def test_month_ends_and_leap_days():
    last = Recurring("FREQ=MONTHLY;BYMONTHDAY=-1", date(2027, 1, 1), time(9), 60, JAKARTA)
    found = settle(last, settled_until=BEGAN, lead=timedelta(), at=datetime(2028, 3, 1, tzinfo=UTC))
    assert [one.occurs_on.day for one in found][1:14:12] == [28, 29]
    leap = Recurring(RULES[-1], date(2026, 1, 1), time(9), 60, JAKARTA)
    assert next_begin(leap, BEGAN) == datetime(2028, 2, 29, 2, tzinfo=UTC)


@given(plans, days)
def test_a_policy_looks_once_for_the_latest_of_its_days(plan, passed):
    at = BEGAN + timedelta(days=passed)
    day = latest(plan, settled_until=BEGAN, at=at)
    all_days = beginning_after(plan, BEGAN, at)
    assert day == (all_days[-1][0] if all_days else None)
    if day is not None:
        assert latest(plan, settled_until=day, at=at) is None


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0", "1.0-1"),
        ("1.0~rc1", "1.0"),
        ("1.0~~", "1.0~"),
        ("2026a-0+deb12u1", "2026b-0+deb12u1"),
        ("3.0.9-1", "3.0.11-1"),
        ("9.9", "1:0.1"),
        ("1.2.3-1", "1.2.3-1+b1"),
        ("1.0-1", "1.0a-1"),
    ],
)
def test_versions_are_ordered_as_debian_does(older, newer):
    assert Version(older) < Version(newer)
    assert not Version(newer) < Version(older)
    assert Version(older) == Version(older)
