"""Stored against recomputed: each kind of difference that is planted is named, and nothing is reported otherwise."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.terms.document import default_terms
from contracts.terms.services import add_contract
from contracts.timers import sweep
from contracts.timers.beside import start, stop
from contracts.timers.models import TicketTimer, TimerMark
from contracts.timers.verifying import verify_tenant
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import services
from tenants.tickets.models import Ticket
from tests.contracts.timers.test_following import Desk
from tests.guarantees import isolation

# A Tuesday, 09:00 in Jakarta.
MORNING = datetime(2026, 11, 17, 2, 0, tzinfo=UTC)
LATER = MORNING + timedelta(hours=6, minutes=30)


@pytest.fixture
def desk(within, as_actor, cast):
    with within("acme") as acme:
        yield Desk(acme, as_actor("Leo"), as_actor("Bob"), cast)


@pytest.fixture
def code(desk):
    """A ticket that was answered too late, waits for its requester, and was swept."""
    ticket = desk.open(MORNING)
    _sweep(MORNING + timedelta(hours=3, minutes=1))
    desk.reply(ticket, MORNING + timedelta(hours=5))
    desk.move(ticket, "waiting", MORNING + timedelta(hours=6), reason="requester")
    return ticket.code


def _sweep(at):
    with time.frozen(at):
        sweep.sweep_due_timers()


def _found(desk, now=LATER):
    found = verify_tenant(desk.tenant_id, now=now)
    return {(one.clock, one.field): (one.stored, one.recomputed) for one in found.differences}


def test_nothing_differs(desk, code):
    assert _found(desk) == {}
    check = verify_tenant(desk.tenant_id, now=LATER)
    assert (check.open_tickets, check.closed_tickets) == (1, 0)


def test_reading_changes_nothing(desk, code, superuser):
    before = isolation.fingerprint(superuser, desk.tenant_id)
    verify_tenant(desk.tenant_id, now=LATER)
    assert isolation.fingerprint(superuser, desk.tenant_id) == before


PLANTED = [
    ("ticket_timers", "clock = 'resolution'", "due_at = '2026-11-19T00:00Z'", ("resolution 1", "due_at")),
    ("ticket_timers", "clock = 'resolution'", "state = 'running'", ("resolution 1", "state")),
    ("ticket_timers", "clock = 'response'", "state = 'met'", ("response 1", "state")),
    ("ticket_timers", "clock = 'response'", "missed_at = NULL", ("response 1", "missed_at")),
    ("ticket_timers", "clock = 'response'", "cause = 'reopened'", ("response 1", "cause")),
    ("ticket_timers", "clock = 'response'", "stopped_at = NULL", ("response 1", "stopped_at")),
    ("ticket_timers", "clock = 'resolution'", "started_at = now()", ("resolution 1", "started_at")),
    ("ticket_timers", "clock = 'resolution'", "priority = 'P1'", ("resolution 1", "priority")),
    ("ticket_timers", "clock = 'resolution'", "target_seconds = 1", ("resolution 1", "target_seconds")),
    ("ticket_timers", "clock = 'resolution'", "target_version = 9", ("resolution 1", "target_version")),
    ("ticket_timers", "clock = 'resolution'", "look_at = '2026-12-01T00:00Z'", ("resolution 1", "look_at")),
    ("ticket_timers", "clock = 'resolution'", "cycle = 2", ("resolution 2", "timer")),
    ("ticket_timers", "clock = 'response'", "elapsed_seconds = 1", ("response 1", "elapsed_seconds")),
    ("ticket_timers", "clock = 'resolution'", "elapsed_seconds = 1", ("resolution 1", "elapsed_seconds")),
    ("timer_marks", "mark = 'warning' AND percent = 50", "percent = 51", ("response 1", "warning at 50 %")),
    ("timer_marks", "percent = 75", "at = now()", ("response 1", "warning at 75 %: at")),
    ("timer_marks", "mark = 'missed'", "cause = 'reopened'", ("response 1", "mark missed: cause")),
    ("timer_marks", "mark = 'missed'", "priority = 'P1'", ("response 1", "mark missed: priority")),
    ("timer_marks", "mark = 'missed'", "mark = 'met'", ("response 1", "mark met")),
    ("timer_marks", "mark = 'missed'", "target_version = 3", ("response 1", "mark missed: target_version")),
    ("tickets", "true", "next_due_at = now()", ("", "next_due_at")),
    ("tickets", "true", "next_due_kind = 'update'", ("", "next_due_kind")),
    ("tickets", "true", "sla_state = 'missed'", ("", "sla_state")),
    ("tickets", "true", "sla_paused_since = NULL", ("", "sla_paused_since")),
]


@pytest.mark.parametrize(("table", "where", "change", "named"), PLANTED)
def test_a_planted_difference_is_named_with_both_values(desk, code, superuser, table, where, change, named):
    planted = superuser.execute(f"UPDATE {table} SET {change} WHERE {where}")
    assert planted.rowcount >= 1
    found = _found(desk)
    assert named in found, found
    stored, recomputed = found[named]
    assert stored != recomputed
    (first, *_more) = verify_tenant(desk.tenant_id, now=LATER).differences
    assert first.code == code


def _ran(superuser):
    return dict(superuser.execute("SELECT clock, elapsed_seconds FROM ticket_timers").fetchall())


def test_a_stopped_clock_keeps_how_long_it_ran(desk, code, superuser):
    assert _ran(superuser) == {"response": 5 * 3600, "resolution": None}


def test_a_reopened_clock_runs_again_and_a_withdrawn_one_answered_nothing(desk, superuser):
    ticket = desk.open(MORNING)
    desk.move(ticket, "in_progress", MORNING + timedelta(hours=1))
    desk.move(ticket, "resolved", MORNING + timedelta(hours=2))
    assert _ran(superuser) == {"response": None, "resolution": 2 * 3600}
    desk.move(ticket, "in_progress", MORNING + timedelta(hours=3))
    assert _ran(superuser)["resolution"] is None
    desk.move(ticket, "cancelled", MORNING + timedelta(hours=4))
    assert _ran(superuser) == {"response": None, "resolution": None}


def test_what_stopped_before_its_time_was_kept_owes_none(desk, code, superuser):
    superuser.execute("UPDATE ticket_timers SET elapsed_seconds = NULL")
    assert _found(desk) == {}


@pytest.mark.parametrize(
    ("table", "named"),
    [("timer_marks", ("response 1", "mark missed")), ("ticket_timers", ("response 1", "timer"))],
)
def test_what_was_deleted_is_named(desk, code, superuser, table, named):
    superuser.execute(f"DELETE FROM {table} WHERE clock = 'response'")
    assert _found(desk)[named][0] == "–"


def test_a_mark_that_never_was_is_named(desk, code, superuser):
    superuser.execute(
        "INSERT INTO timer_marks (tenant_id, ticket_id, clock, cycle, mark, target_version, percent, priority, at,"
        " recorded_at) SELECT tenant_id, ticket_id, 'resolution', 1, 'missed', 1, 0, 'P3', at, recorded_at"
        " FROM timer_marks WHERE mark = 'missed'"
    )
    assert _found(desk)[("resolution 1", "mark missed")][1] == "–"


def test_clocks_where_nothing_was_promised_are_named(desk, code, superuser):
    superuser.execute("UPDATE tickets SET contract_version_id = NULL")
    assert ("response 1", "timer") in _found(desk)


def test_a_sweep_that_is_late_is_a_difference_only_after_a_while(desk):
    ticket = desk.open(MORNING)  # the first warning is due at 11:00
    assert _found(desk, MORNING + timedelta(hours=2, minutes=9)) == {}
    assert ("response 1", "look_at") in _found(desk, MORNING + timedelta(hours=2, minutes=11))
    _sweep(MORNING + timedelta(hours=2, minutes=11))
    assert _found(desk, MORNING + timedelta(hours=2, minutes=12)) == {}
    assert ticket.sla_state == "running"


def test_what_was_stored_before_its_moment_was_kept_is_compared_in_what_stays(desk, code, superuser):
    superuser.execute("UPDATE ticket_timers SET read_at = NULL")
    assert _found(desk) == {}
    superuser.execute("UPDATE ticket_timers SET due_at = now() WHERE clock = 'resolution'")
    assert set(_found(desk)) == {("resolution 1", "due_at")}


@pytest.fixture
def beside(desk, code):
    """A vendor's clock of an hour that was missed, and one that runs."""
    ticket = db.session.query(Ticket).one()
    for source, seconds in ((1, 3600), (2, 360_000)):
        start(ticket, "vendor", source, seconds=seconds, calendar="always", at=MORNING)
    db.session.commit()
    with time.frozen(LATER):
        sweep.sweep_due_side_timers()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("due_at = now() WHERE source_id = 1", ("vendor 1", "due_at")),
        ("missed_at = NULL, state = 'running' WHERE source_id = 1", ("vendor 1", "missed_at")),
        ("state = 'running' WHERE source_id = 1", ("vendor 1", "state")),
        ("missed_at = now() WHERE source_id = 2", ("vendor 2", "missed_at")),
        ("look_at = NULL WHERE source_id = 2", ("vendor 2", "look_at")),
    ],
)
def test_clocks_beside_are_compared_too(desk, beside, superuser, change, named):
    assert _found(desk) == {}
    superuser.execute(f"UPDATE side_timers SET {change}")
    assert named in _found(desk)


def test_what_stopped_beside_stays(desk, beside, superuser):
    stop(desk.tenant_id, "vendor", 2, by=desk.staff, at=LATER)
    db.session.commit()
    assert _found(desk) == {}
    superuser.execute("UPDATE side_timers SET state = 'missed' WHERE source_id = 2")
    assert _found(desk) == {("vendor 2", "state"): ("missed", "met")}


def test_times_of_closing_are_compared_too(desk, superuser):
    ticket = desk.open(MORNING)
    desk.move(ticket, "in_progress", MORNING)
    desk.move(ticket, "resolved", MORNING + timedelta(minutes=30))
    soon = MORNING + timedelta(hours=1)
    assert ticket.closes_at is not None
    assert _found(desk, soon) == {}
    superuser.execute("UPDATE tickets SET closes_at = now()")
    assert set(_found(desk, soon)) == {("", "closes_at")}


def test_closed_tickets_are_compared_by_sample(desk, code, superuser):
    for hour in (1, 2, 3):
        other = desk.open(MORNING + timedelta(hours=hour))
        desk.move(other, "cancelled", MORNING + timedelta(hours=hour, minutes=5))
    check = verify_tenant(desk.tenant_id, now=LATER, sample=2)
    assert (check.open_tickets, check.closed_tickets, check.differences) == (1, 2, [])
    assert verify_tenant(desk.tenant_id, now=LATER, sample=0).closed_tickets == 0


def test_a_miss_that_nobody_swept_counts_for_the_priority_that_was_missed(desk):
    ticket = desk.open(MORNING)
    late = MORNING + timedelta(hours=5)
    services.set_priority(ticket, priority="P4", reason="It can wait", by=desk.staff, at=late)
    db.session.commit()
    missed = [row for row in db.session.query(TimerMark) if row.mark == "missed"]
    assert [(row.clock, row.priority, row.target_version) for row in missed] == [("response", "P3", 1)]


def test_a_clock_that_lost_its_target_is_not_looked_at_again(desk):
    terms = default_terms("Asia/Jakarta")
    add_contract(
        desk.tenant_id,
        name="Without P4",
        time_zone="Asia/Jakarta",
        starts_on=date(2026, 11, 17),
        ends_on=None,
        terms=terms | {"service_levels": terms["service_levels"] | {"P4": {}}},
        by=desk.staff,
        at=MORNING,
    )
    ticket = desk.open(MORNING)
    services.set_priority(ticket, priority="P4", reason="It can wait", by=desk.staff, at=MORNING)
    db.session.commit()
    timers = {row.clock: (row.state, row.look_at) for row in db.session.query(TicketTimer)}
    assert timers == {"response": ("not_applicable", None), "resolution": ("not_applicable", None)}
    assert ticket.next_due_at is None
    assert _found(desk) == {}


def test_met_twice_within_a_second_is_recorded_as_it_was_first(desk):
    ticket = desk.open(MORNING)
    desk.move(ticket, "in_progress", MORNING)
    desk.move(ticket, "resolved", MORNING)
    desk.move(ticket, "in_progress", MORNING)
    services.set_priority(ticket, priority="P1", reason="Worse", by=desk.staff, at=MORNING)
    desk.move(ticket, "resolved", MORNING)
    assert _found(desk, MORNING) == {}


def test_who_waited_for_the_ticket_does_not_turn_its_clock_back(desk):
    ticket = desk.open(MORNING)
    desk.move(ticket, "in_progress", MORNING + timedelta(minutes=5))
    desk.move(ticket, "waiting", MORNING + timedelta(minutes=10, seconds=3), reason="requester")
    desk.move(ticket, "resolved", MORNING + timedelta(minutes=10))  # began before, came after
    timers = desk.timers(ticket)
    assert timers["resolution"].stopped_at == MORNING + timedelta(minutes=10, seconds=3)
    assert _found(desk, MORNING + timedelta(hours=1)) == {}
