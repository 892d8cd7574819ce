"""The clocks of a ticket from its history: response, updates, warnings, and histories as a whole."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from contracts.clock.clock import ClockWarning, State
from contracts.clock.history import ClockKind, Entry, EntryKind, read_clocks
from contracts.clock.track import (
    Decision,
    ReopenRule,
    UpdateStart,
)
from tests.contracts.clock.entries import (
    HOUR,
    REOPENED,
    START,
    created,
    hours_in,
    priority,
    readings,
    reply,
    resolution,
    response,
    state,
    terms,
    updates,
)


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
