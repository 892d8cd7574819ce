"""What the calculator refuses, and how it names the field."""

from typing import Any

import pytest

from contracts.clock.calculation import CalculationInvalid, parse
from contracts.clock.faults import MESSAGES
from tests.contracts.clock.build import document, hours, payload, special

AT = "2026-11-23T09:00:00+07:00"


def refusals(**members: Any) -> list[tuple[str, str]]:
    """Pairs of field and code."""
    with pytest.raises(CalculationInvalid) as refused:
        parse(payload(**members))
    assert [(field, message) for field, message in refused.value.errors] == [
        (fault.field, fault.message) for fault in refused.value.faults
    ]
    return [(fault.field, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize("name", ["calendar", "target_minutes", "started_at", "as_of"])
def test_required_members(name: str):
    document = payload()
    del document[name]
    with pytest.raises(CalculationInvalid) as refused:
        parse(document)
    assert refused.value.errors == [(name, MESSAGES["required"])]


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_anything_but_an_object_is_refused(value: object):
    with pytest.raises(CalculationInvalid) as refused:
        parse(value)
    assert refused.value.errors == [("", MESSAGES["not_an_object"])]


def test_unknown_members_are_refused_at_every_depth():
    calendar = document(
        hours=[{"weekday": "monday", "from": "08:00", "to": "09:00", "note": 1}],
        special_days=[
            {"on": "2026-12-24", "hours": [{"from": "08:00", "to": "09:00", "x": 1}], "name": "Eve"}
        ],
        colour="red",
    )
    found = refusals(calendar=calendar, at=1, pauses=[{"from": AT, "to": None, "reason": "x"}])
    assert found == [
        ("at", "unknown_member"),
        ("calendar.colour", "unknown_member"),
        ("calendar.hours.0.note", "unknown_member"),
        ("calendar.special_days.0.name", "unknown_member"),
        ("calendar.special_days.0.hours.0.x", "unknown_member"),
        ("pauses.0.reason", "unknown_member"),
    ]


@pytest.mark.parametrize("value", [0, -1, 5_256_001, 1.0, "240", True, None, [240]])
def test_target_minutes_is_a_whole_number_of_up_to_ten_years(value: object):
    assert refusals(target_minutes=value) == [("target_minutes", "not_a_whole_number")]


@pytest.mark.parametrize("value", [1, 5_256_000])
def test_target_minutes_at_its_bounds(value: int):
    assert parse(payload(target_minutes=value)).clock.target_seconds == value * 60


@pytest.mark.parametrize("value", [0, 101, True, 50.0, "50", None])
def test_percentages_are_whole_numbers_from_1_to_100(value: object):
    assert refusals(warn_at_percent=[25, value]) == [("warn_at_percent.1", "not_a_whole_number")]


@pytest.mark.parametrize("value", [[50, 50], [50, 25]])
def test_percentages_ascend(value: list[int]):
    assert refusals(warn_at_percent=value) == [("warn_at_percent.1", "not_ascending")]


@pytest.mark.parametrize("name", ["warn_at_percent", "pauses"])
@pytest.mark.parametrize("value", [None, {}, "x", 5])
def test_lists_are_lists(name: str, value: object):
    assert refusals(**{name: value}) == [(name, "not_a_list")]


@pytest.mark.parametrize("name", ["hours", "holidays", "special_days"])
def test_lists_of_a_calendar_are_lists(name: str):
    assert refusals(calendar=document(**{name: None})) == [(f"calendar.{name}", "not_a_list")]


def test_lists_and_the_stop_may_be_left_out():
    clock = parse(payload(calendar={"time_zone": "UTC"})).clock
    assert (clock.pauses, clock.warn_at_percent, clock.stopped_at) == ((), (), None)
    assert (clock.calendar.hours, clock.calendar.holidays, clock.calendar.special_days) == ((), (), ())


@pytest.mark.parametrize("name", ["started_at", "as_of", "stopped_at"])
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2026-11-23T09:00:00", "not_an_instant"),
        ("yesterday", "not_an_instant"),
        (1_700_000_000, "not_an_instant"),
        ("1969-12-31T23:59:59Z", "instant_out_of_range"),
        ("2101-01-01T00:00:00Z", "instant_out_of_range"),
    ],
)
def test_instants_are_rfc_3339_with_an_offset_from_1970_to_2100(name: str, value: object, code: str):
    assert refusals(**{name: value}) == [(name, code)]


@pytest.mark.parametrize("name", ["started_at", "as_of"])
def test_the_start_and_as_of_are_not_null(name: str):
    assert refusals(**{name: None}) == [(name, "not_an_instant")]


@pytest.mark.parametrize("name", ["as_of", "stopped_at"])
def test_nothing_happens_before_the_start(name: str):
    assert refusals(**{name: "2026-11-20T16:29:59+07:00"}) == [(name, "before_start")]


@pytest.mark.parametrize("value", ["sometimes", None, [], 1])
def test_a_calendar_is_an_object_or_always(value: object):
    assert refusals(calendar=value) == [("calendar", "not_a_calendar")]


@pytest.mark.parametrize("value", ["Mars/Olympus", "", "asia/jakarta", None, 7, ["UTC"], "../UTC"])
def test_the_zone_is_a_known_one(value: object):
    assert refusals(calendar={"time_zone": value}) == [("calendar.time_zone", "not_a_zone")]


def test_the_zone_is_required():
    assert refusals(calendar={}) == [("calendar.time_zone", "required")]


@pytest.mark.parametrize("value", ["8:00", "08:00:00", "25:00", "08:60", "24:01", "", None, 800, "٠٨:00"])
def test_hours_are_hh_mm(value: object):
    entries = [*hours("monday", "08:00-09:00"), {"weekday": "friday", "from": value, "to": value}]
    assert refusals(calendar=document(hours=entries)) == [
        ("calendar.hours.1.from", "not_a_time"),
        ("calendar.hours.1.to", "not_a_time"),
    ]


def test_24_00_only_ends_an_interval():
    assert refusals(calendar=document(hours=hours("monday", "24:00-08:00"))) == [
        ("calendar.hours.0.from", "midnight_as_from")
    ]


def test_an_interval_without_length_is_refused():
    found = refusals(
        calendar=document(
            hours=hours("monday", "08:00-08:00"), special_days=[special("2026-01-01", "09:00-09:00")]
        )
    )
    assert found == [
        ("calendar.hours.0.to", "empty_hours"),
        ("calendar.special_days.0.hours.0.to", "empty_hours"),
    ]


@pytest.mark.parametrize("value", ["Monday", "mon", 0, None, True])
def test_weekdays_are_english_names(value: object):
    entries = [{"weekday": value, "from": "08:00", "to": "09:00"}]
    assert refusals(calendar=document(hours=entries)) == [("calendar.hours.0.weekday", "not_a_weekday")]


@pytest.mark.parametrize("value", [None, 1, "monday", []])
def test_entries_are_objects(value: object):
    calendar = document(hours=[value], special_days=[value, {"on": "2026-01-01", "hours": [value]}])
    assert refusals(calendar=calendar, pauses=[value]) == [
        ("calendar.hours.0", "not_an_object"),
        ("calendar.special_days.0", "not_an_object"),
        ("calendar.special_days.1.hours.0", "not_an_object"),
        ("pauses.0", "not_an_object"),
    ]


def test_entries_name_what_they_lack():
    calendar = document(hours=[{}], special_days=[{}, {"on": "2026-01-01", "hours": [{}]}])
    assert refusals(calendar=calendar, pauses=[{}]) == [
        ("calendar.hours.0.weekday", "required"),
        ("calendar.hours.0.from", "required"),
        ("calendar.hours.0.to", "required"),
        ("calendar.special_days.0.on", "required"),
        ("calendar.special_days.1.hours.0.from", "required"),
        ("calendar.special_days.1.hours.0.to", "required"),
        ("pauses.0.from", "required"),
    ]


@pytest.mark.parametrize("value", ["2026-02-29", "20261225", "2026-W01-1", "25.12.2026", "", None, 20261225])
def test_dates_are_iso_dates(value: object):
    calendar = document(holidays=["2026-12-25", value], special_days=[{"on": value}])
    assert refusals(calendar=calendar) == [
        ("calendar.holidays.1", "not_a_date"),
        ("calendar.special_days.0.on", "not_a_date"),
    ]


# Clashes name the later of the two


@pytest.mark.parametrize(
    "entries",
    [
        hours("monday", "08:00-12:00", "11:59-13:00"),
        hours("monday", "11:59-13:00", "08:00-12:00"),
        hours("monday", "08:00-12:00", "08:00-12:00"),
        [*hours("monday", "22:00-06:00"), *hours("tuesday", "05:59-08:00")],
        [*hours("tuesday", "05:59-08:00"), *hours("monday", "22:00-06:00")],
        [*hours("sunday", "22:00-06:00"), *hours("monday", "05:59-08:00")],
        [*hours("monday", "05:59-08:00"), *hours("sunday", "22:00-06:00")],
        [*hours("monday", "22:00-06:00"), *hours("monday", "23:00-24:00")],
    ],
)
def test_weekly_hours_do_not_overlap(entries: list[dict[str, str]]):
    assert refusals(calendar=document(hours=entries)) == [("calendar.hours.1.from", "overlapping_hours")]


@pytest.mark.parametrize(
    "entries",
    [
        hours("monday", "08:00-12:00", "12:00-13:00"),
        [*hours("sunday", "22:00-06:00"), *hours("monday", "06:00-08:00")],
        [*hours("sunday", "22:00-24:00"), *hours("monday", "00:00-08:00")],
    ],
)
def test_touching_is_allowed(entries: list[dict[str, str]]):
    assert len(parse(payload(calendar=document(hours=entries))).clock.calendar.hours) == 2


def test_every_clash_of_hours_is_named():
    entries = hours("monday", "08:00-12:00", "09:00-10:00", "13:00-14:00", "13:30-15:00")
    assert refusals(calendar=document(hours=entries)) == [
        ("calendar.hours.1.from", "overlapping_hours"),
        ("calendar.hours.3.from", "overlapping_hours"),
    ]


def test_a_faulty_entry_keeps_its_place_in_the_count():
    entries = [{"weekday": "monday"}, *hours("monday", "08:00-12:00", "09:00-10:00")]
    assert ("calendar.hours.2.from", "overlapping_hours") in refusals(calendar=document(hours=entries))


def test_hours_of_a_special_day_do_not_overlap():
    calendar = document(special_days=[special("2026-01-01", "22:00-06:00", "05:00-07:00", "23:00-24:00")])
    assert refusals(calendar=calendar) == [("calendar.special_days.0.hours.2.from", "overlapping_hours")]


def test_a_special_day_is_given_once():
    calendar = document(special_days=[special("2026-01-01"), special("2026-01-02"), special("2026-01-01")])
    assert refusals(calendar=calendar) == [("calendar.special_days.2.on", "duplicate_special_day")]


def test_a_pause_ends_after_it_begins():
    for to in ("2026-11-23T09:00:00.7+07:00", "2026-11-23T01:59:59Z"):
        assert refusals(pauses=[{"from": AT, "to": to}]) == [("pauses.0.to", "empty_pause")]


def test_the_instants_of_a_pause_are_instants():
    assert refusals(pauses=[{"from": "x", "to": 1}, {"from": None, "to": AT}]) == [
        ("pauses.0.from", "not_an_instant"),
        ("pauses.0.to", "not_an_instant"),
        ("pauses.1.from", "not_an_instant"),
    ]


def test_a_pause_without_an_end_is_open():
    assert parse(payload(pauses=[{"from": AT}])).clock.pauses[0].to_at is None


@pytest.mark.parametrize("swapped", [False, True])
def test_pauses_do_not_overlap(swapped: bool):
    pauses = [
        {"from": "2026-11-23T09:00:00Z", "to": "2026-11-23T10:00:00Z"},
        {"from": "2026-11-23T09:59:59Z", "to": "2026-11-23T11:00:00Z"},
    ]
    pauses = pauses[::-1] if swapped else pauses
    assert refusals(pauses=pauses) == [("pauses.1.from", "overlapping_pauses")]


def test_a_pause_within_another_that_began_long_before():
    pauses = [
        {"from": "2026-11-23T12:00:00Z", "to": "2026-11-23T13:00:00Z"},
        {"from": "2026-11-23T09:00:00Z", "to": "2026-11-23T14:00:00Z"},
        {"from": "2026-11-23T10:00:00Z", "to": "2026-11-23T11:00:00Z"},
    ]
    assert refusals(pauses=pauses) == [
        ("pauses.1.from", "overlapping_pauses"),
        ("pauses.2.from", "overlapping_pauses"),
    ]


def test_nothing_is_paused_after_an_open_pause():
    pauses = [{"from": AT, "to": None}, {"from": "2027-01-01T00:00:00Z", "to": "2027-01-02T00:00:00Z"}]
    assert refusals(pauses=pauses) == [("pauses.1.from", "overlapping_pauses")]


def test_only_one_pause_is_open():
    pauses = [{"from": AT, "to": None}, {"from": "2027-01-01T00:00:00Z", "to": None}]
    assert refusals(pauses=pauses) == [("pauses.1.to", "two_open_pauses")]


def test_pauses_that_overlap_before_the_start_are_refused_too():
    pauses = [
        {"from": "2026-01-01T00:00:00Z", "to": "2026-01-03T00:00:00Z"},
        {"from": "2026-01-02T00:00:00Z", "to": "2026-01-04T00:00:00Z"},
    ]
    assert refusals(pauses=pauses) == [("pauses.1.from", "overlapping_pauses")]


def test_every_fault_has_a_sentence():
    assert all(message.endswith(".") for message in MESSAGES.values())
    with pytest.raises(CalculationInvalid) as refused:
        parse(payload(target_minutes=0))
    assert str(refused.value) == "target_minutes: This must be a whole number from 1 to 5256000."
