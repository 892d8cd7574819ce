"""Business hours and business time: the rulings on calendars, zone by zone where offsets change."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.clock.calendar import (
    ALWAYS,
    Calendar,
    CalendarInvalid,
    Hours,
    SpecialDay,
    WeeklyHours,
)
from contracts.clock.calendar_document import calendar_document, read_calendar
from contracts.clock.faults import Faults
from contracts.clock.wall import Kind
from tests.contracts.clock.build import EVERY_DAY, at, calendar, document, hours, special

HOUR = 3_600
DAY = 24 * HOUR


def test_an_interval_is_half_open():
    office = calendar()
    assert not office.is_open(at("2026-11-20 07:59:59"))
    assert office.is_open(at("2026-11-20 08:00"))
    assert office.is_open(at("2026-11-20 11:59:59"))
    assert not office.is_open(at("2026-11-20 12:00"))


def test_several_intervals_a_day_and_none_at_the_weekend():
    office = calendar()
    assert office.elapsed(at("2026-11-20 00:00"), at("2026-11-21 00:00")) == 8 * HOUR
    assert office.elapsed(at("2026-11-21 00:00"), at("2026-11-23 00:00")) == 0


def test_always_never_closes():
    start = at("2026-01-01 00:00")
    assert ALWAYS.is_open(start)
    assert ALWAYS.elapsed(start, start + timedelta(days=400, seconds=1)) == 400 * DAY + 1
    assert ALWAYS.open_spans(start, start + timedelta(days=30)) == [(start, start + timedelta(days=30))]


def test_fractions_of_a_second_are_dropped():
    office = calendar()
    closing = at("2026-11-20 17:00")
    assert office.is_open(closing - timedelta(microseconds=1))
    assert office.elapsed(closing - timedelta(seconds=1, microseconds=1), closing) == 2


def test_an_instant_without_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        calendar().is_open(datetime(2026, 1, 1))  # noqa: DTZ001


def test_time_is_not_measured_backwards():
    office, now = calendar(), at("2026-11-20 09:00")
    with pytest.raises(ValueError, match="before"):
        office.elapsed(now, now - timedelta(seconds=1))
    with pytest.raises(ValueError, match="before"):
        office.open_spans(now, now - timedelta(seconds=1))
    with pytest.raises(ValueError, match="forwards"):
        office.add(now, -1)


# Nights


def test_a_night_belongs_to_the_day_it_starts_on():
    night = calendar(hours=hours("friday", "22:00-06:00"))
    assert night.is_open(at("2026-11-20 22:00"))
    assert night.is_open(at("2026-11-21 05:59:59"))
    assert not night.is_open(at("2026-11-21 06:00"))
    assert not night.is_open(at("2026-11-20 05:00"))


def test_an_interval_ends_at_midnight_whether_written_00_00_or_24_00():
    for end in ("00:00", "24:00"):
        evening = calendar(hours=hours("friday", f"20:00-{end}"))
        assert evening.elapsed(at("2026-11-20 00:00"), at("2026-11-22 00:00")) == 4 * HOUR
        assert not evening.is_open(at("2026-11-21 00:00"))
    whole = calendar(hours=hours("friday", "00:00-00:00"))
    assert whole.elapsed(at("2026-11-20 00:00"), at("2026-11-22 00:00")) == DAY


def test_the_night_of_sunday_reaches_into_monday():
    night = calendar(hours=hours("sunday", "22:00-06:00"))
    assert night.elapsed(at("2026-11-22 00:00"), at("2026-11-24 00:00")) == 8 * HOUR
    assert night.is_open(at("2026-11-23 05:00"))


def test_a_night_counts_into_a_holiday():
    night = calendar(hours=hours("friday", "22:00-06:00"), holidays=["2026-11-21"])
    assert night.is_open(at("2026-11-21 05:00"))
    assert night.kind_at(at("2026-11-21 06:00")) is Kind.HOLIDAY


def test_a_night_counts_into_a_special_day():
    night = calendar(
        hours=hours("friday", "22:00-06:00"), special_days=[special("2026-11-21", "10:00-11:00")]
    )
    assert night.elapsed(at("2026-11-21 00:00"), at("2026-11-22 00:00")) == 7 * HOUR


def test_a_night_never_opens_from_a_closed_date():
    for closed in ({"holidays": ["2026-11-20"]}, {"special_days": [special("2026-11-20")]}):
        night = calendar(hours=hours("friday", "22:00-06:00"), **closed)
        assert night.elapsed(at("2026-11-20 00:00"), at("2026-11-22 00:00")) == 0


def test_a_special_day_may_have_a_night_of_its_own():
    party = calendar(special_days=[special("2026-11-21", "20:00-03:00")])
    assert party.elapsed(at("2026-11-21 00:00"), at("2026-11-23 00:00")) == 7 * HOUR


def test_a_special_night_and_the_next_morning_are_counted_once():
    office = calendar(special_days=[special("2026-11-19", "22:00-09:00")])
    assert office.elapsed(at("2026-11-20 00:00"), at("2026-11-21 00:00")) == 12 * HOUR + 4 * HOUR
    spans = office.open_spans(at("2026-11-19 00:00"), at("2026-11-20 13:00"))
    assert spans == [(at("2026-11-19 22:00"), at("2026-11-20 12:00"))]


def test_special_hours_within_the_night_before_change_nothing():
    night = calendar(
        hours=hours("friday", "22:00-06:00"), special_days=[special("2026-11-21", "01:00-03:00")]
    )
    assert night.elapsed(at("2026-11-20 00:00"), at("2026-11-22 00:00")) == 8 * HOUR


# Holidays and special days


def test_outside_hours_or_holiday_is_decided_by_the_local_date():
    office = calendar(holidays=["2026-12-25"])
    assert office.kind_at(at("2026-12-24 23:59:59")) is Kind.OUTSIDE_HOURS
    assert office.kind_at(at("2026-12-25 00:00")) is Kind.HOLIDAY
    assert office.kind_at(at("2026-12-25 10:00")) is Kind.HOLIDAY
    assert office.kind_at(at("2026-12-26 00:00")) is Kind.OUTSIDE_HOURS


def test_special_hours_on_a_holiday_apply_and_the_rest_is_holiday():
    office = calendar(holidays=["2026-12-24"], special_days=[special("2026-12-24", "08:00-12:00")])
    assert office.kind_at(at("2026-12-24 09:00")) is Kind.OPEN
    assert office.kind_at(at("2026-12-24 14:00")) is Kind.HOLIDAY
    assert office.elapsed(at("2026-12-24 00:00"), at("2026-12-25 00:00")) == 4 * HOUR


def test_a_date_is_cut_into_its_parts():
    office = calendar(holidays=["2026-12-24"], special_days=[special("2026-12-24", "08:00-12:00")])
    assert office.pieces_of(date(2026, 12, 24)) == (
        (0, 8 * HOUR, Kind.HOLIDAY),
        (8 * HOUR, 12 * HOUR, Kind.OPEN),
        (12 * HOUR, 24 * HOUR, Kind.HOLIDAY),
    )


def test_a_special_day_without_hours_is_closed_but_no_holiday():
    office = calendar(special_days=[special("2026-12-24")])
    assert office.kind_at(at("2026-12-24 09:00")) is Kind.OUTSIDE_HOURS


def test_special_hours_replace_those_of_the_weekday():
    office = calendar(special_days=[special("2026-11-20", "18:00-19:00")])
    assert office.elapsed(at("2026-11-20 00:00"), at("2026-11-21 00:00")) == HOUR


def test_a_duplicate_holiday_is_ignored():
    office = calendar(holidays=["2026-11-20", "2026-11-20"])
    assert office.elapsed(at("2026-11-19 00:00"), at("2026-11-21 00:00")) == 8 * HOUR


# Changes of offset


def test_a_repeated_hour_counts_twice():
    berlin = calendar("Europe/Berlin", hours=hours("sunday", "02:00-03:00"))
    assert berlin.elapsed(
        at("2026-10-25 00:00", "Europe/Berlin"), at("2026-10-26 00:00", "Europe/Berlin")
    ) == (2 * HOUR)
    assert berlin.is_open(at("2026-10-25 02:30", "Europe/Berlin"))
    assert berlin.is_open(at("2026-10-25 02:30", "Europe/Berlin", fold=1))


def test_a_skipped_hour_never_happens():
    berlin = calendar("Europe/Berlin", hours=hours("sunday", "02:00-03:00"))
    start = at("2026-03-29 00:00", "Europe/Berlin")
    assert berlin.elapsed(start, start + timedelta(hours=23)) == 0


def test_adding_stops_within_the_first_of_two_repeated_hours():
    berlin = calendar("Europe/Berlin", hours=hours("sunday", "02:00-03:00"))
    start = at("2026-10-25 00:00", "Europe/Berlin")
    assert berlin.add(start, HOUR // 2) == at("2026-10-25 02:30", "Europe/Berlin")
    assert berlin.add(start, HOUR) == at("2026-10-25 02:00", "Europe/Berlin", fold=1)
    assert berlin.add(start, HOUR + 1) == at("2026-10-25 02:00:01", "Europe/Berlin", fold=1)


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"])
def test_indonesian_days_are_all_of_one_length(zone: str):
    office = calendar(zone)
    start = at("2026-01-05 00:00", zone)
    assert office.elapsed(start, start + timedelta(days=364)) == 52 * 5 * 8 * HOUR


def test_kathmandu_opens_on_the_quarter_hour_of_utc():
    office = calendar("Asia/Kathmandu")
    assert office.add(at("2026-11-20 00:00", "Asia/Kathmandu"), 1) == datetime(
        2026, 11, 20, 2, 15, 1, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("on", "seconds"), [("2026-04-05", 25 * HOUR - 1800), ("2026-10-04", 24 * HOUR - 1800)]
)
def test_lord_howe_moves_by_half_an_hour(on: str, seconds: int):
    whole = calendar("Australia/Lord_Howe", hours=hours(EVERY_DAY, "00:00-24:00"))
    half = calendar("Australia/Lord_Howe", hours=hours(EVERY_DAY, "01:30-02:30"))
    start = at(f"{on} 00:00", "Australia/Lord_Howe")
    end = at(f"{date.fromisoformat(on) + timedelta(days=1)} 00:00", "Australia/Lord_Howe")
    assert whole.elapsed(start, end) == seconds
    assert half.elapsed(start, end) == HOUR + seconds - DAY


def test_apia_has_no_30_december_2011():
    office = calendar("Pacific/Apia", hours=hours(EVERY_DAY, "08:00-17:00"))
    start, end = at("2011-12-29 00:00", "Pacific/Apia"), at("2012-01-01 00:00", "Pacific/Apia")
    assert end - start == timedelta(days=2)
    assert office.elapsed(start, end) == 2 * 9 * HOUR


def test_the_date_before_is_the_calendars_even_if_it_never_happened():
    night = calendar("Pacific/Apia", hours=hours("friday", "22:00-06:00"))
    start, end = at("2011-12-29 12:00", "Pacific/Apia"), at("2012-01-01 00:00", "Pacific/Apia")
    assert night.open_spans(start, end) == [
        (at("2011-12-31 00:00", "Pacific/Apia"), at("2011-12-31 06:00", "Pacific/Apia"))
    ]


def test_apia_a_holiday_that_never_happened_is_not_shown():
    closed = calendar("Pacific/Apia", hours=[], holidays=["2011-12-30"])
    start, end = at("2011-12-29 12:00", "Pacific/Apia"), at("2012-01-01 00:00", "Pacific/Apia")
    instants = [start + timedelta(hours=hour) for hour in range(int((end - start) / timedelta(hours=1)))]
    assert {closed.kind_at(instant) for instant in instants} == {Kind.OUTSIDE_HOURS}


def test_sao_paulo_skips_midnight():
    late = calendar("America/Sao_Paulo", hours=hours("saturday", "23:00-01:00"))
    start = at("2018-11-03 12:00", "America/Sao_Paulo")
    assert late.elapsed(start, start + timedelta(days=1)) == HOUR
    assert late.add(start, HOUR) == at("2018-11-04 01:00", "America/Sao_Paulo")


def test_sao_paulo_repeats_the_hour_before_midnight():
    late = calendar("America/Sao_Paulo", hours=hours("saturday", "23:00-00:00"))
    start = at("2018-02-17 12:00", "America/Sao_Paulo")
    assert late.elapsed(start, start + timedelta(days=1)) == 2 * HOUR


def test_cairo_skips_the_first_hour_of_a_friday():
    night = calendar("Africa/Cairo", hours=hours("friday", "00:00-02:00"))
    start = at("2026-04-23 12:00", "Africa/Cairo")
    assert night.elapsed(start, start + timedelta(days=1)) == HOUR


def test_casablanca_changes_around_ramadan():
    night = calendar("Africa/Casablanca", hours=hours("sunday", "02:00-03:00"))
    back, forth = at("2026-02-14 12:00", "Africa/Casablanca"), at("2026-03-21 12:00", "Africa/Casablanca")
    assert night.elapsed(back, back + timedelta(days=1)) == 2 * HOUR
    assert night.elapsed(forth, forth + timedelta(days=1)) == 0


# Adding


def test_adding_is_the_earliest_instant():
    office = calendar()
    friday = at("2026-11-20 13:00")
    assert office.add(friday, 4 * HOUR) == at("2026-11-20 17:00")
    assert office.add(friday, 4 * HOUR + 1) == at("2026-11-23 08:00:01")


def test_adding_nothing_stays_where_it_is_even_outside_hours():
    assert calendar().add(at("2026-11-21 03:00"), 0) == at("2026-11-21 03:00")


def test_adding_across_holidays_and_special_days():
    office = calendar(holidays=["2026-12-25"], special_days=[special("2026-12-24", "08:00-09:00")])
    assert office.add(at("2026-12-23 17:00"), HOUR) == at("2026-12-24 09:00")
    assert office.add(at("2026-12-23 17:00"), 2 * HOUR) == at("2026-12-28 09:00")


def test_a_calendar_that_never_opens_gives_no_due_time():
    never = calendar(hours=[])
    assert never.add(at("2026-11-20 08:00"), 1) is None
    assert never.elapsed(at("2026-11-20 08:00"), at("2036-11-20 08:00")) == 0


def test_only_a_special_day_ever_opens():
    once = calendar(hours=[], special_days=[special("2030-05-05", "08:00-09:00")])
    assert once.add(at("2026-11-20 08:00"), HOUR) == at("2030-05-05 09:00")
    assert once.add(at("2026-11-20 08:00"), HOUR + 1) is None


def test_adding_reaches_3653_days_and_not_a_second_more():
    start = at("2026-11-20 08:00")
    limit = start + timedelta(days=3_653)
    assert ALWAYS.add(start, 3_653 * DAY) == limit
    assert ALWAYS.add(start, 3_653 * DAY + 1) is None


# Faults, and calendars as documents


def test_a_calendar_names_its_faulty_fields():
    night, morning = WeeklyHours(6, Hours(1320, 360)), WeeklyHours(0, Hours(300, 400))
    day = SpecialDay(date(2026, 1, 1), (Hours(60, 120), Hours(90, 150)))
    with pytest.raises(CalendarInvalid) as refused:
        Calendar("Mars/Olympus", (night, morning), special_days=(day, day))
    assert [field for field, _ in refused.value.errors] == [
        "calendar.time_zone",
        "calendar.hours.1.from",
        "calendar.special_days.0.hours.1.from",
        "calendar.special_days.1.hours.1.from",
        "calendar.special_days.1.on",
    ]
    assert "calendar.hours.1.from: This interval overlaps another one." in str(refused.value)


@pytest.mark.parametrize(("opens", "closes"), [(-1, 10), (1440, 10), (10, 0), (10, 1441), (10, 10)])
def test_hours_that_no_day_has_are_refused(opens: int, closes: int):
    with pytest.raises(ValueError, match="not an interval"):
        Hours(opens, closes)


def test_a_calendar_survives_its_document():
    written = document(
        hours=hours(EVERY_DAY, "22:00-06:00", "09:05-17:30"),
        holidays=["2026-12-25"],
        special_days=[special("2026-12-24", "08:00-24:00"), special("2026-12-31")],
    )
    read = read_calendar(written, "calendar", Faults())
    assert read is not None
    assert calendar_document(read) == written
    assert calendar_document(ALWAYS) == "always"
    assert read_calendar("always", "calendar", Faults()) is ALWAYS


def test_wall_time_that_is_never_reached_is_an_error():
    wall = calendar(hours=[])._wall
    with pytest.raises(ValueError, match="no such wall time"):
        wall.reach(1, 0, DAY)
