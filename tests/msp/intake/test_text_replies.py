"""SMS and WhatsApp: replies to what is resolved, closed or merged, and the one text that goes out by itself."""

import re
from datetime import timedelta

import pytest
from flask_babel import get_locale
from sqlalchemy import select, update

from msp.background import runner
from msp.intake.texts import acknowledging, rules
from msp.intake.texts.models import OutgoingText, TextThread
from msp.mail.late import conceal
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import queries, services
from tenants.tickets.models import Message, Ticket
from tests import tickets
from tests.msp.intake.gateway import PHONE, STRANGER

DAY = timedelta(days=1)


def all_of(within, model, who="Leo"):
    with within(who):
        return db.session.scalars(select(model).order_by(model.id)).all()


@pytest.fixture
def act(within):
    """Let Leo do something with a ticket of Acme: `act(code, services.take_ticket)`."""

    def do(code, *verbs, **given):
        with within("Leo") as leo:
            ticket = queries.find_ticket(code, by=leo)
            for verb in verbs:
                verb(ticket, by=leo, at=time.now(), **given)
            db.session.commit()
            return ticket

    return do


@pytest.fixture
def resolved(bring, numbers, within, act):
    """The code of what Bob asked by text, resolved."""
    bring("Printer mati")
    code = all_of(within, Ticket)[0].code
    act(code, services.change_state, to="in_progress")
    act(code, services.resolve_ticket, solution="Sudah diganti.")
    return code


def close(within, code, days):
    """Close it; it can be reopened for so many days, or could be until so many days ago."""
    with within("Leo") as leo:
        ticket = queries.find_ticket(code, by=leo)
        services.close_ticket(ticket, by=leo, at=time.now())
        ticket.reopen_until = time.now() + days * DAY
        db.session.commit()


def rest(within, days):
    """Nothing was written for so long."""
    with within("acme"):
        db.session.execute(update(TextThread).values(last_at=time.now() - days * DAY))
        db.session.commit()


def work(app):
    with app.app_context():
        return runner.run_all_due()


class TestRules:
    @pytest.mark.parametrize(
        ("state", "reopenable", "running", "thanks", "step"),
        [
            ("new", False, True, False, "say"),
            ("waiting", False, True, True, "say"),
            ("in_progress", False, False, False, "leave"),
            ("resolved", False, True, False, "reopen"),
            ("resolved", False, False, False, "reopen"),
            ("resolved", False, True, True, "say"),
            ("closed", True, False, False, "reopen"),
            ("closed", True, True, True, "note"),
            ("closed", False, True, False, "follow_up"),
            ("closed", False, False, False, "leave"),
            ("cancelled", True, True, False, "leave"),
        ],
    )
    def test_what_a_text_does(self, state, reopenable, running, thanks, step):
        given = {"is_reopenable": reopenable, "is_running": running, "is_thanks": thanks}
        assert rules.next_step(state, **given) == step

    @pytest.mark.parametrize(
        ("body", "thanks"),
        [
            ("Terima kasih banyak Pak!", True),
            ("ok, thanks", True),
            ("👍", True),
            ("Sip, sudah beres", True),
            ("It works now, thank you very much", True),
            ("", False),
            ("Sudah", False),
            ("Ok tapi masih mati", False),
            ("Belum bisa, terima kasih", False),
            ("not ok", False),
            ("Terima kasih, tapi tidak bisa", False),
            ("?", False),
        ],
    )
    def test_thanks_are_thanks_only_by_themselves(self, body, thanks):
        assert rules.is_thanks(body) is thanks


class TestReplies:
    def test_a_resolved_ticket_is_taken_up_again(self, bring, resolved, within):
        rest(within, 9)
        bring("Masih mati")
        (ticket,) = all_of(within, Ticket)
        assert ticket.state == "in_progress"
        assert all_of(within, Message)[-1].body == "Masih mati"

    def test_thanks_do_not_take_it_up_again(self, bring, resolved, within):
        bring("Terima kasih!")
        assert [one.state for one in all_of(within, Ticket)] == ["resolved"]
        close(within, resolved, days=3)
        bring("Sip 👍")
        (ticket,) = all_of(within, Ticket)
        note = all_of(within, Message)[-1]
        assert (ticket.state, note.kind, note.author_kind) == ("closed", "internal", "auto")
        assert note.body == "Bob: Sip 👍"

    def test_a_closed_one_is_reopened_within_the_contract_s_days(self, bring, resolved, within):
        close(within, resolved, days=3)
        rest(within, 9)
        bring("Mati lagi")
        (ticket,) = all_of(within, Ticket)
        assert ticket.state == "in_progress"

    def test_after_them_it_is_followed_up(self, bring, resolved, within):
        close(within, resolved, days=-1)
        bring("Mati lagi")
        bring("Halo?")
        first, second = all_of(within, Ticket)
        assert (first.state, second.follows_id) == ("closed", first.id)
        assert (second.source, second.requester_name) == ("sms", "Bob")
        assert [one.ticket_id for one in all_of(within, Message)][-2:] == [second.id, second.id]

    def test_long_afterwards_it_is_something_new(self, bring, resolved, within):
        close(within, resolved, days=-1)
        rest(within, 8)
        bring("Mati lagi")
        assert [one.follows_id for one in all_of(within, Ticket)] == [None, None]

    def test_a_number_without_an_account_follows_up_under_its_name(self, bring, sign_in, act, within):
        bring("Halo", sender=STRANGER)
        waiting = sign_in("Tina").get("/desk/messages").text
        text = re.search(r"/desk/messages/([0-9a-f-]{36})/place", waiting)[1]
        sign_in("Tina").post(f"/desk/messages/{text}/place", data={"whose": "acme", "name": "Wati"})
        code = all_of(within, Ticket)[0].code
        act(code, services.change_state, to="in_progress")
        act(code, services.resolve_ticket, solution="Beres.")
        close(within, code, days=-1)
        bring("Rusak lagi", sender=STRANGER)
        first, second = all_of(within, Ticket)
        assert (second.follows_id, second.requester_name) == (first.id, "Wati")

    def test_what_was_merged_goes_on_where_it_was_merged_into(
        self, app, cast, bring, numbers, within, act, gateway
    ):
        bring("Printer mati")
        work(app)
        (asked,) = all_of(within, Ticket)
        other = tickets.opened(app, cast, who="Alice", subject="All printers", at=time.now())
        with within("Leo") as leo:
            source, target = (queries.find_ticket(code, by=leo) for code in (asked.code, other))
            services.merge_tickets(source, target, by=leo, at=time.now())
            db.session.commit()
        bring("Masih mati")
        bring("Bagaimana?")
        said = all_of(within, Message)
        assert [(one.body, one.ticket_id) for one in said[-2:]] == [
            ("Masih mati", target.id),
            ("Bagaimana?", target.id),
        ]
        act(other, services.add_message, body="Kami ganti semua.")
        work(app)
        assert gateway.bodies[1:] == [f"Kami ganti semua.\n({other})"]
        assert gateway.taken[-1][2]["To"] == PHONE
        act(other, services.resolve_ticket, solution="Selesai.")
        close(within, other, days=-1)
        bring("Mati lagi")
        last = all_of(within, Ticket)[-1]
        assert (last.follows_id, last.requester_name) == (target.id, "Bob")

    def test_a_number_without_an_account_goes_on_there_as_well(self, app, cast, bring, sign_in, within):
        bring("Halo", sender=STRANGER)
        waiting = sign_in("Tina").get("/desk/messages").text
        text = re.search(r"/desk/messages/([0-9a-f-]{36})/place", waiting)[1]
        sign_in("Tina").post(f"/desk/messages/{text}/place", data={"whose": "acme", "name": "Wati"})
        other = tickets.opened(app, cast, who="Alice", subject="All printers", at=time.now())
        with within("Leo") as leo:
            source, target = all_of(within, Ticket)
            source, target = (queries.find_ticket(one.code, by=leo) for one in (source, target))
            services.merge_tickets(source, target, by=leo, at=time.now())
            db.session.commit()
        bring("Masih mati", sender=STRANGER)
        said = all_of(within, Message)[-1]
        assert (said.body, said.ticket_id, target.code) == ("Masih mati", target.id, other)


class TestAcknowledgement:
    def test_who_opens_a_ticket_hears_its_code_once_in_the_own_language(
        self, app, bring, numbers, within, gateway
    ):
        bring("Printer mati")
        bring("Halo?")
        work(app)
        (ticket,) = all_of(within, Ticket)
        (told,) = gateway.bodies
        assert f"Your ticket is {ticket.code};" in told
        assert f"http://portal.test/portal/tickets/{ticket.code}" in told
        (row,) = all_of(within, OutgoingText)
        assert "portal.test" not in row.body
        assert "late-link" not in conceal(row.body)

    def test_without_an_account_the_text_has_a_link_to_follow(
        self, app, client, bring, sign_in, within, gateway
    ):
        bring("Halo", sender=STRANGER)
        work(app)
        assert gateway.taken == [], "nobody knows yet whose it is"
        waiting = sign_in("Tina").get("/desk/messages").text
        text = re.search(r"/desk/messages/([0-9a-f-]{36})/place", waiting)[1]
        sign_in("Tina").post(f"/desk/messages/{text}/place", data={"whose": "acme", "name": "Wati"})
        work(app)
        (told,) = gateway.bodies
        (ticket,) = all_of(within, Ticket)
        assert ticket.code in told
        link = re.search(r"http://portal\.test(/follow/\S+)", told)[1]
        assert ticket.code in client.get(link).text
        with within("acme"):
            db.session.execute(update(Ticket).values(requester_name="Somebody else"))
            db.session.commit()
        assert client.get(link).status_code == 404

    @pytest.mark.parametrize(("chosen", "language"), [("'en'", "en"), ("NULL", "id"), ("'id'", "id")])
    def test_it_speaks_the_person_s_language_or_else_the_client_s(
        self, app, bring, numbers, within, gateway, superuser, monkeypatch, chosen, language
    ):
        monkeypatch.setattr(acknowledging, "_words", lambda ticket: f"{ticket.code} {get_locale()}")
        superuser.execute(f"UPDATE users SET language = {chosen} WHERE name = 'Bob'")
        bring("Printer mati")
        work(app)
        assert gateway.bodies[0].endswith(f" {language}")

    def test_there_is_a_budget_for_a_number_and_for_all(
        self, app, bring, numbers, within, gateway, monkeypatch
    ):
        hour = timedelta(hours=1)
        monkeypatch.setattr(acknowledging, "TO_NUMBER", acknowledging.limits.Limit("few", 2, hour))
        for _ in range(4):
            bring("Something new")
            rest(within, 8)
        work(app)
        assert len(all_of(within, Ticket)) == 4
        assert len(gateway.taken) == 2
        rest(within, 8)
        monkeypatch.setattr(acknowledging, "TO_NUMBER", acknowledging.limits.Limit("many", 90, hour))
        monkeypatch.setattr(acknowledging, "TO_ALL", acknowledging.limits.Limit("one", 1, hour))
        for sender in (PHONE, f"whatsapp:{PHONE}"):
            bring("Something new", sender=sender)
        work(app)
        assert len(all_of(within, Ticket)) == 6
        assert len(gateway.taken) == 3

    def test_running_the_job_again_sends_nothing_more(self, app, bring, numbers, within, gateway, cast):
        bring("Printer mati")
        work(app)
        (ticket,) = all_of(within, Ticket)
        from tenants.foundation.work import request_work

        with within("acme") as acme:
            request_work("acknowledge_text", tenant_id=acme, arguments={"ticket": ticket.id}, queue="mail")
            db.session.commit()
        work(app)
        assert len(gateway.taken) == 1
