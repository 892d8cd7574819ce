"""A warning or a miss tells people once, and passes the ticket up where the terms say so."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

from sqlalchemy import insert, select, update

from contracts.timers.models import TimerMark
from tenants.foundation import time
from tenants.foundation.work import Work
from tenants.people.models import StaffGrant, StaffMember
from tenants.tickets import services as tickets
from tests.guarantees.processes import environment

WARNED, MISSED = "timer_warned", "timer_missed"
UP = [
    {"at_percent": 75, "notify": ["assignee"], "hand_to": "L2"},
    {"at_percent": 100, "notify": ["lead"], "hand_to": "L3"},
]


def held_by_leo(desk):
    """Leo's open P3, its first mails sent."""
    ticket = desk.open()
    desk.assign(ticket, "Leo")
    desk.work(0)
    return ticket


def test_a_warning_tells_who_holds_the_ticket(desk):
    held_by_leo(desk)
    assert desk.sweep(1.9) == []
    assert desk.sweep(2.1) == [("leo", WARNED)]
    assert desk.sweep(3.1) == [("leo", WARNED)]
    assert desk.sweep(3.2) == []


def test_a_miss_tells_the_lead_too(desk):
    held_by_leo(desk)
    desk.sweep(3.9)
    assert desk.sweep(4.1) == [("leo", MISSED), ("dana", MISSED), ("mia", MISSED)]
    assert desk.sweep(4.2) == []


def test_what_nobody_holds_is_the_leads(desk):
    desk.open()
    desk.work(0)
    assert desk.sweep(2.1) == [("dana", WARNED), ("mia", WARNED)]


def test_a_lead_who_is_denied_the_client_is_not_told(desk, cast):
    desk.open()
    desk.work(0)
    denied = {"user_id": cast.users["Dana"], "effect": "deny", "granted_at": time.now()}
    desk.act(insert(StaffGrant).values(tenant_id=desk.tenant_id, **denied))
    desk.act(update(StaffMember).where(StaffMember.name == "Mia").values(state="left"))
    assert desk.sweep(2.1) == [("owen", WARNED)]


def test_the_mail_says_which_target_how_much_is_left_and_where(desk):
    ticket = desk.ticket(held_by_leo(desk))
    desk.sweep(2.5)
    mail = desk.mails()[-1]
    assert mail.subject == f"[{ticket.code}] 50 % of the target “First response” used: Printer is on fire"
    for words in (
        "Acme",
        "(4 h)",
        "1 h 30 min of business time are left",
        "Due 13:00 WIB",
        f"/desk/tickets/{ticket.code}",
    ):
        assert words in mail.text, words
    desk.sweep(5)
    mail = desk.mails()[-1]
    assert mail.subject == f"[{ticket.code}] Target “First response” missed: Printer is on fire"
    assert "It is over by 1 h of business time" in mail.text
    assert "13:00 WIB" in mail.html


def test_a_reply_in_time_leaves_nothing_to_tell(desk):
    ticket = held_by_leo(desk)
    desk.look(2.1)
    desk.do(ticket, tickets.add_message, "Leo", 2.2, body="On my way.")
    assert WARNED not in [what for _who, what in desk.work(2.3)]


def test_nothing_is_told_of_closed_and_imported_tickets(desk):
    cancelled = held_by_leo(desk)
    desk.look(4.1)
    desk.do(cancelled, tickets.cancel_ticket, "Leo", 4.2, reason="")
    assert desk.work(4.3) == []
    desk.open(5, source="import", external_number="INC1")
    desk.work(5)
    assert desk.sweep(200) == []


def test_a_replayed_miss_asks_for_nothing(desk):
    ticket = held_by_leo(desk)
    desk.do(ticket, tickets.change_state, "Leo", 5, to="in_progress", replay=True)
    assert "missed" in desk.rows(select(TimerMark.mark))
    assert desk.rows(select(Work.id).where(Work.kind == "act_on_mark")) == []


class TestOnce:
    """Whatever is killed, doubled or emptied."""

    def test_two_sweepers_and_two_workers_at_once(self, desk):
        held_by_leo(desk)

        for round_of in (lambda: desk.look(4.1), lambda: desk.work(4.1)):
            threads = [threading.Thread(target=round_of) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        desk.work(4.2)
        told = [(one.to_address, one.template) for one in desk.mails()]
        assert len(told) == len(set(told))
        assert [what for _who, what in told].count(MISSED) == 3

    def test_a_repeated_job_does_nothing_new(self, desk):
        desk.terms(actions=UP)
        ticket = held_by_leo(desk)
        desk.assign(ticket, "Tina")
        assert ("tina", WARNED) in desk.sweep(3.1)
        for _ in range(2):
            desk.assign(ticket, "Nadia", 3.2)
            desk.act(update(Work).where(Work.kind == "act_on_mark").values(state="due"))
            assert desk.work(3.3) == []
        assert len(desk.hand_overs(ticket)) == 1

    def test_an_emptied_redis_loses_nothing(self, app, desk):
        held_by_leo(desk)
        desk.look(4.1)
        app.extensions["redis"].flushdb()
        assert [who for who, what in desk.work(4.2) if what == MISSED] == ["leo", "dana", "mia"]

    def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(self, app, desk):
        desk.terms(actions=UP)
        ticket = held_by_leo(desk)
        desk.look(4.1)
        for moment in ("before", "after"):
            assert killed(app, "work", moment) == -signal.SIGKILL
            gone = update(Work).where(Work.state == "leased")
            desk.act(gone.values(lease_until=Work.requested_at))
        desk.work(4.2)
        told = [(one.to_address, one.subject) for one in desk.mails() if one.template == MISSED]
        assert len(told) == len(set(told)) == 2
        assert [one.to_tier for one in desk.hand_overs(ticket)] == ["L2", "L3"]

    def test_a_sweeper_killed_in_the_middle_loses_and_doubles_nothing(self, app, desk):
        held_by_leo(desk)
        for moment in ("before", "after"):
            assert killed(app, "sweep", moment) == -signal.SIGKILL
        desk.sweep(4.2)
        told = [one.to_address for one in desk.mails() if one.template == MISSED]
        assert sorted(told) == ["dana@example.test", "leo@example.test", "mia@example.test"]


def killed(app, what, moment):
    """A process that ends by kill -9 right before or after the commit of its first piece of work."""
    words = [sys.executable, "-m", "tests.msp.timers.dying", what, moment]
    return subprocess.run(words, cwd=Path(__file__).parents[3], env=environment(app), check=False).returncode


class TestPassingUp:
    def test_the_terms_tier_gets_it_with_everything_that_is_known(self, desk):
        desk.terms(actions=UP)
        ticket = held_by_leo(desk)
        desk.assign(ticket, "Tina")
        desk.do(ticket, tickets.add_message, "Tina", 0.5, body="Changed the toner.", kind="internal")
        assert desk.sweep(3.1) == [("tina", WARNED), ("tina", WARNED)]
        (passed,) = desk.hand_overs(ticket)
        assert (passed.from_tier, passed.to_tier, passed.state) == ("L1", "L2", "pending")
        assert (passed.held_by_name, passed.made_by_name) == ("Tina", "Portal")
        assert passed.symptoms == "Smoke comes out of it."
        assert "Tina: Changed the toner." in passed.tried
        assert "75" in passed.evidence
        assert "Tina" in passed.evidence
        assert desk.ticket(ticket).assignee_user_id is None
        line = next(one for one in desk.history(ticket) if one.kind == "hand_over_made")
        assert line.actor_kind == "system"
        assert (line.data["clock"], line.data["percent"]) == ("response", 75)

    def test_what_nobody_accepted_goes_further_up_and_comes_back_to_whom_it_came_from(self, desk):
        desk.terms(actions=UP)
        ticket = held_by_leo(desk)
        desk.assign(ticket, "Tina")
        desk.sweep(3.1)
        desk.sweep(4.1)
        first, second = desk.hand_overs(ticket)
        assert (first.state, second.state) == ("withdrawn", "pending")
        assert (second.from_tier, second.to_tier, second.held_by_name) == ("L1", "L3", "Tina")
        desk.do(ticket, tickets.return_hand_over, "Nadia", 4.5, reason="Only the toner.")
        assert (desk.ticket(ticket).tier, desk.ticket(ticket).assignee_name) == ("L1", "Tina")

    def test_a_ticket_that_is_up_there_already_stays(self, desk):
        desk.terms(actions=UP)
        ticket = held_by_leo(desk)
        briefing = tickets.Briefing(symptoms="a", tried="b", told_requester="c")
        desk.do(ticket, tickets.hand_over, "Leo", 1, briefing=briefing, to_tier="L3")
        desk.do(ticket, tickets.accept_hand_over, "Nadia", 1.1)
        desk.sweep(3.1)
        assert len(desk.hand_overs(ticket)) == 1

    def test_staff_read_why_and_the_client_reads_nothing_of_it(self, desk, sign_in):
        desk.terms(actions=UP)
        held = held_by_leo(desk)
        desk.assign(held, "Tina")
        ticket = desk.ticket(held)
        desk.sweep(3.1)
        staff = sign_in("Leo").get(f"/desk/tickets/{ticket.code}").text
        assert "75 % of the target “First response” were used up." in staff
        assert "Held until then by</dt><dd>Tina" in staff
        client = sign_in("Bob").get(f"/portal/tickets/{ticket.code}").text
        assert "used up" not in client

    def test_the_clients_admins_are_told_where_the_terms_say_so_without_the_tiers(self, desk):
        desk.terms(actions=[{"at_percent": 100, "notify": ["admins"], "hand_to": "L2"}])
        ticket = desk.ticket(held_by_leo(desk))
        desk.sweep(3.9)
        assert desk.sweep(4.1) == [("alice", MISSED)]
        assert f"/portal/tickets/{ticket.code}" in desk.mails()[-1].text
        assert "L2" not in desk.mails()[-1].text
