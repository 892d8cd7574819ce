"""The clock of the resolution from a ticket's history: what stops it, pauses it, and takes it up again."""

import pytest

from contracts.clock.clock import Cause, State
from contracts.clock.history import ClockKind
from contracts.clock.strip import IntervalKind
from contracts.clock.track import (
    Decision,
    ReopenRule,
)
from tests.contracts.clock.entries import (
    HOUR,
    REOPENED,
    START,
    created,
    hours_in,
    priority,
    readings,
    resolution,
    state,
    terms,
)


def test_resolution_is_met_when_resolved_and_stays_so_when_closed():
    found = resolution(20, created(), state(3, "resolved"), state(10, "closed"))
    assert (found.verdict.state, found.verdict.elapsed_seconds, hours_in(found.stopped_at)) == (
        State.MET,
        3 * 3_600,
        3,
    )


def test_closed_without_being_resolved_stops_resolution():
    assert resolution(20, created(), state(3, "closed")).verdict.state is State.MET


def test_a_cancelled_ticket_is_not_measured_unless_already_missed():
    assert resolution(20, created(), state(3, "cancelled")).verdict.state is State.NOT_APPLICABLE
    late = resolution(20, created(), state(5, "cancelled"))
    assert late.verdict.state is State.MISSED
    assert late.decisions == (Decision(START + 4 * HOUR, State.MISSED, Cause.TIME_RAN_OUT),)


def test_waiting_pauses_for_listed_reasons_only():
    entries = [
        created(),
        state(1, "waiting", "requester"),
        state(3, "waiting", "part"),
        state(4, "in_progress"),
    ]
    found = resolution(5, *entries)
    assert (found.verdict.elapsed_seconds, found.verdict.paused_business_seconds) == (3 * 3_600, 2 * 3_600)


def test_the_strip_names_each_reason_and_person():
    entries = [created(), state(1, "waiting", "requester", "Tina"), state(2, "waiting", "vendor", "Leo")]
    found = resolution(3, *entries, pause_reasons=frozenset({"requester", "vendor"}))
    assert [(part.kind, part.reason, part.by) for part in found.verdict.intervals] == [
        (IntervalKind.COUNTED, None, None),
        (IntervalKind.PAUSED, "requester", "Tina"),
        (IntervalKind.PAUSED, "vendor", "Leo"),
    ]


def test_the_same_reason_said_twice_is_one_pause():
    entries = [created(), state(1, "waiting", "requester"), state(2, "waiting", "requester")]
    assert len(resolution(3, *entries).verdict.intervals) == 2


def test_a_paused_clock_has_no_due_time_and_gets_it_back():
    waiting = [created(), state(1, "waiting", "requester")]
    assert resolution(2, *waiting).verdict.due_at is None
    assert hours_in(resolution(4, *waiting, state(3, "in_progress")).verdict.due_at) == 6


def test_a_ticket_created_paused_burns_nothing():
    found = resolution(9, created(state="waiting", reason="requester"))
    assert (found.verdict.state, found.verdict.elapsed_seconds) == (State.PAUSED, 0)


@pytest.mark.parametrize("final", ["closed", "cancelled"])
@pytest.mark.parametrize("kind", [ClockKind.RESPONSE, ClockKind.RESOLUTION])
def test_a_ticket_created_closed_never_runs(kind: ClockKind, final: str):
    (found,) = readings(kind, 9, created(state=final))
    assert (found.verdict.state, found.verdict.elapsed_seconds, found.decisions) == (
        State.NOT_APPLICABLE,
        0,
        (),
    )


def test_a_ticket_created_resolved_is_met_at_once():
    found = resolution(9, created(state="resolved"))
    assert (found.verdict.state, found.verdict.elapsed_seconds) == (State.MET, 0)


def test_resolving_settles_the_open_pause():
    found = resolution(9, created(), state(1, "waiting", "requester"), state(5, "resolved"))
    assert (found.verdict.state, found.verdict.elapsed_seconds, found.verdict.paused_business_seconds) == (
        State.MET,
        3_600,
        4 * 3_600,
    )


def test_a_pause_that_begins_and_ends_at_once_leaves_no_trace():
    found = resolution(2, created(), state(1, "waiting", "requester"), state(1, "in_progress"))
    assert [part.kind for part in found.verdict.intervals] == [IntervalKind.COUNTED]


def test_a_missed_clock_is_never_shown_as_paused():
    assert resolution(9, created(), state(5, "waiting", "requester")).verdict.state is State.MISSED


def test_reopening_continues_without_the_time_it_was_resolved():
    found = resolution(10.5, *REOPENED)
    assert (found.verdict.state, found.verdict.elapsed_seconds, hours_in(found.verdict.due_at)) == (
        State.RUNNING,
        3.5 * 3_600,
        11,
    )
    assert [part.reason for part in found.verdict.intervals] == [None, "resolved", None]


def test_met_reopened_and_missed_later_are_two_decisions():
    found = resolution(12, *REOPENED)
    assert found.verdict.state is State.MISSED
    assert found.decisions == (
        Decision(START + 3 * HOUR, State.MET),
        Decision(START + 11 * HOUR, State.MISSED, Cause.TIME_RAN_OUT),
    )


def test_met_twice_is_two_decisions():
    found = resolution(12, *REOPENED, state(10.5, "resolved"))
    assert [(hours_in(made.at), made.state) for made in found.decisions] == [
        (3, State.MET),
        (10.5, State.MET),
    ]


def test_a_contract_may_count_the_time_it_was_resolved():
    found = resolution(10.5, *REOPENED, reopen=ReopenRule.COUNT)
    assert (found.verdict.elapsed_seconds, hours_in(found.verdict.due_at)) == (10.5 * 3_600, 4)


def test_time_that_ran_out_while_resolved_is_missed_when_reopened_and_not_before():
    assert resolution(9.9, *REOPENED, reopen=ReopenRule.COUNT).verdict.state is State.MET
    found = resolution(10, *REOPENED, reopen=ReopenRule.COUNT).verdict
    assert (found.state, hours_in(found.missed_at), found.cause) == (State.MISSED, 10, Cause.REOPENED)


def test_resolved_exactly_when_due_and_reopened_is_missed_at_the_reopening():
    entries = [created(), state(4, "resolved"), state(10, "in_progress")]
    found = resolution(11, *entries)
    assert found.decisions == (
        Decision(START + 4 * HOUR, State.MET),
        Decision(START + 10 * HOUR, State.MISSED, Cause.REOPENED),
    )


def test_a_contract_may_begin_a_new_cycle():
    first, second = readings(ClockKind.RESOLUTION, 11, *REOPENED, by=terms(reopen=ReopenRule.NEW_CYCLE))
    assert (first.cycle, first.verdict.state, first.verdict.elapsed_seconds) == (1, State.MET, 3 * 3_600)
    assert (second.cycle, second.verdict.state, hours_in(second.verdict.due_at)) == (2, State.RUNNING, 14)


def test_reopening_into_waiting_is_paused():
    found = resolution(12, created(), state(3, "resolved"), state(10, "waiting", "requester"))
    assert (found.verdict.state, found.verdict.elapsed_seconds) == (State.PAUSED, 3 * 3_600)


def test_reopened_at_the_instant_it_was_resolved():
    found = resolution(3.5, created(), state(3, "resolved"), state(3, "in_progress"))
    assert [part.kind for part in found.verdict.intervals] == [IntervalKind.COUNTED]


def test_a_missed_ticket_stays_missed_however_it_goes_on():
    entries = [
        created(),
        state(5, "resolved"),
        state(10, "in_progress"),
        priority(11, "P3"),
        state(11.5, "resolved"),
    ]
    for hour in (4.1, 5, 10, 11, 12):
        found = resolution(hour, *entries)
        assert found.verdict.state is State.MISSED
        assert found.decisions == (Decision(START + 4 * HOUR, State.MISSED, Cause.TIME_RAN_OUT),)
