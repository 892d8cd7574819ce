"""Planned maintenance in the clock: shown apart, and left out only where the contract says so."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clock.calendar import ALWAYS
from contracts.clock.clock import State
from contracts.clock.history import ClockKind, read_clock
from contracts.clock.maintenance import MaintenanceTerms, Planned, set_apart
from contracts.clock.strip import IntervalKind
from tests.contracts.clock.build import calendar, hours
from tests.contracts.clock.test_history import HOUR, START, created, state, terms

COUNTED, PAUSED = IntervalKind.COUNTED, IntervalKind.PAUSED
LEFT_OUT, SHOWN = IntervalKind.MAINTENANCE, IntervalKind.MAINTENANCE_COUNTED
EXCLUDED = MaintenanceTerms(is_excluded=True)


def planned(begin, end, title="New switch"):
    return Planned(START + begin * HOUR, START + end * HOUR, title)


def verdict(history, rule, works, as_of):
    """The resolution clock of a P2, four hours around the clock."""
    (reading,) = read_clock(
        ClockKind.RESOLUTION, history, terms(maintenance=rule), START + as_of * HOUR, works
    )
    return reading.verdict


def parts(found):
    return [(one.kind, (one.to_at - one.from_at) / HOUR, one.reason) for one in found.intervals]


def test_by_default_it_is_shown_apart_and_counts():
    found = verdict([created()], MaintenanceTerms(), [planned(1, 2)], 3)
    assert parts(found) == [(COUNTED, 1, None), (SHOWN, 1, "New switch"), (COUNTED, 1, None)]
    assert (found.elapsed_seconds, found.paused_business_seconds) == (3 * 3600, 0)
    assert (found.maintenance_business_seconds, found.due_at) == (3600, START + 4 * HOUR)
    assert verdict([created()], MaintenanceTerms(), [planned(1, 2)], 1.5).state is State.RUNNING


def test_where_the_contract_says_so_it_is_left_out_and_moves_the_due_time_before_it_begins():
    found = verdict([created()], EXCLUDED, [planned(1, 2)], 3)
    assert parts(found) == [(COUNTED, 1, None), (LEFT_OUT, 1, "New switch"), (COUNTED, 1, None)]
    assert (found.elapsed_seconds, found.paused_business_seconds) == (2 * 3600, 3600)
    assert found.maintenance_business_seconds == 3600
    for moment in (0, 0.5, 1.5, 3):
        assert verdict([created()], EXCLUDED, [planned(1, 2)], moment).due_at == START + 5 * HOUR
    during = verdict([created()], EXCLUDED, [planned(1, 2)], 1.5)
    assert (during.state, during.reason) == (State.PAUSED, "maintenance")
    after = verdict([created()], EXCLUDED, [planned(1, 2)], 2)
    assert (after.state, after.reason) == (State.RUNNING, None)


def test_a_ticket_opened_inside_burns_nothing_until_the_end():
    found = verdict([created(1.5)], EXCLUDED, [planned(1, 2)], 2)
    assert (found.elapsed_seconds, found.due_at) == (0, START + 6 * HOUR)


def test_it_misses_only_after_the_time_left_out():
    assert verdict([created()], EXCLUDED, [planned(3, 9)], 10).state is State.RUNNING
    late = verdict([created()], EXCLUDED, [planned(3, 9)], 11)
    assert (late.state, late.missed_at) == (State.MISSED, START + 10 * HOUR)


def test_what_the_client_is_waited_for_stands_in_front():
    history = [created(), state(1, "waiting", "requester"), state(3, "in_progress")]
    found = verdict(history, EXCLUDED, [planned(0.5, 1.5), planned(2, 4)], 5)
    assert parts(found) == [
        (COUNTED, 0.5, None),
        (LEFT_OUT, 0.5, "New switch"),
        (PAUSED, 2, "requester"),
        (LEFT_OUT, 1, "New switch"),
        (COUNTED, 1, None),
    ]
    assert (found.elapsed_seconds, found.paused_business_seconds) == (1.5 * 3600, 3.5 * 3600)
    assert found.maintenance_business_seconds == 1.5 * 3600


def test_what_is_over_takes_nothing_from_a_clock_that_stopped():
    found = verdict([created(), state(1, "resolved")], EXCLUDED, [planned(2, 3)], 9)
    assert (found.state, found.maintenance_business_seconds) == (State.MET, 0)
    assert found.due_at == START + 4 * HOUR


def test_only_what_lies_inside_the_agreed_windows_is_left_out():
    windows = calendar(hours=hours("monday", "09:00-10:00"))
    found = verdict([created()], MaintenanceTerms(True, windows), [planned(0.5, 2.5)], 3)
    assert parts(found) == [
        (COUNTED, 0.5, None),
        (SHOWN, 0.5, "New switch"),
        (LEFT_OUT, 1, "New switch"),
        (SHOWN, 0.5, "New switch"),
        (COUNTED, 0.5, None),
    ]
    assert (found.elapsed_seconds, found.due_at) == (2 * 3600, START + 5 * HOUR)


def test_overlapping_maintenance_counts_once():
    both = [planned(1, 3, "A"), planned(2, 4, "B"), planned(2, 2.5, "C")]
    apart = set_apart(both, EXCLUDED)
    assert [((one.to_at - one.from_at) / HOUR, one.reason) for one in apart.left_out] == [(2, "A"), (1, "B")]
    assert verdict([created()], EXCLUDED, both, 5).elapsed_seconds == 2 * 3600


@pytest.mark.parametrize("rule", [MaintenanceTerms(), EXCLUDED, MaintenanceTerms(True, calendar())])
@given(
    spans=st.lists(st.tuples(st.integers(-600, 6000), st.integers(1, 900)), max_size=4),
    waits=st.lists(st.integers(1, 500), max_size=4),
    office=st.booleans(),
    as_of=st.integers(0, 6000),
)
@settings(max_examples=60, deadline=None)
def test_the_strip_partitions_and_the_parts_add_up(rule, spans, waits, office, as_of):
    minute, entries, moment = timedelta(minutes=1), [created()], 0
    for place, wait in enumerate(waits):
        moment += wait
        name = ("waiting", "requester") if place % 2 == 0 else ("in_progress", None)
        entries.append(state(moment / 60, *name))
    works = [Planned(START + begin * minute, START + (begin + long) * minute, "x") for begin, long in spans]
    measured = terms(maintenance=rule)
    if office:
        targets = {"P2": replace(measured.resolution.targets["P2"], calendar=calendar())}
        measured = replace(measured, resolution=replace(measured.resolution, targets=targets))
    (reading,) = read_clock(ClockKind.RESOLUTION, entries, measured, START + as_of * minute, works)
    found = reading.verdict
    strip, measure = found.intervals, calendar() if office else ALWAYS

    def business(*kinds):
        return sum(measure.elapsed(one.from_at, one.to_at) for one in strip if one.kind in kinds)

    assert all(one.to_at == later.from_at for one, later in pairwise(strip))
    assert found.elapsed_seconds == business(COUNTED, SHOWN)
    assert found.paused_business_seconds == business(PAUSED, LEFT_OUT)
    assert found.maintenance_business_seconds == business(LEFT_OUT, SHOWN)
    assert found.elapsed_seconds + found.paused_business_seconds == measure.elapsed(
        START, START + as_of * minute
    )
