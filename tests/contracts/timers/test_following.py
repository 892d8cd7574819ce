"""Timers follow tickets within the same transaction, and the sweep finds what time brings about."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from contracts.timers import sweep
from contracts.timers.models import TicketTimer, TimerMark
from contracts.timers.queries import badges, list_attainment, month_bounds, read_clocks_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tenancy.models import Tenant
from tenants.tickets import services as tickets
from tenants.tickets.models import Ticket
from tenants.tickets.queries import list_history

# A Tuesday, 09:00 in Jakarta.
MORNING = datetime(2026, 11, 17, 2, 0, tzinfo=UTC)


def _at(hours=0.0):
    return MORNING + timedelta(hours=hours)


@pytest.fixture
def desk(within, as_actor, cast):
    """Acme's worker scope with Leo of staff and Bob the requester."""
    with within("acme") as acme:
        yield Desk(acme, as_actor("Leo"), as_actor("Bob"), cast)


class Desk:
    """Verbs for the tests: each commits, as an edge would."""

    def __init__(self, tenant_id, staff, requester, cast):
        self.tenant_id, self.staff, self.requester, self.cast = tenant_id, staff, requester, cast

    def open(self, at, *, impact="medium", urgency="medium"):
        request = tickets.Request(
            subject="Printer is on fire",
            body="Smoke.",
            impact=impact,
            urgency=urgency,
            requester=tickets.Requester("Bob", user_id=self.cast.users["Bob"]),
        )
        tenant = db.session.scalars(select(Tenant).where(Tenant.id == self.tenant_id)).one()
        ticket = tickets.open_ticket(tenant, request, by=self.requester, at=at)
        db.session.commit()
        return ticket

    def move(self, ticket, to, at, reason=None):
        tickets.change_state(ticket, to=to, reason=reason, by=self.staff, at=at)
        db.session.commit()

    def reply(self, ticket, at, *, by=None, kind="public"):
        tickets.add_message(ticket, body="Hello.", by=by or self.staff, at=at, kind=kind)
        db.session.commit()

    def timers(self, ticket):
        rows = db.session.scalars(select(TicketTimer).where(TicketTimer.ticket_id == ticket.id)).all()
        return {row.clock: row for row in rows}

    def marks(self, ticket):
        rows = db.session.scalars(
            select(TimerMark).where(TimerMark.ticket_id == ticket.id).order_by(TimerMark.at, TimerMark.id)
        )
        return [(row.clock, row.mark, row.percent) for row in rows]


def test_opening_starts_the_clocks(desk):
    ticket = desk.open(_at())
    timers = desk.timers(ticket)
    assert set(timers) == {"response", "resolution"}
    assert timers["response"].due_at == _at(4)
    assert ticket.next_due_at == _at(4)
    assert ticket.next_due_kind == "response"
    assert ticket.sla_state == "running"
    assert ticket.contract_version_id == timers["response"].contract_version_id


def test_a_rolled_back_opening_leaves_no_timer(desk):
    request = tickets.Request(
        subject="x", body="y", impact="low", urgency="low", requester=tickets.Requester("Bob")
    )
    tenant = db.session.scalars(select(Tenant).where(Tenant.id == desk.tenant_id)).one()
    tickets.open_ticket(tenant, request, by=desk.requester, at=_at())
    db.session.rollback()
    assert db.session.scalars(select(TicketTimer)).all() == []


def test_the_first_public_reply_of_staff_meets_response(desk):
    ticket = desk.open(_at())
    desk.reply(ticket, _at(0.5), kind="internal")
    assert desk.timers(ticket)["response"].state == "running"
    desk.reply(ticket, _at(0.6), by=desk.requester)
    assert desk.timers(ticket)["response"].state == "running"
    desk.reply(ticket, _at(1))
    assert desk.timers(ticket)["response"].state == "met"
    assert ("response", "met", 0) in desk.marks(ticket)
    assert ticket.next_due_kind == "resolution"


def test_waiting_for_the_requester_pauses_and_keeps_what_is_left(desk):
    ticket = desk.open(_at())
    desk.reply(ticket, _at(1))
    desk.move(ticket, "in_progress", _at(1))
    thursday_at_three = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
    assert ticket.next_due_at == thursday_at_three
    desk.move(ticket, "waiting", _at(2), "requester")
    assert ticket.sla_state == "paused"
    assert ticket.next_due_at is None
    assert ticket.sla_paused_since == _at(2)
    desk.move(ticket, "in_progress", _at(5))
    friday_at_nine = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    assert ticket.next_due_at == friday_at_nine


def test_waiting_for_a_vendor_runs_on(desk):
    ticket = desk.open(_at())
    desk.move(ticket, "in_progress", _at())
    desk.move(ticket, "waiting", _at(1), "vendor")
    assert ticket.sla_state == "running"


def test_resolving_while_paused_settles_the_pause(desk):
    ticket = desk.open(_at())
    desk.move(ticket, "in_progress", _at())
    desk.move(ticket, "waiting", _at(1), "requester")
    desk.move(ticket, "resolved", _at(3))
    timer = desk.timers(ticket)["resolution"]
    assert timer.state == "met"
    assert timer.look_at is None
    (clock,) = [
        one for one in read_clocks_of(ticket, list_history(ticket.id), _at(4)) if one.kind == "resolution"
    ]
    assert clock.verdict.elapsed_seconds == 3600
    assert clock.verdict.paused_business_seconds == 2 * 3600


def test_a_new_priority_is_measured_from_creation(desk):
    ticket = desk.open(_at(), impact="low", urgency="low")
    tickets.set_priority(ticket, priority="P2", reason="worse than it looked", by=desk.staff, at=_at(2))
    db.session.commit()
    assert desk.timers(ticket)["response"].missed_at == _at(2)
    assert desk.timers(ticket)["response"].cause == "reprioritised"
    assert ("response", "missed", 0) in desk.marks(ticket)


def test_the_sweep_warns_and_misses_once(desk):
    ticket = desk.open(_at())
    for hours in (2.1, 2.2, 3.7, 4.1, 5, 6):
        with time.frozen(_at(hours)):
            sweep.sweep_due_timers()
    db.session.rollback()
    marks = [mark for mark in desk.marks(ticket) if mark[0] == "response"]
    assert marks == [
        ("response", "warning", 50),
        ("response", "warning", 75),
        ("response", "warning", 90),
        ("response", "missed", 0),
    ]
    db.session.refresh(ticket)
    assert ticket.sla_state == "missed"


def test_a_late_sweep_records_the_true_moment(desk):
    ticket = desk.open(_at())
    with time.frozen(_at(30)):
        sweep.sweep_due_timers()
    missed = db.session.scalars(
        select(TimerMark).where(TimerMark.ticket_id == ticket.id, TimerMark.mark == "missed")
    ).one()
    assert missed.at == _at(4)
    assert missed.recorded_at == _at(30)


def test_two_sweeps_agree(desk):
    ticket = desk.open(_at())
    with time.frozen(_at(30)):
        first = sweep.sweep_due_timers()
        second = sweep.sweep_due_timers()
    assert (first, second) == (1, 0)
    assert len([mark for mark in desk.marks(ticket) if mark[1] == "missed"]) == 1


def test_one_bad_ticket_does_not_stop_the_sweep(desk, monkeypatch):
    bad, good = desk.open(_at()), desk.open(_at())
    real = sweep.refresh_ticket

    def refuse_one(ticket, **options):
        if ticket.id == bad.id:
            raise RuntimeError("broken on purpose")
        return real(ticket, **options)

    monkeypatch.setattr(sweep, "refresh_ticket", refuse_one)
    with time.frozen(_at(4.5)):
        assert sweep.sweep_due_timers() == 1
        assert sweep.sweep_due_timers() == 0
    db.session.rollback()
    assert ("response", "missed", 0) in desk.marks(good)
    assert desk.timers(bad)["response"].look_at > _at(4.5)


def test_a_miss_is_never_erased(desk):
    ticket = desk.open(_at())
    with time.frozen(_at(5)):
        sweep.sweep_due_timers()
    db.session.rollback()
    desk.reply(ticket, _at(6))
    assert ("response", "missed", 0) in desk.marks(ticket)
    assert ("response", "met", 0) not in desk.marks(ticket)
    assert desk.timers(ticket)["response"].state == "missed"


def test_reopening_goes_on_without_the_time_it_was_resolved(desk):
    ticket = desk.open(_at())
    desk.move(ticket, "in_progress", _at())
    desk.move(ticket, "resolved", _at(1))
    tickets.reopen_ticket(ticket, because="It burns again.", by=desk.requester, at=_at(3))
    db.session.commit()
    timer = desk.timers(ticket)["resolution"]
    assert timer.state in ("running", "outside_hours")
    (clock,) = [
        one for one in read_clocks_of(ticket, list_history(ticket.id), _at(4)) if one.kind == "resolution"
    ]
    assert clock.verdict.elapsed_seconds == 2 * 3600


def test_badges_need_one_statement_and_count_business_time(desk):
    opened = [desk.open(_at(hours / 10)) for hours in range(5)]
    now = _at(3)
    found = badges(opened, now)
    assert [found[one.tenant_id, one.id].remaining_seconds for one in opened] == [
        3600 + 360 * number for number in range(5)
    ]
    assert all(one.state == "running" for one in found.values())
    night = badges(opened[:1], MORNING + timedelta(hours=12))
    assert next(iter(night.values())).state == "missed"


def test_what_was_read_from_another_database_is_read_again(desk, monkeypatch):
    ticket = desk.open(_at())
    other = {(ticket.tenant_id, ticket.contract_version_id, _at(-99)): None}
    monkeypatch.setattr("contracts.terms.queries._read", other)
    assert badges([ticket], _at()).keys() == {(ticket.tenant_id, ticket.id)}
    assert badges([ticket], _at()).keys() == {(ticket.tenant_id, ticket.id)}


def test_attainment_counts_what_was_decided_in_the_month(desk):
    met, missed = desk.open(_at()), desk.open(_at())
    desk.reply(met, _at(1))
    with time.frozen(_at(5)):
        sweep.sweep_due_timers()
    db.session.rollback()
    begin, end = month_bounds(MORNING.date(), "Asia/Jakarta")
    (figures,) = [one for one in list_attainment(begin, end, desk.tenant_id) if one.clock == "response"]
    assert (figures.met, figures.missed, figures.share) == (1, 1, 0.5)
    assert missed.sla_state is not None


def test_a_month_is_the_zone_s_month():
    begin, end = month_bounds(datetime(2026, 12, 5, tzinfo=UTC).date(), "Asia/Jakarta")
    assert begin.astimezone(UTC) == datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
    assert end.astimezone(UTC) == datetime(2026, 12, 31, 17, 0, tzinfo=UTC)


def test_without_a_contract_nothing_is_promised(within, as_actor, cast):
    with within("provider") as own:
        tenant = db.session.scalars(select(Tenant).where(Tenant.id == own)).one()
        request = tickets.Request(
            subject="x", body="y", impact="low", urgency="low", requester=tickets.Requester("Owen")
        )
        ticket = tickets.open_ticket(tenant, request, by=as_actor("Owen"), at=_at())
        assert ticket.next_due_at is None
        assert badges([ticket], _at(1)) == {}
        assert read_clocks_of(ticket, list_history(ticket.id), _at(1)) == ()
        assert db.session.scalars(select(Ticket.sla_state).where(Ticket.id == ticket.id)).one() is None
