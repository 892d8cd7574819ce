"""What clocks of this kind usually get wrong, from the desk's verbs to what is stored, swept and sent."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, event, select, update

from contracts.clock.history import ClockKind
from contracts.terms.document import default_terms
from contracts.timers.models import TicketTimer, TimerMark
from contracts.timers.queries import read_clocks_of
from contracts.timers.reading import entries_of
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tickets import services as tickets
from tenants.tickets.models import Ticket
from tenants.tickets.queries import list_history

HOUR = 3600
# Friday, 15:00 in Jakarta, in hours from the Tuesday morning on which the desk begins.
FRIDAY = 3 * 24 + 6


def taken(desk, hours=0.0, **how):
    ticket = desk.open(hours, **how)
    desk.do(ticket, tickets.take_ticket, "Leo", hours)
    return ticket


def wait(desk, ticket, hours, reason="requester"):
    desk.do(ticket, tickets.change_state, "Leo", hours, to="waiting", reason=reason)


def work_on(desk, ticket, hours):
    desk.do(ticket, tickets.change_state, "Leo", hours, to="in_progress")


def resolution(desk, ticket, hours):
    """The latest cycle of the resolution clock at an hour."""
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        readings = read_clocks_of(desk.ticket(ticket), list_history(ticket), desk.at(hours))
    return [one for one in readings if one.kind is ClockKind.RESOLUTION][-1]


def marks(desk, ticket):
    return [
        (one.clock, one.mark) for one in desk.rows(select(TimerMark).where(TimerMark.ticket_id == ticket))
    ]


def test_months_of_waiting_are_not_work_when_it_is_resolved_straight_from_the_wait(desk):
    ticket = taken(desk)
    wait(desk, ticket, 2)
    august = 180 * 24
    desk.do(ticket, tickets.resolve_ticket, "Leo", august, solution="Done.")
    reading = resolution(desk, ticket, august)
    assert reading.verdict.elapsed_seconds == 2 * HOUR
    assert reading.verdict.paused_business_seconds > 1000 * HOUR
    assert ("resolution", "met") in marks(desk, ticket)
    (stored,) = desk.rows(select(TicketTimer).where(TicketTimer.clock == "resolution"))
    assert (stored.state, stored.look_at) == ("met", None)


def test_due_times_are_sent_with_their_offset(desk, client, token):
    ticket = desk.ticket(taken(desk))
    asked = {"Authorization": f"Bearer {token('Bob')}"}
    sent = client.get(f"/api/v1/tickets/{ticket.code}", headers=asked).get_json()["due_at"]
    read = datetime.fromisoformat(sent)
    assert read.utcoffset() is not None
    assert read == ticket.next_due_at


def test_a_new_urgency_keeps_the_pauses_there_were(desk):
    ticket = taken(desk)
    wait(desk, ticket, 1)
    work_on(desk, ticket, 4)
    desk.do(ticket, tickets.set_priority, "Leo", 5, priority="P2", reason="Worse.")
    verdict = resolution(desk, ticket, 5).verdict
    assert (verdict.elapsed_seconds, verdict.paused_business_seconds) == (2 * HOUR, 3 * HOUR)


def test_waiting_over_a_weekend_gives_no_days(desk):
    ticket = taken(desk, FRIDAY)
    due = resolution(desk, ticket, FRIDAY).verdict.due_at
    wait(desk, ticket, FRIDAY + 1)
    monday = FRIDAY + 66
    work_on(desk, ticket, monday)
    verdict = resolution(desk, ticket, monday).verdict
    assert verdict.due_at - due == timedelta(hours=2)
    assert verdict.paused_business_seconds == 2 * HOUR  # Friday 16:00 to 17:00, Monday 08:00 to 09:00
    assert verdict.elapsed_seconds == HOUR


@pytest.mark.parametrize("stale", [0.5, 30])
def test_the_sweep_believes_the_clock_and_not_a_stored_date(desk, stale):
    ticket = taken(desk)
    desk.do(ticket, tickets.add_message, "Leo", 0.2, body="Which printer?")
    wait(desk, ticket, 0.5)
    past = {"look_at": desk.at(stale), "due_at": desk.at(stale), "state": "running"}
    desk.act(update(TicketTimer).where(TicketTimer.clock == "resolution").values(**past))
    assert desk.look(24 * 30) == 1
    assert ("resolution", "missed") not in marks(desk, ticket)
    (stored,) = desk.rows(select(TicketTimer).where(TicketTimer.clock == "resolution"))
    assert (stored.state, stored.due_at) == ("paused", None)


@pytest.mark.parametrize(
    ("rule", "elapsed", "cycles"), [("continue", 3, 1), ("count", 5, 1), ("new_cycle", 1, 2)]
)
def test_what_reopening_does_to_the_time_it_was_solved_is_for_the_contract_to_say(
    desk, rule, elapsed, cycles
):
    desk.terms(reopen=rule)
    ticket = taken(desk)
    desk.do(ticket, tickets.resolve_ticket, "Leo", 2, solution="Done.")
    desk.do(ticket, tickets.reopen_ticket, "Bob", 4, because="It burns again.")
    reading = resolution(desk, ticket, 5)
    assert reading.verdict.elapsed_seconds == elapsed * HOUR
    assert reading.cycle == cycles
    assert {one.reason for one in reading.verdict.intervals if one.kind == "paused"} <= {"resolved"}


@pytest.mark.parametrize(("reasons", "verdict"), [(["vendor"], "met"), (["requester"], "missed")])
def test_which_waits_stop_the_clock_is_for_the_contract_to_say(desk, reasons, verdict):
    desk.terms(pause_reasons={"response": [], "update": [], "resolution": reasons})
    ticket = taken(desk, impact="medium", urgency="high")
    wait(desk, ticket, 1, "vendor")
    work_on(desk, ticket, 30)
    desk.do(ticket, tickets.resolve_ticket, "Leo", 31, solution="Done.")
    decided = [mark for clock, mark in marks(desk, ticket) if clock == "resolution" and mark != "warning"]
    assert decided == [verdict]


class TestStateNotHandlers:
    """A clock is read from the history at every instant; nothing depends on a handler that once ran."""

    def test_without_a_stored_row_the_clock_says_the_same(self, desk):
        ticket = taken(desk)
        wait(desk, ticket, 1)
        before = resolution(desk, ticket, 5)
        desk.act(delete(TicketTimer))
        assert resolution(desk, ticket, 5).verdict == before.verdict

    @pytest.mark.parametrize(
        ("begins", "state"),
        [({"state": "waiting", "reason": "requester"}, "paused"), ({"state": "closed"}, None)],
    )
    def test_created_waiting_burns_nothing_and_created_closed_never_runs(
        self, desk, superuser, begins, state
    ):
        ticket = desk.open()
        data = {**desk.history(ticket)[0].data, **begins}
        superuser.execute("UPDATE ticket_events SET data = %s", (json.dumps(data),))
        reading = resolution(desk, ticket, 24)
        assert reading.verdict.elapsed_seconds == 0
        assert reading.verdict.state == (state or "not_applicable")


def by_portal(sign_in, _client, _token, code):
    form = {"body": "The red one.", "kind": "public"}
    return sign_in("Bob").post(f"/portal/tickets/{code}/messages", data=form).status_code == 302


def by_api(_sign_in, client, token, code):
    said = {"body": "The red one.", "kind": "public"}
    asked = {"Authorization": f"Bearer {token('Bob')}", "Idempotency-Key": "an-answer"}
    return client.post(f"/api/v1/tickets/{code}/messages", json=said, headers=asked).status_code == 201


@pytest.mark.parametrize("answer", [by_portal, by_api])
def test_an_answer_ends_the_wait_whichever_way_it_came(desk, sign_in, client, token, answer):
    ticket = taken(desk)
    wait(desk, ticket, 1)
    assert answer(sign_in, client, token, desk.ticket(ticket).code)
    found = desk.ticket(ticket)
    assert (found.state, found.sla_paused_since) == ("in_progress", None)
    assert [one.kind for one in entries_of(desk.history(ticket))][-2:] == ["replied", "state_changed"]


def test_ten_years_of_holidays_cost_no_statement_more(desk, app):
    first = datetime(2020, 1, 1, tzinfo=UTC).date()
    days = [(first + timedelta(days=9 * number)).isoformat() for number in range(400)]
    counts = []
    for holidays in ([], days):
        if holidays:
            calendar = {**default_terms("Asia/Jakarta")["calendar"], "holidays": holidays}
            desk.terms(calendar=calendar)
        ticket = taken(desk)
        wait(desk, ticket, 1)
        counts.append(statements(desk, ticket, 24 * 365 * 8))
    assert counts[0] == counts[1] <= 3


def statements(desk, ticket, hours):
    """How many statements it takes to read all clocks of a ticket at an hour."""
    seen = []
    with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
        found = db.session.scalars(select(Ticket).where(Ticket.id == ticket)).one()

        def note(_connection, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            read_clocks_of(found, list_history(ticket), desk.at(hours))
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)
