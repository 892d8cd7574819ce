"""Windows: recurrence, zones, freezes and reserves."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp.windows import rules
from msp.windows.rules import Recurring, UnfitRule
from tenants.foundation.spans import Span, merged, without

JAKARTA = "Asia/Jakarta"


def window(rule="FREQ=WEEKLY;BYDAY=SA", on=date(2026, 1, 3), at=time(22), minutes=360, zone=JAKARTA):
    return Recurring(rule, on, at, minutes, zone)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def spans(one: Recurring, begin: datetime, days: float) -> list[Span]:
    return list(rules.occurrences(one, begin, begin + timedelta(days=days)))


def test_a_night_crosses_midnight_and_month_end():
    found = spans(window(), utc(2026, 10, 30), 3)
    assert found == [(utc(2026, 10, 31, 15), utc(2026, 10, 31, 21))]


def test_the_second_tuesday_is_counted_within_its_month():
    found = spans(window("FREQ=MONTHLY;BYDAY=2TU", on=date(2026, 1, 1)), utc(2026, 11, 1), 61)
    assert [one.astimezone(ZoneInfo(JAKARTA)).date() for one, _ in found] == [
        date(2026, 11, 10),
        date(2026, 12, 8),
    ]


@pytest.mark.parametrize(("year", "days"), [(2026, 7), (2027, 7)])
def test_the_thirty_first_comes_only_where_there_is_one(year, days):
    one = window("FREQ=MONTHLY;BYMONTHDAY=31", on=date(2025, 1, 31))
    assert len(spans(one, utc(year, 1, 1), 365)) == days


def test_the_twenty_ninth_of_february_comes_in_leap_years_only():
    one = window("FREQ=MONTHLY;BYMONTHDAY=29;BYMONTH=2", on=date(2024, 1, 1))
    assert [begin.year for begin, _ in spans(one, utc(2025, 1, 1), 3650)] == [2028, 2032]


def test_clocks_put_forward_keep_the_length_and_begin_later():
    """02:30 does not exist in Berlin on 29 March 2026."""
    one = window("FREQ=WEEKLY;BYDAY=SU", at=time(2, 30), minutes=120, zone="Europe/Berlin")
    assert spans(one, utc(2026, 3, 29), 1) == [(utc(2026, 3, 29, 1, 30), utc(2026, 3, 29, 3, 30))]
    assert spans(one, utc(2026, 3, 22), 1) == [(utc(2026, 3, 22, 1, 30), utc(2026, 3, 22, 3, 30))]
    assert spans(one, utc(2026, 4, 5), 1) == [(utc(2026, 4, 5, 0, 30), utc(2026, 4, 5, 2, 30))]


def test_clocks_put_back_begin_once_at_the_first():
    one = window("FREQ=WEEKLY;BYDAY=SU", at=time(2, 30), minutes=60, zone="Europe/Berlin")
    assert spans(one, utc(2026, 10, 25), 1) == [(utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30))]


def test_an_end_of_the_rule_ends_the_window():
    one = window("FREQ=DAILY;UNTIL=20260105T000000", on=date(2026, 1, 3), at=time(1), minutes=30)
    assert len(spans(one, utc(2026, 1, 1), 30)) == 2


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2", "never"),
        ("FREQ=DAILY;UNTIL=20200101T000000", "never"),
        ("FREQ=SECONDLY", "frequency"),
        ("FREQ=YEARLY", "frequency"),
        ("FREQ=DAILY;COUNT=3", "unreadable"),
        ("FREQ=WEEKLY;BYDAY=XX", "unreadable"),
        ("FREQ=WEEKLY;INTERVAL=0", "unreadable"),
        ("FREQ=WEEKLY;INTERVAL=99999", "unreadable"),
        ("FREQ=WEEKLY;FREQ=DAILY", "unreadable"),
        ("FREQ=MONTHLY;BYMONTHDAY=99", "never"),
        ("DTSTART:20260101T000000\nRRULE:FREQ=DAILY", "unreadable"),
        ("", "unreadable"),
        ("FREQ=DAILY;UNTIL=soon", "unreadable"),
    ],
)
def test_unfit_rules_are_refused(rule, why):
    with pytest.raises(UnfitRule) as refused:
        rules.check_rule(window(rule), since=utc(2026, 1, 1))
    assert str(refused.value) in (why, "unreadable")


def test_freezes_beat_windows():
    freeze = rules.frozen_days(date(2026, 10, 31), date(2026, 10, 31), JAKARTA)
    left = rules.room([window()], [freeze], utc(2026, 10, 31), utc(2026, 11, 2))
    assert left == [(utc(2026, 10, 31, 17), utc(2026, 10, 31, 21))]


def test_without_a_window_only_freezes_limit():
    freeze = (utc(2026, 1, 2), utc(2026, 1, 3))
    assert rules.room([], [freeze], utc(2026, 1, 1), utc(2026, 1, 4)) == [
        (utc(2026, 1, 1), utc(2026, 1, 2)),
        (utc(2026, 1, 3), utc(2026, 1, 4)),
    ]


def test_nothing_begins_that_could_not_end():
    night = [(utc(2026, 10, 31, 15), utc(2026, 10, 31, 21))]
    reserve = timedelta(hours=1)
    assert rules.room_at(night, utc(2026, 10, 31, 20), reserve) == night[0]
    assert rules.room_at(night, utc(2026, 10, 31, 20, 0, 1), reserve) is None
    assert rules.room_at(night, utc(2026, 10, 31, 14, 59), reserve) is None


def test_a_deadline_lies_in_the_room_or_at_its_end():
    nights = [(utc(2026, 1, 1, 20), utc(2026, 1, 2, 4)), (utc(2026, 1, 8, 20), utc(2026, 1, 9, 4))]
    assert rules.end_of_room(nights, utc(2026, 1, 2, 1)) == utc(2026, 1, 2, 1)
    assert rules.end_of_room(nights, utc(2026, 1, 3)) == utc(2026, 1, 9, 4)
    assert rules.end_of_room(nights, utc(2026, 2, 1)) == utc(2026, 1, 9, 4)
    assert rules.end_of_room([], utc(2026, 2, 1)) is None


_minutes = st.integers(0, 5_000)
_spans = st.lists(st.tuples(_minutes, _minutes), max_size=8)


@given(_spans, _spans, _minutes)
def test_a_moment_is_left_exactly_where_it_was_and_is_not_taken(first, second, probe):
    base = utc(2026, 1, 1)

    def real(pairs):
        return [(base + timedelta(minutes=a), base + timedelta(minutes=b)) for a, b in pairs]

    def covers(pairs, minute):
        return any(a <= minute < b for a, b in pairs)

    left = without(merged(real(first)), merged(real(second)))
    at = base + timedelta(minutes=probe)
    assert any(a <= at < b for a, b in left) == (covers(first, probe) and not covers(second, probe))
    assert all(a < b for a, b in left) and left == sorted(left)
