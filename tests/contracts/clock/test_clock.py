"""The clock as timers use it: what to look at next, strips with reasons, and inputs that make no sense."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.clock.calendar import ALWAYS
from contracts.clock.clock import Cause, ClockWarning, State, Verdict, calculate
from contracts.clock.strip import IntervalKind
from contracts.clock.timeline import Pause
from tests.contracts.clock.build import at, calendar

START = at("2026-11-20 16:30")
MINUTE = timedelta(minutes=1)


def read(as_of: datetime, **given: Any) -> Verdict:
    """A clock of four office hours since Friday 16:30."""
    defaults = {
        "calendar": calendar(),
        "target_seconds": 14_400,
        "started_at": START,
        "pauses": [],
        "stopped_at": None,
    }
    return calculate(as_of=as_of, **(defaults | {"warn_at_percent": [50, 75]} | given))


def test_the_next_look_is_at_the_next_warning():
    verdict = read(at("2026-11-20 16:45"))
    assert verdict.upcoming == (
        ClockWarning(50, at("2026-11-23 09:30")),
        ClockWarning(75, at("2026-11-23 10:30")),
    )
    assert verdict.next_look_at == at("2026-11-23 09:30")


def test_a_warning_that_fired_is_not_looked_at_again():
    verdict = read(at("2026-11-23 09:30"))
    assert verdict.warnings == (ClockWarning(50, at("2026-11-23 09:30")),)
    assert verdict.next_look_at == at("2026-11-23 10:30")


@pytest.mark.parametrize("as_of", ["2026-11-23 10:30", "2026-11-23 11:30"])
def test_the_last_look_is_the_second_at_which_it_is_missed(as_of: str):
    verdict = read(at(as_of))
    assert verdict.state is State.RUNNING
    assert verdict.next_look_at == at("2026-11-23 11:30:01")
    assert read(verdict.next_look_at).state is State.MISSED


def test_nothing_is_looked_at_after_a_miss_or_a_stop():
    missed = read(at("2026-11-23 12:00"))
    assert (missed.cause, missed.missed_at, missed.next_look_at) == (
        Cause.TIME_RAN_OUT,
        at("2026-11-23 11:30"),
        None,
    )
    met = read(at("2026-11-23 10:00"), stopped_at=at("2026-11-23 09:00"))
    assert (met.state, met.upcoming, met.next_look_at) == (State.MET, (), None)


def test_nothing_is_looked_at_while_a_pause_is_open():
    verdict = read(at("2026-11-23 09:00"), pauses=[Pause(at("2026-11-23 08:30"))])
    assert (verdict.due_at, verdict.upcoming, verdict.next_look_at) == (None, (), None)


def test_a_look_comes_before_due_where_a_known_pause_ends():
    pause = Pause(at("2026-11-23 09:30"), at("2026-11-23 10:00"))
    assert read(at("2026-11-23 09:45"), pauses=[pause], warn_at_percent=[]).next_look_at == at(
        "2026-11-23 12:00:01"
    )


def test_a_strip_says_why_and_by_whom_it_was_paused():
    pauses = [
        Pause(START + 10 * MINUTE, START + 15 * MINUTE, "vendor", "Leo"),
        Pause(START + 5 * MINUTE, START + 10 * MINUTE, "requester", "Tina"),
        Pause(START + 15 * MINUTE, START + 20 * MINUTE, "vendor", "Leo"),
    ]
    verdict = read(START + 30 * MINUTE, pauses=pauses)
    assert [(part.kind, part.reason, part.by) for part in verdict.intervals] == [
        (IntervalKind.COUNTED, None, None),
        (IntervalKind.PAUSED, "requester", "Tina"),
        (IntervalKind.PAUSED, "vendor", "Leo"),
        (IntervalKind.COUNTED, None, None),
    ]
    assert verdict.intervals is verdict.intervals


def test_a_verdict_without_a_clock_has_no_strip():
    assert Verdict(State.NOT_APPLICABLE).intervals == ()


def test_calculate_needs_no_percentages():
    assert calculate(ALWAYS, 60, START, [], None, START).warnings == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"target_seconds": 0}, "target"),
        ({"warn_at_percent": [75, 50]}, "percent"),
        ({"warn_at_percent": [50, 50]}, "percent"),
        ({"warn_at_percent": [0]}, "percent"),
        ({"warn_at_percent": [101]}, "percent"),
        ({"as_of": START - MINUTE}, "read before"),
        ({"stopped_at": START - MINUTE}, "stop before"),
        ({"pauses": [Pause(START + MINUTE, START)]}, "ends before"),
        ({"pauses": [Pause(START), Pause(START + MINUTE, START + 2 * MINUTE)]}, "overlap"),
    ],
)
def test_inputs_that_make_no_sense_are_refused(given: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        read(**({"as_of": START} | given))
