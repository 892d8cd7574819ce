"""Clocks beside the ticket's own: what the provider promises itself, and what the client never sees of it."""

from datetime import date

import pytest
from sqlalchemy import select, update

from contracts.terms.document import default_terms
from contracts.terms.services import add_contract
from contracts.timers.models import SideTimer, TimerMark
from contracts.timers.sweep import sweep_due_side_timers
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import InvalidMany
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import Work
from tenants.tenancy.archive import exported_models
from tenants.tickets import services as tickets

MISSED = "timer_missed"
BRIEFING = tickets.Briefing(symptoms="Smoke.", tried="Water.", told_requester="To stay calm.")


def promise_ourselves(desk, calendar="always", **minutes):
    """The provider's own terms: how long a hand-over may wait."""
    own = desk.cast.tenants["provider"]
    terms = {**default_terms("Asia/Jakarta"), "calendar": calendar}
    with desk.app.app_context(), enter(of_tenant(own)):
        add_contract(
            own,
            name="Among ourselves",
            time_zone="Asia/Jakarta",
            starts_on=date(2026, 1, 1),
            ends_on=None,
            terms={**terms, "ola": {"acceptance_minutes": minutes}},
            by=Actor.system("test"),
            at=desk.june,
        )
        db.session.commit()


def handed_over(desk, hours=1.0):
    """Tina's P3, handed to L2."""
    ticket = desk.open()
    desk.assign(ticket, "Tina")
    desk.do(ticket, tickets.hand_over, "Tina", hours, briefing=BRIEFING, to_tier="L2")
    desk.work(hours)
    return ticket


def sweep(desk, hours):
    with desk.app.app_context(), time.frozen(desk.at(hours)):
        swept = sweep_due_side_timers()
    return swept, [one for one in desk.work(hours) if one[1] == MISSED]


def timers(desk):
    return desk.rows(select(SideTimer).order_by(SideTimer.id))


def test_from_handed_over_until_accepted(desk):
    promise_ourselves(desk, P3=30)
    ticket = handed_over(desk)
    (timer,) = timers(desk)
    assert (timer.clock, timer.state, timer.target_seconds) == ("acceptance", "running", 1800)
    assert (timer.started_at, timer.due_at) == (desk.at(1), desk.at(1.5))
    desk.do(ticket, tickets.accept_hand_over, "Leo", 1.25)
    (timer,) = timers(desk)
    assert (timer.state, timer.stopped_at, timer.look_at) == ("met", desk.at(1.25), None)
    assert sweep(desk, 3) == (0, [])


def test_returned_late_is_a_miss(desk):
    promise_ourselves(desk, P3=30)
    ticket = handed_over(desk)
    desk.do(ticket, tickets.return_hand_over, "Leo", 2, reason="Try the plug.")
    (timer,) = timers(desk)
    assert (timer.state, timer.missed_at) == ("missed", desk.at(1.5))
    assert desk.work(2) == [("dana", MISSED), ("mia", MISSED)]


def test_it_never_pauses_and_runs_by_our_own_calendar(desk):
    promise_ourselves(desk, calendar=default_terms("Asia/Jakarta")["calendar"], P3=60)
    ticket = handed_over(desk, 7.5)
    desk.do(ticket, tickets.change_state, "Leo", 7.6, to="in_progress")
    desk.do(ticket, tickets.change_state, "Leo", 7.7, to="waiting", reason="requester")
    (timer,) = timers(desk)
    assert timer.due_at == desk.at(23.5)


def test_the_lead_is_told_once(desk):
    promise_ourselves(desk, P3=30)
    handed_over(desk)
    assert sweep(desk, 1.5) == (0, [])
    assert sweep(desk, 1.6) == (1, [("dana", MISSED), ("mia", MISSED)])
    assert "Target “Acceptance” missed" in desk.mails()[-1].subject
    desk.act(update(Work).where(Work.kind == "act_on_side_timer").values(state="due"))
    assert sweep(desk, 1.7) == (0, [])


def test_a_ticket_that_is_done_needs_no_acceptance(desk):
    promise_ourselves(desk, P3=30)
    ticket = handed_over(desk)
    desk.do(ticket, tickets.cancel_ticket, "Bob", 1.1, reason="")
    assert sweep(desk, 1.6) == (1, [])
    (timer,) = timers(desk)
    assert (timer.state, timer.look_at) == ("not_applicable", None)


def test_a_hand_over_that_gave_way_is_measured_no_more(desk):
    promise_ourselves(desk, P3=30)
    desk.terms(actions=[{"at_percent": 100, "notify": [], "hand_to": "L3"}])
    handed_over(desk, 3.9)
    desk.sweep(4.1)
    first, second = timers(desk)
    assert (first.state, first.stopped_at) == ("met", desk.at(4.1))
    assert (second.started_at, second.stopped_at) == (desk.at(4.1), None)


@pytest.mark.parametrize("minutes", [None, {"P1": 15}])
def test_nothing_is_measured_that_we_did_not_promise_ourselves(desk, minutes):
    if minutes is not None:
        promise_ourselves(desk, **minutes)
    handed_over(desk)
    assert timers(desk) == []


@pytest.mark.parametrize(
    ("ola", "field"),
    [
        ([], "ola"),
        ({}, "ola.acceptance_minutes"),
        ({"acceptance_minutes": {"P1": 0}}, "ola.acceptance_minutes.P1"),
        ({"acceptance_minutes": {"P9": 5}}, "ola.acceptance_minutes.P9"),
    ],
)
def test_impossible_promises_are_refused_by_field(desk, ola, field):
    with pytest.raises(InvalidMany) as refused:
        desk.terms(ola=ola)
    assert [one for one, _words in refused.value.errors] == [field]


def test_staff_see_it_in_the_queue_and_on_the_ticket(desk, sign_in):
    promise_ourselves(desk, P3=30)
    code = desk.ticket(handed_over(desk)).code
    for path in ("/desk/", f"/desk/tickets/{code}"):
        assert "Acceptance" in sign_in("Leo").get(path).text


class TestTheClient:
    """Pages, API, export and the database role."""

    @pytest.fixture
    def code(self, desk):
        promise_ourselves(desk, P3=30)
        ticket = handed_over(desk)
        sweep(desk, 1.6)
        return desk.ticket(ticket).code

    def test_pages(self, code, sign_in):
        for name in ("Bob", "Alice"):
            for path in ("/portal/", "/portal/tickets", f"/portal/tickets/{code}"):
                assert "cceptance" not in sign_in(name).get(path).text

    def test_api(self, code, client, token):
        for path in ("", "/timers", "/events"):
            asked = {"Authorization": f"Bearer {token('Alice')}"}
            assert "acceptance" not in client.get(f"/api/v1/tickets/{code}{path}", headers=asked).text

    def test_figures(self, desk, code):
        assert "acceptance" not in desk.rows(select(TimerMark.clock))

    def test_export(self):
        assert SideTimer not in exported_models("client")

    def test_database_role(self, desk, code, superuser):
        held = superuser.execute("SELECT has_table_privilege('portal_client', 'side_timers', 'SELECT')")
        assert held.fetchone() == (False,)
