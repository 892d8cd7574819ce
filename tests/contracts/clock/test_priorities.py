"""Clocks of a ticket whose priority or terms change: from when they count, and what stays missed."""

import pytest

from contracts.clock.calendar import ALWAYS
from contracts.clock.clock import Cause, State
from contracts.clock.history import ClockKind
from contracts.clock.track import (
    ChangeRule,
    Decision,
    ReopenRule,
    Target,
)
from tests.contracts.clock.build import at, calendar
from tests.contracts.clock.entries import (
    HOUR,
    START,
    applied,
    created,
    hours_in,
    priority,
    readings,
    reply,
    resolution,
    response,
    state,
    terms,
)


def test_a_new_priority_is_measured_from_creation_with_earlier_pauses_kept():
    entries = [
        created(priority="P3"),
        state(1, "waiting", "requester"),
        state(2, "in_progress"),
        priority(3, "P2"),
    ]
    found = resolution(4, *entries)
    assert (found.priority, found.target_version, hours_in(found.verdict.due_at)) == ("P2", 2, 5)
    assert found.verdict.elapsed_seconds == 3 * 3_600


def test_a_contract_may_measure_it_from_the_change():
    found = resolution(4, created(priority="P3"), priority(3, "P2"), change=ChangeRule.FROM_CHANGE)
    assert (hours_in(found.started_at), hours_in(found.verdict.due_at), found.verdict.elapsed_seconds) == (
        3,
        7,
        3_600,
    )


def test_a_target_already_used_up_is_missed_at_the_change():
    found = resolution(3, created(priority="P3"), priority(2, "P1")).verdict
    assert (found.state, hours_in(found.missed_at), found.cause) == (State.MISSED, 2, Cause.REPRIORITISED)
    at_once = resolution(2, created(priority="P3"), priority(2, "P1")).verdict
    assert (at_once.state, at_once.missed_at) == (State.MISSED, found.missed_at)


def test_a_target_used_up_at_the_very_change_is_put_down_to_it():
    found = resolution(3, created(priority="P3"), priority(1, "P1")).verdict
    assert (hours_in(found.missed_at), found.cause) == (1, Cause.REPRIORITISED)


def test_a_target_used_up_after_the_change_ran_out_by_itself():
    found = resolution(5, created(priority="P3"), priority(2, "P2")).verdict
    assert (hours_in(found.missed_at), found.cause) == (4, Cause.TIME_RAN_OUT)


def test_a_lower_priority_does_not_erase_a_miss():
    entries = [created(priority="P1"), priority(3, "P3")]
    found = resolution(4, *entries).verdict
    assert (found.state, hours_in(found.missed_at), found.cause) == (State.MISSED, 1, Cause.TIME_RAN_OUT)
    assert (hours_in(found.due_at), found.next_look_at) == (8, None)


def test_a_lower_priority_in_time_avoids_a_miss():
    assert resolution(3, created(priority="P1"), priority(1, "P3")).verdict.state is State.RUNNING


def test_the_same_priority_again_changes_nothing():
    assert resolution(2, created(), priority(1, "P2")).target_version == 1


def test_a_priority_without_a_target_is_not_measured():
    found = resolution(2, created(priority="P4"))
    assert (found.target, found.verdict.state, found.verdict.intervals) == (None, State.NOT_APPLICABLE, ())
    assert found.decisions == ()
    measured = resolution(2, created(priority="P4"), priority(1, "P2"))
    assert (measured.verdict.state, hours_in(measured.verdict.due_at)) == (State.RUNNING, 4)


def test_a_miss_stays_when_the_priority_loses_its_target():
    found = resolution(3, created(priority="P1"), priority(2, "P4")).verdict
    assert (found.state, hours_in(found.missed_at), found.due_at) == (State.MISSED, 1, None)


@pytest.mark.parametrize(
    ("change", "due"), [(ChangeRule.FROM_CREATION, 10 - 3 + 4), (ChangeRule.FROM_CHANGE, 10 + 4)]
)
def test_a_priority_changed_while_resolved_waits_for_the_reopening(change: ChangeRule, due: float):
    entries = [created(priority="P3"), state(3, "resolved"), priority(5, "P2")]
    before = resolution(9, *entries, change=change)
    assert (before.priority, before.verdict.state) == ("P3", State.MET)
    after = resolution(10.5, *entries, state(10, "in_progress"), change=change)
    assert (after.priority, after.target_version, hours_in(after.verdict.due_at)) == ("P2", 2, due)


def test_a_shorter_target_set_while_resolved_is_missed_at_the_reopening():
    entries = [created(priority="P3"), state(3, "resolved"), priority(5, "P1"), state(10, "in_progress")]
    found = resolution(11, *entries).verdict
    assert (hours_in(found.missed_at), found.cause) == (10, Cause.REPRIORITISED)


def test_a_change_while_resolved_counts_at_the_first_reopening_only():
    entries = [created(priority="P3"), state(3, "resolved"), priority(5, "P2"), state(10, "in_progress")]
    again = [state(10.5, "resolved"), state(12, "in_progress")]
    found = resolution(12.25, *entries, *again, change=ChangeRule.FROM_CHANGE)
    assert (found.target_version, hours_in(found.started_at), found.verdict.elapsed_seconds) == (2, 5, 2_700)
    late = resolution(
        20, *entries, state(14, "resolved"), state(15, "in_progress"), change=ChangeRule.FROM_CREATION
    )
    assert [(hours_in(made.at), made.cause) for made in late.decisions] == [
        (3, None),
        (11, Cause.TIME_RAN_OUT),
    ]
    used_up = [state(14, "resolved"), state(15, "in_progress")]
    edge = resolution(20, *entries, *used_up, change=ChangeRule.FROM_CHANGE)
    assert edge.decisions[-1] == Decision(START + 15 * HOUR, State.MISSED, Cause.REOPENED)


def test_a_new_cycle_starts_with_the_priority_it_finds():
    entries = [created(priority="P3"), state(3, "resolved"), priority(5, "P2"), state(10, "in_progress")]
    _, found = readings(ClockKind.RESOLUTION, 11, *entries, by=terms(reopen=ReopenRule.NEW_CYCLE))
    assert (found.priority, found.target_version, hours_in(found.verdict.due_at)) == ("P2", 1, 14)


def test_response_that_was_met_does_not_follow_the_priority():
    found = response(9, created(priority="P3"), reply(2), priority(3, "P1"))
    assert (found.priority, found.verdict.state) == ("P3", State.MET)


def test_applied_terms_measure_from_creation_and_name_their_cause():
    found = resolution(3, created(), applied(2, terms(targets={"P2": Target(3_600, ALWAYS)}))).verdict
    assert (found.state, hours_in(found.missed_at), found.cause) == (State.MISSED, 2, Cause.TERMS_APPLIED)


def test_applied_terms_keep_earlier_pauses_and_judge_the_present_one_anew():
    waiting = [created(), state(1, "waiting", "requester"), applied(3, terms(pause_reasons=frozenset()))]
    found = resolution(4, *waiting).verdict
    assert (found.state, found.elapsed_seconds, found.paused_business_seconds) == (
        State.RUNNING,
        2 * 3_600,
        2 * 3_600,
    )


def test_applied_terms_may_bring_another_calendar():
    office = Target(4 * 3_600, calendar())
    found = resolution(6, created(), applied(1, terms(targets={"P2": office}))).verdict
    assert found.due_at == at("2026-11-23 12:00")
