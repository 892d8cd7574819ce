"""The clocks of a ticket from its history: what starts, stops, pauses and moves them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.clock.calendar import ALWAYS
from contracts.clock.clock import Cause, ClockWarning, State
from contracts.clock.history import ClockKind, Entry, EntryKind, Reading, Terms, read_clock, read_clocks
from contracts.clock.strip import IntervalKind
from contracts.clock.track import (
    ChangeRule,
    ClockRules,
    Decision,
    ReopenRule,
    Target,
    UpdateStart,
)
from tests.contracts.clock.build import at, calendar

START = at("2026-11-23 08:00")
HOUR = timedelta(hours=1)


def rules(**given: Any) -> ClockRules:
    """P1 one hour, P2 four, P3 eight, by a calendar that never closes; waiting for the requester pauses."""
    targets = {name: Target(hours * 3_600, ALWAYS) for name, hours in (("P1", 1), ("P2", 4), ("P3", 8))}
    return ClockRules(**({"targets": targets, "pause_reasons": frozenset({"requester"})} | given))


def terms(**given: Any) -> Terms:
    return Terms(
        response=rules(**({"pause_reasons": frozenset()} | given)),
        update=rules(**given),
        resolution=rules(**given),
    )


def created(hour: float = 0, *, priority: str = "P2", state: str = "new", reason: str | None = None) -> Entry:
    return Entry(EntryKind.CREATED, START + hour * HOUR, state=state, reason=reason, priority=priority)


def state(hour: float, name: str, reason: str | None = None, by: str | None = None) -> Entry:
    return Entry(EntryKind.STATE_CHANGED, START + hour * HOUR, state=name, reason=reason, by=by)


def reply(hour: float, by_kind: str = "staff", *, is_public: bool = True) -> Entry:
    return Entry(EntryKind.REPLIED, START + hour * HOUR, by_kind=by_kind, is_public=is_public)


def priority(hour: float, name: str) -> Entry:
    return Entry(EntryKind.PRIORITY_CHANGED, START + hour * HOUR, priority=name)


def applied(hour: float, new: Terms) -> Entry:
    return Entry(EntryKind.TERMS_APPLIED, START + hour * HOUR, terms=new)


def readings(kind: ClockKind, hour: float, *entries: Entry, by: Terms | None = None) -> tuple[Reading, ...]:
    return read_clock(kind, entries, by or terms(), START + hour * HOUR)


def resolution(hour: float, *entries: Entry, **given: Any) -> Reading:
    (reading,) = readings(ClockKind.RESOLUTION, hour, *entries, by=terms(**given))
    return reading


def response(hour: float, *entries: Entry, **given: Any) -> Reading:
    (reading,) = readings(ClockKind.RESPONSE, hour, *entries, by=terms(**given))
    return reading


def updates(hour: float, *entries: Entry, **given: Any) -> tuple[Reading, ...]:
    return readings(ClockKind.UPDATE, hour, *entries, by=terms(**given))


def hours_in(moment: datetime | None) -> float | None:
    """Hours since the start of these histories."""
    return None if moment is None else (moment - START) / HOUR


# Response


def test_response_runs_from_creation():
    found = response(1, created())
    assert (found.verdict.state, found.verdict.elapsed_seconds, hours_in(found.verdict.due_at)) == (
        State.RUNNING,
        3600,
        4,
    )


def test_response_is_met_by_the_first_public_reply_of_staff():
    found = response(9, created(), reply(2), reply(5))
    assert (found.verdict.state, hours_in(found.stopped_at)) == (State.MET, 2)
    assert found.decisions == (Decision(START + 2 * HOUR, State.MET),)


@pytest.mark.parametrize(
    "entry",
    [reply(1, "automatic"), reply(1, "requester"), reply(1, is_public=False), state(1, "in_progress")],
)
def test_nothing_else_meets_response(entry: Entry):
    assert response(2, created(), entry).verdict.state is State.RUNNING


def test_a_call_meets_response_only_where_staff_tick_that_they_spoke():
    spoken = Entry(EntryKind.SPOKE_WITH_CALLER, START)
    assert response(2, created(), spoken).verdict.state is State.MET
    assert readings(ClockKind.RESOLUTION, 2, created(), spoken)[0].verdict.state is State.RUNNING


def test_response_pauses_only_for_reasons_the_contract_lists():
    waiting = state(1, "waiting", "requester")
    assert response(2, created(), waiting).verdict.state is State.RUNNING
    listed = response(2, created(), waiting, pause_reasons=frozenset({"requester"}))
    assert listed.verdict.state is State.PAUSED


def test_response_runs_on_while_resolved_and_is_missed():
    found = response(5, created(), state(1, "resolved"))
    assert (found.verdict.state, hours_in(found.verdict.missed_at)) == (State.MISSED, 4)


@pytest.mark.parametrize("final", ["closed", "cancelled"])
def test_response_is_owed_no_more_once_the_ticket_is_closed_or_cancelled(final: str):
    found = response(9, created(), state(1, final))
    assert (found.verdict.state, found.verdict.due_at, found.decisions) == (State.NOT_APPLICABLE, None, ())
    assert found.verdict.next_look_at is None
    late = response(9, created(), state(5, final))
    assert (late.verdict.state, hours_in(late.verdict.missed_at)) == (State.MISSED, 4)


def test_response_is_owed_again_when_a_closed_ticket_opens():
    found = response(9, created(), state(1, "closed"), state(7, "in_progress"))
    assert (found.verdict.state, hours_in(found.verdict.due_at)) == (State.RUNNING, 10)
    met = response(9, created(), reply(0.5), state(1, "closed"), state(7, "in_progress"))
    assert met.verdict.state is State.MET


# Update


def test_update_owes_nothing_before_the_first_reply_of_staff():
    assert updates(3, created(), reply(1, "requester")) == ()
    assert updates(3, created(), reply(1)) == ()


def test_update_runs_from_the_requesters_first_reply_to_the_next_of_staff():
    entries = [
        created(),
        reply(1),
        reply(2, "requester"),
        reply(3, "requester"),
        reply(5),
        reply(6, "requester"),
    ]
    first, second = updates(7, *entries)
    assert (hours_in(first.started_at), hours_in(first.stopped_at)) == (2, 5)
    assert first.verdict.state is State.MET
    assert (second.cycle, hours_in(second.started_at), second.verdict.state) == (2, 6, State.RUNNING)


def test_update_may_run_from_the_reply_of_staff_itself():
    found = updates(
        7, created(), reply(1), reply(2, "requester"), reply(4), update_start=UpdateStart.STAFF_REPLY
    )
    assert [hours_in(cycle.started_at) for cycle in found] == [1, 4]
    assert [cycle.verdict.state for cycle in found] == [State.MET, State.RUNNING]


def test_update_begins_paused_where_the_ticket_waits():
    waiting = state(1, "waiting", "requester")
    (found,) = updates(5, created(), waiting, reply(1), update_start=UpdateStart.STAFF_REPLY)
    assert (found.verdict.state, found.verdict.elapsed_seconds) == (State.PAUSED, 0)


def test_update_is_paused_while_resolved():
    (found,) = updates(
        9, created(), reply(1), reply(2, "requester"), state(3, "resolved"), state(8, "in_progress")
    )
    assert (found.verdict.state, found.verdict.elapsed_seconds) == (State.RUNNING, 2 * 3_600)


def test_a_reply_that_reopens_starts_update_at_that_instant():
    entries = [created(), reply(1), state(2, "resolved"), reply(5, "requester"), state(5, "in_progress")]
    (found,) = updates(6, *entries)
    assert (hours_in(found.started_at), found.verdict.elapsed_seconds) == (5, 3_600)


def test_a_closed_ticket_owes_no_update():
    entries = [created(), reply(1), reply(2, "requester"), state(3, "closed"), reply(4, "requester")]
    (found,) = updates(20, *entries)
    assert found.verdict.state is State.NOT_APPLICABLE
    assert updates(20, created(), state(0.5, "closed"), state(1, "new")) == ()


# Resolution and pauses


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


# Reopening

REOPENED = (created(), state(3, "resolved"), state(10, "in_progress"))


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


# Priorities and terms


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


# Warnings


def test_warnings_are_given_once_and_not_again_after_reopening():
    found = resolution(12, *REOPENED, warn_at_percent=(50, 75, 90)).verdict
    assert [(warning.percent, hours_in(warning.at)) for warning in found.warnings] == [
        (50, 2),
        (75, 3),
        (90, 10.6),
    ]


def test_warnings_that_come_due_while_resolved_fire_at_the_reopening():
    found = resolution(10, *REOPENED, warn_at_percent=(50, 90), reopen=ReopenRule.COUNT).verdict
    assert [(warning.percent, hours_in(warning.at)) for warning in found.warnings] == [(50, 2), (90, 10)]


def test_warnings_of_a_new_target_fire_at_the_change_at_the_earliest():
    found = resolution(3, created(priority="P3"), priority(2.5, "P2"), warn_at_percent=(20, 50, 75, 90))
    assert found.verdict.warnings == (
        ClockWarning(20, START + 2.5 * HOUR),
        ClockWarning(50, START + 2.5 * HOUR),
        ClockWarning(75, START + 3 * HOUR),
    )
    assert hours_in(found.verdict.next_look_at) == 3.6


# Histories as a whole


def test_every_clock_is_read_at_once():
    found = read_clocks([created(), reply(1), reply(2, "requester")], terms(), START + 3 * HOUR)
    assert [(reading.kind, reading.verdict.state) for reading in found] == [
        (ClockKind.RESPONSE, State.MET),
        (ClockKind.UPDATE, State.RUNNING),
        (ClockKind.RESOLUTION, State.RUNNING),
    ]


def test_what_comes_after_as_of_is_not_known():
    assert resolution(2, created(), state(3, "resolved")) == resolution(2, created())
    assert readings(ClockKind.RESOLUTION, -1, created()) == ()
    assert readings(ClockKind.RESOLUTION, 0) == ()


def test_fractions_of_a_second_are_dropped_from_every_entry():
    late = timedelta(microseconds=999_999)
    whole = [created(), state(3, "resolved")]
    shifted: Sequence[Entry] = [
        Entry(entry.kind, entry.at + late, state=entry.state, priority=entry.priority) for entry in whole
    ]
    assert resolution(5, *shifted) == resolution(5, *whole)


def test_histories_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="begins with"):
        resolution(5, state(1, "resolved"))
    with pytest.raises(ValueError, match="created once"):
        resolution(5, created(), created(1))
    with pytest.raises(ValueError, match="which"):
        resolution(5, created(), Entry(EntryKind.TERMS_APPLIED, START))
