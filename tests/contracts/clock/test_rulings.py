"""The calculator's rulings, one test each, in the order of the specification."""

from itertools import pairwise
from random import Random

import pytest

from contracts.clock.calculation import CalculationInvalid, answer, parse
from tests.contracts.clock.build import EVERY_DAY, calculated, document, hours, special
from tests.contracts.clock.cases import random_case

JAKARTA = "+07:00"


def test_the_example_of_the_specification():
    assert calculated(warn_at_percent=[50, 75, 90], pauses=[], stopped_at=None) == {
        "state": "running",
        "elapsed_seconds": 5400,
        "remaining_seconds": 9000,
        "paused_business_seconds": 0,
        "due_at": "2026-11-23T04:30:00Z",
        "missed_at": None,
        "warnings": [],
        "intervals": [
            {"from": "2026-11-20T09:30:00Z", "to": "2026-11-20T10:00:00Z", "kind": "counted"},
            {"from": "2026-11-20T10:00:00Z", "to": "2026-11-23T01:00:00Z", "kind": "outside_hours"},
            {"from": "2026-11-23T01:00:00Z", "to": "2026-11-23T02:00:00Z", "kind": "counted"},
        ],
    }


# One formula


def test_due_when_the_target_is_counted_outside_the_pauses():
    found = calculated(pauses=[_pause("2026-11-23T08:00", "2026-11-23T08:45")])
    assert found["due_at"] == "2026-11-23T06:15:00Z"
    assert (found["elapsed_seconds"], found["paused_business_seconds"]) == (2700, 2700)


def test_due_knows_pauses_after_as_of():
    found = calculated(pauses=[_pause("2026-11-23T10:00", "2026-11-23T11:00")])
    assert found["due_at"] == "2026-11-23T06:30:00Z"
    assert found["paused_business_seconds"] == 0


def test_an_open_pause_lasts_for_ever():
    found = calculated(pauses=[_pause("2026-11-23T08:30", None)])
    assert (found["state"], found["due_at"], found["elapsed_seconds"]) == ("paused", None, 3600)


def test_an_open_pause_after_exhaustion_does_not_undo_it():
    found = calculated(as_of=_at("2026-11-24T10:00"), pauses=[_pause("2026-11-23T11:30", None)])
    assert (found["state"], found["missed_at"]) == ("missed", "2026-11-23T04:30:00Z")


def test_due_at_the_limit_of_3653_days_and_not_beyond():
    start, limit = "2026-01-01T00:00:00Z", 3_653 * 1_440
    at_limit = calculated(calendar="always", target_minutes=5_256_000, started_at=start, as_of=start)
    assert at_limit["due_at"] == "2035-12-30T00:00:00Z"
    pause = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-04T00:00:00Z"}
    assert limit - 5_256_000 == 3 * 1_440
    held = calculated(
        calendar="always", target_minutes=5_256_000, started_at=start, as_of=start, pauses=[pause]
    )
    assert held["due_at"] == "2036-01-02T00:00:00Z"
    pause["to"] = "2026-01-04T00:00:01Z"
    over = calculated(
        calendar="always", target_minutes=5_256_000, started_at=start, as_of=start, pauses=[pause]
    )
    assert over["due_at"] is None


def test_a_calendar_that_never_opens_is_never_due():
    found = calculated(calendar=document(hours=[]), as_of=_at("2036-11-20T00:00"))
    assert (found["state"], found["due_at"], found["elapsed_seconds"]) == ("outside_hours", None, 0)


# Stop


def test_a_stop_after_as_of_has_not_happened():
    later = calculated(stopped_at=_at("2026-11-23T09:00:01"))
    assert later == calculated()
    assert calculated(stopped_at=_at("2026-11-23T09:00"))["state"] == "met"


def test_a_stop_ends_an_open_pause():
    found = calculated(
        pauses=[_pause("2026-11-23T08:30", None)],
        stopped_at=_at("2026-11-23T08:45"),
        as_of=_at("2026-11-23T12:00"),
    )
    assert (found["state"], found["elapsed_seconds"], found["paused_business_seconds"]) == ("met", 3600, 900)
    assert found["due_at"] == "2026-11-23T04:45:00Z"


def test_pause_time_after_a_stop_does_not_exist():
    pauses = [_pause("2026-11-23T08:30", "2026-11-23T11:00"), _pause("2026-11-23T11:30", "2026-11-23T14:00")]
    found = calculated(pauses=pauses, stopped_at=_at("2026-11-23T08:45"), as_of=_at("2026-11-23T16:00"))
    assert found["due_at"] == "2026-11-23T04:45:00Z"


def test_a_pause_beginning_at_the_stop_does_not_exist():
    found = calculated(pauses=[_pause("2026-11-23T08:45", None)], stopped_at=_at("2026-11-23T08:45"))
    assert (found["due_at"], found["paused_business_seconds"]) == ("2026-11-23T04:30:00Z", 0)


# Met or missed


def test_used_up_at_closing_and_stopped_on_saturday_is_missed():
    found = calculated(target_minutes=30, stopped_at=_at("2026-11-21T10:00"), as_of=_at("2026-11-23T09:00"))
    assert (found["state"], found["elapsed_seconds"], found["remaining_seconds"]) == ("missed", 1800, 0)
    assert (found["due_at"], found["missed_at"]) == ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z")


def test_stopped_exactly_when_due_is_met():
    found = calculated(stopped_at=_at("2026-11-23T11:30"), as_of=_at("2026-11-25T09:00"))
    assert (found["state"], found["remaining_seconds"], found["missed_at"]) == ("met", 0, None)


def test_stopped_a_second_after_due_is_missed():
    found = calculated(stopped_at=_at("2026-11-23T11:30:01"), as_of=_at("2026-11-25T09:00"))
    assert (found["state"], found["remaining_seconds"]) == ("missed", -1)


def test_not_stopped_and_exactly_due_is_not_missed():
    found = calculated(as_of=_at("2026-11-23T11:30"))
    assert (found["state"], found["remaining_seconds"], found["missed_at"]) == ("running", 0, None)


# State


def test_at_closing_time_it_is_outside_hours():
    assert calculated(as_of=_at("2026-11-20T16:59:59"))["state"] == "running"
    assert calculated(as_of=_at("2026-11-20T17:00"))["state"] == "outside_hours"


def test_a_holiday_is_outside_hours_as_a_state():
    calendar = document(holidays=["2026-11-23"])
    assert calculated(calendar=calendar)["state"] == "outside_hours"


def test_at_the_end_of_a_pause_it_is_no_longer_paused():
    pauses = [_pause("2026-11-23T08:30", "2026-11-23T09:00")]
    assert calculated(pauses=pauses, as_of=_at("2026-11-23T08:59:59"))["state"] == "paused"
    assert calculated(pauses=pauses, as_of=_at("2026-11-23T09:00"))["state"] == "running"


def test_paused_comes_before_outside_hours_and_missed_before_all():
    paused = calculated(pauses=[_pause("2026-11-20T16:45", None)], as_of=_at("2026-11-21T10:00"))
    assert paused["state"] == "paused"
    missed = calculated(pauses=[_pause("2026-11-23T13:30", None)], as_of=_at("2026-11-23T18:00"))
    assert missed["state"] == "missed"


def test_not_applicable_never_occurs():
    random = Random(5)
    states = {answer(parse(random_case(random)))["state"] for _number in range(400)}
    assert states == {"running", "paused", "outside_hours", "met", "missed"}


# Figures


def test_elapsed_runs_on_after_a_miss():
    found = calculated(as_of=_at("2026-11-23T14:00"))
    assert (found["state"], found["elapsed_seconds"], found["remaining_seconds"]) == (
        "missed",
        19_800,
        -5_400,
    )


def test_a_pause_takes_exactly_the_business_time_it_covers():
    found = calculated(pauses=[_pause("2026-11-20T16:45", "2026-11-23T08:15")])
    assert (found["elapsed_seconds"], found["paused_business_seconds"]) == (3600, 1800)


# Warnings


def test_warnings_fire_at_their_share_of_the_target():
    found = calculated(warn_at_percent=[12, 13, 50])
    assert found["warnings"] == [
        {"percent": 12, "at": "2026-11-20T09:58:48Z"},
        {"percent": 13, "at": "2026-11-23T01:01:12Z"},
    ]


def test_a_warning_fires_at_its_instant_and_not_before():
    assert calculated(warn_at_percent=[50], as_of=_at("2026-11-23T09:29:59"))["warnings"] == []
    fired = calculated(warn_at_percent=[50], as_of=_at("2026-11-23T09:30"))["warnings"]
    assert fired == [{"percent": 50, "at": "2026-11-23T02:30:00Z"}]


def test_a_share_of_the_target_is_rounded_up_to_a_second():
    found = calculated(target_minutes=1, warn_at_percent=[1, 2, 99, 100])
    assert [warning["at"][-3:-1] for warning in found["warnings"]] == ["01", "02", "00", "00"]
    assert found["warnings"][-1]["at"] == found["due_at"]


def test_no_warning_fires_after_the_stop():
    found = calculated(
        warn_at_percent=[25, 50], stopped_at=_at("2026-11-23T08:30"), as_of=_at("2026-11-24T09:00")
    )
    assert [warning["percent"] for warning in found["warnings"]] == [25]


def test_warnings_fire_however_late_they_come():
    rare = document(
        hours=[], special_days=[special("2026-11-20", "16:30-16:45"), special("2039-01-01", "08:00-09:00")]
    )
    found = calculated(
        calendar=rare, target_minutes=30, warn_at_percent=[50, 60], as_of="2040-01-01T00:00:00Z"
    )
    assert [warning["percent"] for warning in found["warnings"]] == [50, 60]
    assert (found["due_at"], found["state"], found["remaining_seconds"]) == (None, "outside_hours", -2700)


# Overnight


def test_the_part_after_midnight_follows_its_opening_date():
    night = document(hours=hours("friday", "22:00-06:00"), holidays=["2026-11-21"])
    found = calculated(calendar=night, as_of=_at("2026-11-22T00:00"))
    assert [(part["from"], part["to"], part["kind"]) for part in found["intervals"]] == [
        ("2026-11-20T09:30:00Z", "2026-11-20T15:00:00Z", "outside_hours"),
        ("2026-11-20T15:00:00Z", "2026-11-20T23:00:00Z", "counted"),
        ("2026-11-20T23:00:00Z", "2026-11-21T17:00:00Z", "holiday"),
    ]


# Intervals


def test_intervals_cover_start_to_end_without_gap_and_differ():
    found = calculated(
        pauses=[
            _pause("2026-11-20T16:45", "2026-11-21T12:00"),
            _pause("2026-11-21T12:00", "2026-11-23T08:10"),
        ],
        calendar=document(holidays=["2026-11-23"], special_days=[special("2026-11-23", "08:00-09:30")]),
    )
    parts = found["intervals"]
    assert [part["kind"] for part in parts] == ["counted", "paused", "counted"]
    assert (parts[0]["from"], parts[-1]["to"]) == ("2026-11-20T09:30:00Z", "2026-11-23T02:00:00Z")
    assert all(earlier["to"] == later["from"] for earlier, later in pairwise(parts))


def test_a_clock_read_at_its_start_has_no_intervals():
    assert calculated(as_of=_at("2026-11-20T16:30"))["intervals"] == []


def test_intervals_join_across_midnight_and_a_change_of_offset():
    whole = document("Europe/Berlin", hours=hours(EVERY_DAY, "00:00-24:00"))
    found = calculated(calendar=whole, started_at="2026-10-20T00:00:00Z", as_of="2026-10-30T00:00:00Z")
    assert [part["kind"] for part in found["intervals"]] == ["counted"]


def test_a_pause_reaching_over_the_end_is_shown_up_to_it():
    found = calculated(
        pauses=[_pause("2026-11-23T08:30", None), _pause("2026-11-20T16:00", "2026-11-20T16:40")]
    )
    assert found["intervals"][0] == {
        "from": "2026-11-20T09:30:00Z",
        "to": "2026-11-20T09:40:00Z",
        "kind": "paused",
    }
    assert found["intervals"][-1] == {
        "from": "2026-11-23T01:30:00Z",
        "to": "2026-11-23T02:00:00Z",
        "kind": "paused",
    }


def test_a_pause_after_the_end_is_not_shown():
    found = calculated(pauses=[_pause("2026-11-23T09:00", None)])
    assert "paused" not in {part["kind"] for part in found["intervals"]}


def test_5000_intervals_are_answered_and_one_more_is_refused():
    every_other_hour = document(
        "UTC", hours=hours(EVERY_DAY, *(f"{h:02}:00-{h + 1:02}:00" for h in range(0, 24, 2)))
    )
    start = "2026-01-01T00:00:00Z"
    found = calculated(calendar=every_other_hour, started_at=start, as_of="2026-07-28T08:00:00Z")
    assert len(found["intervals"]) == 5_000
    with pytest.raises(CalculationInvalid) as refused:
        calculated(calendar=every_other_hour, started_at=start, as_of="2026-07-28T08:00:01Z")
    assert refused.value.errors == [("as_of", "This needs more than 5000 intervals.")]
    assert refused.value.faults[0].code == "too_many_intervals"


# Input that is accepted


def test_fractions_are_dropped_before_anything_is_compared():
    exact = calculated(stopped_at=_at("2026-11-23T08:00"))
    assert (
        calculated(stopped_at="2026-11-23T08:00:00.999+07:00", started_at="2026-11-20T16:30:00.5+07:00")
        == exact
    )


def test_pauses_come_in_any_order_and_may_touch():
    pauses = [_pause("2026-11-23T08:30", "2026-11-23T08:40"), _pause("2026-11-20T16:40", "2026-11-23T08:30")]
    assert calculated(pauses=pauses) == calculated(pauses=[_pause("2026-11-20T16:40", "2026-11-23T08:40")])


def test_pauses_are_clipped_at_the_start():
    before = [_pause("2026-11-19T08:00", "2026-11-19T09:00"), _pause("2026-11-20T16:00", "2026-11-20T16:40")]
    assert calculated(pauses=before) == calculated(pauses=[_pause("2026-11-20T16:30", "2026-11-20T16:40")])


def test_overlap_between_a_special_day_and_a_neighbouring_night_is_counted_once():
    night = document(
        hours=hours("friday", "20:00-06:00"), special_days=[special("2026-11-21", "05:00-07:00")]
    )
    found = calculated(calendar=night, as_of=_at("2026-11-22T00:00"), target_minutes=5000)
    assert found["elapsed_seconds"] == 11 * 3600


def _at(text: str) -> str:
    return f"{text}:00{JAKARTA}" if len(text) == 16 else f"{text}{JAKARTA}"


def _pause(from_: str, to: str | None) -> dict[str, str | None]:
    return {"from": _at(from_), "to": to and _at(to)}
