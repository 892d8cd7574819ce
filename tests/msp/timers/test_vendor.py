"""The clock beside a ticket that waits for a vendor: by whose promise, until when, and who is told."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from tenants.foundation.errors import InvalidMany
from tenants.tickets import services as tickets
from tenants.tickets.models import Ticket
from tenants.tickets.vendor_models import VendorCase
from tests.msp.timers.beside import ASK, MISSED, sweep, timers, waiting_for_vendor


class TestVendor:
    def test_from_sent_until_answered_beside_our_own_clock(self, desk):
        ticket = waiting_for_vendor(desk)
        (timer,) = timers(desk)
        assert (timer.clock, timer.started_at, timer.due_at) == ("vendor", desk.at(1), desk.at(3))
        assert desk.ticket(ticket).sla_state == "running"
        desk.do(ticket, tickets.change_state, "Leo", 2, to="in_progress")
        (timer,) = timers(desk)
        assert (timer.state, timer.stopped_at) == ("met", desk.at(2))
        (case,) = desk.rows(select(VendorCase))
        assert (case.vendor, case.reference, case.answered_at) == ("Printco", "PC-77", desk.at(2))

    @pytest.mark.parametrize(("calendar", "due"), [("contract", 24.5), ("always", 9.5)])
    def test_by_the_calendar_that_was_said(self, desk, calendar, due):
        waiting_for_vendor(desk, replace(ASK, calendar=calendar), 7.5)
        (timer,) = timers(desk)
        assert timer.due_at == desk.at(due)

    def test_whoever_holds_the_ticket_and_the_lead_are_told_once(self, desk):
        waiting_for_vendor(desk)
        told = [("leo", MISSED), ("dana", MISSED), ("mia", MISSED)]
        assert sweep(desk, 3.1) == (1, told)
        assert sweep(desk, 3.2) == (0, [])

    def test_without_a_promise_nothing_is_measured_and_without_anything_nothing_kept(self, desk):
        waiting_for_vendor(desk, tickets.VendorAsk(vendor="Printco"))
        waiting_for_vendor(desk, tickets.VendorAsk())
        assert timers(desk) == []
        assert len(desk.rows(select(VendorCase))) == 1

    def test_waiting_for_something_else_ends_it(self, desk):
        ticket = waiting_for_vendor(desk)
        desk.do(ticket, tickets.change_state, "Leo", 2, to="waiting", reason="part")
        (timer,) = timers(desk)
        assert timer.stopped_at == desk.at(2)

    def test_a_second_question_ends_the_first(self, desk):
        ticket = waiting_for_vendor(desk)
        desk.do(ticket, tickets.wait_for_vendor, "Leo", 2, ask=replace(ASK, reference="PC-78"))
        first, second = timers(desk)
        assert (first.stopped_at, second.started_at) == (desk.at(2), desk.at(2))

    def test_the_client_may_withdraw_meanwhile(self, desk):
        ticket = waiting_for_vendor(desk)
        desk.do(ticket, tickets.cancel_ticket, "Bob", 2, reason="")
        assert sweep(desk, 3.1) == (1, [])
        (timer,) = timers(desk)
        assert timer.state == "not_applicable"

    def test_the_form_keeps_what_is_known_and_staff_alone_see_it(self, desk, sign_in):
        ticket = desk.open()
        desk.assign(ticket, "Leo")
        desk.do(ticket, tickets.take_ticket, "Leo", 0.1)
        code, leo = desk.ticket(ticket).code, sign_in("Leo")
        form = {"reason": "vendor", "vendor": "Printco", "reference": "PC-77", "promised_hours": "1.5"}
        form |= {"calendar": "always", "rev": str(desk.ticket(ticket).rev)}
        wrong = leo.post(f"/desk/tickets/{code}/wait", data={**form, "promised_hours": "-1"})
        assert wrong.status_code == 422
        assert "Printco" in wrong.text
        assert desk.ticket(ticket).state == "in_progress"
        assert leo.post(f"/desk/tickets/{code}/wait", data=form).status_code == 302
        (timer,) = timers(desk)
        assert timer.target_seconds == 5400
        page = leo.get(f"/desk/tickets/{code}").text
        assert "Printco" in page
        assert "PC-77" in page
        assert "s answer</span>" in page, re.findall(".{40}nswer.{30}", page)
        for name in ("Bob", "Alice"):
            page = sign_in(name).get(f"/portal/tickets/{code}").text
            assert "Printco" not in page
            assert "s answer</span>" not in page

    @pytest.mark.parametrize(
        ("ask", "field"),
        [
            (tickets.VendorAsk(vendor="x" * 121), "vendor"),
            (tickets.VendorAsk(reference="a\x00b"), "reference"),
            (tickets.VendorAsk(promised_minutes=0), "promised_hours"),
            (tickets.VendorAsk(vendor="Printco", calendar="sometimes"), "calendar"),
        ],
    )
    def test_impossible_cases_are_refused_whole(self, desk, ask, field):
        with pytest.raises(InvalidMany) as refused:
            waiting_for_vendor(desk, ask)
        assert [one for one, _words in refused.value.errors] == [field]
        assert desk.rows(select(Ticket.state)) == ["in_progress"]
