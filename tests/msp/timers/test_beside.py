"""Clocks beside the ticket's own: what the provider promises itself, and what the client never sees of it."""

from typing import ClassVar

import pytest
from sqlalchemy import select, update

from contracts.terms.document import default_terms
from contracts.terms.models import Contract
from contracts.timers.acting import claim_side_warning
from contracts.timers.models import SideTimer, TimerMark
from contracts.timers.sweep import sweep_due_side_timers
from contracts.timers.verifying import verify_tenant
from msp.console.contract_drafts import fields_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import InvalidMany
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import Work
from tenants.tenancy.archive import exported_models
from tenants.tickets import services as tickets
from tenants.tickets.vendor_models import VendorCase
from tests.msp.timers.beside import (
    MISSED,
    WARNED,
    handed_over,
    promise_ourselves,
    sweep,
    timers,
    waiting_for_vendor,
)


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


def test_a_manager_says_how_long_in_our_own_terms_only(desk, sign_in):
    promise_ourselves(desk, P3=30)
    mia = sign_in("Mia")
    ours, acmes = contract_of(desk, "provider"), contract_of(desk, "acme")
    assert 'name="acceptance_P3"' not in mia.get(f"/console/contracts/{acmes}/versions/new").text
    assert 'name="acceptance_P3"' in mia.get(f"/console/contracts/{ours}/versions/new").text
    form = typed(default_terms("Asia/Jakarta")) | {"in_force_on": "2027-02-01", "acceptance_P1": "0"}
    refused = mia.post(f"/console/contracts/{ours}/versions/new", data=form)
    assert refused.status_code == 422
    form["acceptance_P1"] = "15"
    assert mia.post(f"/console/contracts/{ours}/versions/new", data=form).status_code == 302
    said = mia.get("/console/tenants/provider/contract").text
    assert "P1: hand-over accepted within" in said
    assert "15 min" in said


def contract_of(desk, slug):
    with desk.app.app_context(), enter(of_tenant(desk.cast.tenants[slug])):
        return str(db.session.scalars(select(Contract.public_id)).one())


def typed(terms):
    """The fields of the page's form with these terms, as a browser would send them."""
    values = fields_of(terms, "Asia/Jakarta").items()
    return {
        name: "y" if value is True else str(value) for name, value in values if value not in (None, False)
    }


class TestWarnings:
    """Told how far a target is used up, once each, and never by one that is over."""

    WHOM: ClassVar = {50: ["assignee"], 75: ["lead", "admins"], 90: ["admins"]}

    def warned(self, desk, hours):
        with desk.app.app_context(), time.frozen(desk.at(hours)):
            sweep_due_side_timers()
        return [one for one in desk.work(hours) if one[1] in (WARNED, MISSED)]

    @pytest.fixture
    def passed(self, desk):
        """Handed over at one, to be accepted by two."""
        promise_ourselves(desk, warnings=self.WHOM, P3=60)
        return handed_over(desk)

    def test_at_the_percentages_of_our_own_terms_once_each_and_no_client(self, desk, passed):
        leads = [("dana", WARNED), ("mia", WARNED)]
        assert self.warned(desk, 1.49) == []
        assert self.warned(desk, 1.51) == leads
        assert "50 % of the target “Acceptance” used" in desk.mails()[-1].subject
        assert self.warned(desk, 1.52) == []
        assert self.warned(desk, 1.76) == leads
        assert self.warned(desk, 1.95) == []
        assert self.warned(desk, 2.1) == [("dana", MISSED), ("mia", MISSED)]
        (timer,) = timers(desk)
        assert (timer.warned_percent, timer.told_percent) == (75, 75)

    def test_a_job_that_runs_again_tells_nobody(self, desk, passed):
        self.warned(desk, 1.51)
        self.warned(desk, 1.76)
        desk.act(update(Work).where(Work.kind == "act_on_side_warning").values(state="due"))
        assert self.warned(desk, 1.77) == []

    def test_each_is_claimed_once(self, desk, passed):
        self.warned(desk, 1.51)
        (timer,) = timers(desk)
        with desk.app.app_context(), enter(of_tenant(desk.tenant_id)):
            assert claim_side_warning(timer.id, 50, at=desk.at(1.52)) is None
            assert claim_side_warning(timer.id, 75, at=desk.at(1.52)) is not None
            assert claim_side_warning(timer.id, 75, at=desk.at(1.52)) is None
            db.session.rollback()

    def test_a_worker_that_is_late_tells_the_last_only(self, desk, passed):
        for hours in (1.51, 1.76):
            with desk.app.app_context(), time.frozen(desk.at(hours)):
                sweep_due_side_timers()
        assert desk.work(1.77) == [("dana", WARNED), ("mia", WARNED)]
        assert "75 % of the target" in desk.mails()[-1].subject

    def test_a_sweep_that_is_late_tells_the_last_only(self, desk, passed):
        assert self.warned(desk, 1.8) == [("dana", WARNED), ("mia", WARNED)]
        assert "75 % of the target" in desk.mails()[-1].subject
        assert self.warned(desk, 1.81) == []

    def test_one_that_was_missed_meanwhile_only_tells_of_that(self, desk, passed):
        assert self.warned(desk, 2.1) == [("dana", MISSED), ("mia", MISSED)]

    def test_what_was_accepted_before_the_mail_warns_nobody(self, desk, passed):
        with desk.app.app_context(), time.frozen(desk.at(1.51)):
            sweep_due_side_timers()
        desk.do(passed, tickets.accept_hand_over, "Leo", 1.52)
        assert [one for one in desk.work(1.53) if one[1] == WARNED] == []

    def test_accepting_after_a_warning_that_nobody_swept(self, desk, passed):
        desk.do(passed, tickets.accept_hand_over, "Leo", 1.6)
        assert self.warned(desk, 1.7) == []

    def test_a_vendor_by_the_contract_of_the_ticket(self, desk):
        desk.terms(warn_at_percent=[50, 100], actions=[{"at_percent": 50, "notify": ["assignee", "admins"]}])
        waiting_for_vendor(desk)
        assert self.warned(desk, 2.1) == [("leo", WARNED)]
        assert "Vendor" in desk.mails()[-1].subject
        assert self.warned(desk, 3.1) == [("leo", MISSED), ("dana", MISSED), ("mia", MISSED)]

    def test_terms_that_tell_nobody_warn_nobody(self, desk):
        desk.terms(warn_at_percent=[50], actions=[{"at_percent": 50, "notify": []}])
        waiting_for_vendor(desk)
        assert self.warned(desk, 2.1) == []

    def test_stored_is_recomputed(self, desk, passed):
        for hours in (1.2, 1.49, 1.51, 1.76, 1.95, 2.1):
            self.warned(desk, hours)
            assert differences(desk, hours) == []
        desk.do(passed, tickets.accept_hand_over, "Leo", 2.2)
        assert differences(desk, 2.3) == []

    @pytest.mark.parametrize(
        ("hours", "change", "field"),
        [
            (1.51, {"warned_percent": 0}, "warned_percent"),
            (1.51, {"warned_percent": 75}, "warned_percent"),
            (1.51, {"look_at": None}, "look_at"),
            (2.1, {"warned_percent": 50}, "warned_percent"),
        ],
    )
    def test_a_planted_difference_is_named(self, desk, passed, hours, change, field):
        self.warned(desk, hours)
        desk.act(update(SideTimer).values(**change))
        assert differences(desk, hours + 0.2) in ([field], [field, "look_at"])


def differences(desk, hours):
    """Fields of clocks beside that are stored otherwise than recomputed."""
    with desk.app.app_context():
        found = verify_tenant(desk.tenant_id, now=desk.at(hours)).differences
    return [one.field for one in found if one.clock.startswith(("acceptance", "vendor"))]


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
        assert not {SideTimer, VendorCase} & set(exported_models("client"))

    def test_database_role(self, desk, code, superuser):
        for table in ("side_timers", "vendor_cases"):
            held = superuser.execute("SELECT has_table_privilege('portal_client', %s, 'SELECT')", (table,))
            assert held.fetchone() == (False,)
