"""A resolved ticket closes by itself after the contract's days, and a closed one can be taken up again for some."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from contracts.timers.models import TicketDeadline
from contracts.timers.verifying import verify_tenant
from msp.timers import jobs
from msp.timers.jobs import sweep_due_closings, sweep_unsettled_rest
from tenants.foundation import time
from tenants.foundation.errors import Conflict
from tenants.foundation.work import Work
from tenants.tickets import services as tickets
from tenants.tickets.models import Ticket

DAY = 24
# Seven working days from a Tuesday or a Monday: a weekend lies between.
WEEK = 9 * DAY


def resolved(desk, hours=1.0):
    """A resolved ticket, its mails sent."""
    ticket = desk.open()
    desk.assign(ticket, "Leo")
    desk.do(ticket, tickets.take_ticket, "Leo", 0.1)
    desk.do(ticket, tickets.resolve_ticket, "Leo", hours, solution="Put out.")
    desk.work(hours)
    return ticket


def rest(desk, hours):
    """What the sweeper and the workers do at an hour."""
    asked = sweep(desk, hours)
    desk.work(hours)
    return asked


def sweep(desk, hours):
    """The sweeper alone."""
    with desk.app.app_context(), time.frozen(desk.at(hours)):
        return sweep_due_closings()


def test_it_closes_seven_working_days_after_it_was_resolved(desk):
    ticket = resolved(desk)
    assert rest(desk, 1 + WEEK - 0.01) == 0
    assert desk.ticket(ticket).state == "resolved"
    assert rest(desk, 1 + WEEK) == 1
    found = desk.ticket(ticket)
    assert (found.state, found.closed_at, found.closes_at) == ("closed", desk.at(1 + WEEK), None)
    assert found.reopen_until == desk.at(1 + WEEK + 14 * DAY)
    line = desk.history(ticket)[-1]
    assert (line.kind, line.actor_kind) == ("closed", "system")
    assert rest(desk, 1 + WEEK + DAY) == 0


def test_the_terms_say_after_how_many_days(desk):
    desk.terms(auto_close_days=2, reopen_days=1)
    ticket = resolved(desk)
    rest(desk, 1 + 2 * DAY)
    assert desk.ticket(ticket).reopen_until == desk.at(1 + 3 * DAY)


def test_terms_may_say_never_by_itself_and_again_at_any_time(desk, sign_in):
    desk.terms(auto_close_days=None, reopen_days=None)
    ticket = resolved(desk)
    assert rest(desk, 1 + 500 * DAY) == 0
    desk.do(ticket, tickets.close_ticket, "Bob", 2)
    assert "You can reopen it." in sign_in("Bob").get(f"/portal/tickets/{desk.ticket(ticket).code}").text
    desk.do(ticket, tickets.reopen_ticket, "Bob", 900 * DAY, because="It burns again.")
    assert desk.ticket(ticket).state == "in_progress"


def test_what_was_reopened_stays_open(desk):
    ticket = resolved(desk)
    desk.do(ticket, tickets.reopen_ticket, "Bob", 2, because="It burns again.")
    assert rest(desk, 1 + WEEK + DAY) == 0
    assert desk.ticket(ticket).state == "in_progress"


def test_who_still_writes_has_not_let_it_rest(desk):
    ticket = resolved(desk)
    desk.do(ticket, tickets.add_message, "Bob", 6 * DAY, body="I am still testing.")
    desk.do(ticket, tickets.add_message, "Leo", 7 * DAY, body="All right.")
    assert rest(desk, 10 * DAY) == 0
    assert rest(desk, 6 * DAY + WEEK) == 1
    assert desk.ticket(ticket).state == "closed"


def test_the_job_asks_again_whether_it_rests(desk):
    ticket = resolved(desk)
    assert sweep(desk, 1 + WEEK) == 1
    desk.do(ticket, tickets.reopen_ticket, "Bob", 1 + WEEK, because="It burns again.")
    desk.work(1 + WEEK)
    assert desk.ticket(ticket).state == "in_progress"


def test_two_sweepers_ask_once_and_a_repeated_job_closes_once(app, desk):
    ticket = resolved(desk)
    asked = []
    threads = [threading.Thread(target=lambda: asked.append(sweep(desk, 1 + WEEK))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(asked) == 1
    app.extensions["redis"].flushdb()
    for _ in range(2):
        desk.work(1 + WEEK)
        desk.act(update(Work).where(Work.kind == "close_rested").values(state="due"))
    assert [line.kind for line in desk.history(ticket)].count("closed") == 1


def test_a_lost_piece_of_work_is_asked_for_again(desk):
    resolved(desk)
    assert sweep(desk, 1 + WEEK) == 1
    desk.act(update(Work).where(Work.kind == "close_rested").values(state="dead"))
    assert rest(desk, 1 + WEEK + 0.05) == 0
    assert rest(desk, 1 + WEEK + 0.2) == 1


class TestReopening:
    def test_until_the_last_moment_and_not_after(self, desk):
        ticket = resolved(desk)
        desk.do(ticket, tickets.close_ticket, "Bob", 2)
        late = 2 + 14 * DAY
        with pytest.raises(Conflict):
            desk.do(ticket, tickets.reopen_ticket, "Bob", late + 0.001, because="It burns again.")
        desk.do(ticket, tickets.reopen_ticket, "Bob", late, because="It burns again.")
        found = desk.ticket(ticket)
        assert (found.state, found.closed_at, found.reopen_until) == ("in_progress", None, None)
        assert desk.history(ticket)[-1].kind == "reopened"

    def test_the_clock_goes_on_without_the_time_it_was_done(self, desk, sign_in):
        ticket = resolved(desk)
        desk.do(ticket, tickets.close_ticket, "Bob", 2)
        desk.do(ticket, tickets.reopen_ticket, "Bob", 3, because="It burns again.")
        assert desk.ticket(ticket).next_due_at == desk.at(2 * DAY + 8)

    def test_a_cancelled_ticket_stays_so(self, desk):
        ticket = desk.open()
        desk.do(ticket, tickets.cancel_ticket, "Bob", 1, reason="")
        with pytest.raises(Conflict):
            desk.do(ticket, tickets.reopen_ticket, "Bob", 2, because="Please.")

    def test_what_an_import_replays_neither_closes_nor_reopens(self, desk):
        ticket = desk.open()
        desk.do(ticket, tickets.change_state, "Leo", 1, to="in_progress", replay=True)
        desk.do(ticket, tickets.change_state, "Leo", 2, to="resolved", replay=True)
        assert rest(desk, 100 * DAY) == 0
        assert desk.rows(select(TicketDeadline)) == []


class TestWithoutATime:
    """Tickets that were resolved before times of closing were kept, or by an import's history."""

    def settle(self, desk, hours=3.0):
        with desk.app.app_context(), time.frozen(desk.at(hours)):
            return sweep_unsettled_rest()

    def forget(self, desk):
        desk.act(delete(TicketDeadline))
        desk.act(update(Ticket).values(closes_at=None))

    def imported(self, desk):
        ticket = desk.open()
        desk.do(ticket, tickets.change_state, "Leo", 1, to="in_progress", replay=True)
        desk.do(ticket, tickets.change_state, "Leo", 2, to="resolved", replay=True)
        desk.work(2)
        return ticket

    def test_the_days_count_from_the_solution(self, desk):
        ticket = resolved(desk)
        self.forget(desk)
        assert rest(desk, 8 * DAY) == 0
        assert self.settle(desk) == 1
        assert self.settle(desk) == 0
        assert desk.ticket(ticket).closes_at == desk.at(1 + WEEK)
        assert rest(desk, 1 + WEEK - 0.01) == 0
        assert rest(desk, 1 + WEEK) == 1
        assert desk.ticket(ticket).state == "closed"

    def test_or_from_the_requesters_last_words(self, desk):
        ticket = resolved(desk)
        self.forget(desk)
        desk.do(ticket, tickets.add_message, "Bob", 50, body="I am still testing.")
        desk.do(ticket, tickets.add_message, "Leo", 60, body="All right.")
        self.settle(desk, 70)
        assert desk.ticket(ticket).closes_at == desk.at(50 + 11 * DAY)

    def test_what_was_imported_closes_in_silence(self, desk):
        ticket = self.imported(desk)
        before = len(desk.mails())
        assert self.settle(desk, 100 * DAY) == 1
        assert rest(desk, 100 * DAY) == 1
        found = desk.ticket(ticket)
        assert (found.state, found.closed_at) == ("closed", desk.at(100 * DAY))
        assert len(desk.mails()) == before
        assert rest(desk, 101 * DAY) == 0

    def test_terms_that_never_close_are_looked_at_once(self, desk):
        desk.terms(auto_close_days=None, reopen_days=None)
        ticket = self.imported(desk)
        assert self.settle(desk) == 1
        assert self.settle(desk) == 0
        assert rest(desk, 500 * DAY) == 0
        assert desk.ticket(ticket).state == "resolved"

    def test_other_states_get_none(self, desk):
        desk.open()
        closed = resolved(desk)
        desk.do(closed, tickets.close_ticket, "Bob", 2)
        reopened = resolved(desk)
        desk.do(reopened, tickets.reopen_ticket, "Bob", 2, because="It burns again.")
        self.forget(desk)
        assert self.settle(desk) == 0

    def test_so_many_a_time(self, desk, monkeypatch):
        for _ in range(3):
            resolved(desk)
        self.forget(desk)
        monkeypatch.setattr(jobs, "MOST_SETTLED", 2)
        assert [self.settle(desk) for _ in range(3)] == [2, 1, 0]

    def test_stored_is_what_is_recomputed(self, desk):
        resolved(desk)
        self.imported(desk)
        self.forget(desk)
        self.settle(desk)
        with desk.app.app_context():
            (tenant_id,) = {one.tenant_id for one in desk.rows(select(Ticket))}
            assert verify_tenant(tenant_id, now=desk.at(3)).differences == []


def test_the_requester_reads_when_it_will_close_in_mail_and_on_the_page(desk, sign_in):
    code = desk.ticket(resolved(desk)).code
    (mail,) = [one for one in desk.mails() if one.template == "ticket_resolved"]
    for said in (mail.text, mail.html, sign_in("Bob").get(f"/portal/tickets/{code}").text):
        assert "the ticket closes by itself on Thu 26 Nov" in said
    assert "Closes by itself" in sign_in("Leo").get(f"/desk/tickets/{code}").text


def test_a_closed_ticket_can_be_reopened_on_the_page_and_by_api(desk, sign_in, token, client):
    ticket = resolved(desk)
    code = desk.ticket(ticket).code
    desk.do(ticket, tickets.close_ticket, "Bob", 2)
    desk.act(update(Ticket).values(reopen_until=time.now() + timedelta(days=3)))
    bob = sign_in("Bob")
    assert "you can reopen it" in bob.get(f"/portal/tickets/{code}").text
    asked = {"Authorization": f"Bearer {token('Bob')}"}
    shown = client.get(f"/api/v1/tickets/{code}", headers=asked).get_json()
    assert shown["allowed_transitions"] == ["in_progress"]
    page = bob.post(
        f"/portal/tickets/{code}/reopen", data={"because": "Smoke.", "rev": str(desk.ticket(ticket).rev)}
    )
    assert page.status_code == 302
    assert desk.ticket(ticket).state == "in_progress"
