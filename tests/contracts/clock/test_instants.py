"""Instants: what counts as RFC 3339, and whole seconds."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.clock.instants import (
    InstantOutOfRange,
    floored,
    format_instant,
    instant_of,
    parse_instant,
    seconds_of,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T16:30:00+07:00", "2026-11-20T09:30:00Z"),
        ("2026-11-20T09:30:00Z", "2026-11-20T09:30:00Z"),
        ("2026-11-20t09:30:00z", "2026-11-20T09:30:00Z"),
        ("2026-11-20T09:30:00.999999999Z", "2026-11-20T09:30:00Z"),
        ("2026-11-20T09:30:00-00:00", "2026-11-20T09:30:00Z"),
        ("2026-11-19T23:45:00-09:45", "2026-11-20T09:30:00Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("1969-12-31T20:00:00-04:00", "1970-01-01T00:00:00Z"),
        ("2100-12-31T23:59:59Z", "2100-12-31T23:59:59Z"),
    ],
)
def test_an_instant_is_read_in_whole_seconds(text: str, expected: str):
    assert format_instant(parse_instant(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-20",
        "2026-11-20T09:30:00",
        "2026-11-20T09:30Z",
        "2026-11-20 09:30:00Z",
        "2026-11-20T09:30:00+0700",
        "2026-11-20T09:30:00+24:00",
        "2026-11-20T09:30:00+07:60",
        "2026-11-20T09:30:00.Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T09:30:60Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "٢٠٢٦-11-20T09:30:00Z",
        "2026-11-20T09:30:00Z\n",
        "0000-02-30T00:00:00Z",
    ],
)
def test_anything_else_is_refused(text: str):
    with pytest.raises(ValueError) as refused:
        parse_instant(text)
    assert not isinstance(refused.value, InstantOutOfRange)


@pytest.mark.parametrize(
    "text",
    [
        "1969-12-31T23:59:59Z",
        "1970-01-01T06:59:59+07:00",
        "2101-01-01T00:00:00Z",
        "2100-12-31T23:59:59-00:01",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_years_outside_1970_to_2100_are_refused_as_such(text: str):
    with pytest.raises(InstantOutOfRange):
        parse_instant(text)


def test_seconds_and_instants_are_each_others_inverse():
    jakarta = datetime(2026, 11, 20, 16, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=7)))
    assert instant_of(seconds_of(jakarta)) == floored(jakarta) == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert seconds_of(instant_of(-1)) == -1


def test_an_instant_without_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        seconds_of(datetime(2026, 1, 1))  # noqa: DTZ001
