"""SMS and WhatsApp: signed, each once, to the right ticket; answers go out by a real gateway and never twice."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from msp.background import runner
from msp.intake.texts import acknowledging, sending
from msp.intake.texts import gateway as texts
from msp.intake.texts.models import IncomingText, OutgoingText, TextThread
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.work import Work
from tenants.people.models import Membership
from tenants.tickets import queries, services
from tenants.tickets.models import Message, Ticket
from tests.msp.intake import gateway as fake
from tests.msp.intake.gateway import PHONE, STRANGER


@pytest.fixture(autouse=True)
def unacknowledged(monkeypatch):
    """What goes out by itself has tests of its own."""
    monkeypatch.setattr(acknowledging, "TO_ALL", acknowledging.limits.Limit("none", 0, timedelta(hours=1)))


def all_of(within, model, who="Leo"):
    with within(who):
        return db.session.scalars(select(model).order_by(model.id)).all()


def the_ticket(within):
    (ticket,) = all_of(within, Ticket)
    return ticket


def reply(within, ticket, body="We look at it", kind="public"):
    with within("Tina") as tina:
        found = queries.find_ticket(ticket.code, by=tina)
        services.add_message(found, body=body, kind=kind, by=tina, at=time.now())
        db.session.commit()


def work(app):
    with app.app_context():
        return runner.run_all_due()


def work_now(app, within):
    """Do what is due later, too."""
    with within("acme"):
        db.session.execute(update(Work).where(Work.state == "due").values(due_at=time.now()))
        db.session.commit()
    return work(app)


class TestSignature:
    def test_it_is_made_as_the_gateway_documents_it(self):
        url = "https://example.com/myapp.php?foo=1&bar=2"
        fields = {
            "CallSid": ["CA1234567890ABCDE"],
            "Caller": ["+14158675310"],
            "Digits": ["1234"],
            "From": ["+14158675310"],
            "To": ["+18005551212"],
        }
        assert texts.signature_of("12345", url, fields) == "L/OH5YylLD5NRKLltdqwSvS0BnU="

    @pytest.mark.parametrize("wrong", [{"token": "another token"}, {"signature": "junk"}, {"signature": "é"}])
    def test_a_wrong_one_keeps_nothing(self, bring, within, wrong):
        assert bring(**wrong).status_code == 403
        assert all_of(within, IncomingText) == []

    def test_a_signature_over_other_words_or_another_address_is_wrong(self, client, key, gateway, within):
        fields = {"MessageSid": "SM1", "From": PHONE, "Body": "x"}
        said = {one: [fields[one]] for one in fields}
        for url, sent in (
            (f"http://evil.test/intake/messages/{key}", fields),
            (f"http://portal.test/intake/messages/{key}", fields | {"Body": "y"}),
            (f"http://portal.test/intake/messages/{key}?a=1", fields),
        ):
            signed = texts.signature_of(fake.TOKEN, url, said)
            answer = client.post(
                f"/intake/messages/{key}",
                data=sent,
                headers={"X-Twilio-Signature": signed, "Host": "evil.test"},
            )
            assert answer.status_code == 403

    def test_another_key_is_not_there(self, bring):
        assert bring(to="/intake/messages/never-was").status_code == 404

    def test_without_a_gateway_nothing_comes_in(self, client, key, database):
        signed = texts.signature_of("", f"http://portal.test/intake/messages/{key}", {"From": [PHONE]})
        answer = client.post(
            f"/intake/messages/{key}", data={"From": PHONE}, headers={"X-Twilio-Signature": signed}
        )
        assert answer.status_code == 403


class TestArriving:
    @pytest.mark.parametrize(("sender", "source"), [(PHONE, "sms"), (f"whatsapp:{PHONE}", "whatsapp")])
    def test_a_known_number_opens_a_ticket_of_its_client(self, bring, numbers, within, cast, sender, source):
        answer = bring(sender=sender)
        assert answer.status_code == 200
        assert answer.content_type.startswith("text/xml")
        ticket = the_ticket(within)
        assert (ticket.tenant_id, ticket.source) == (cast.tenants["acme"], source)
        assert (ticket.requester_name, ticket.requester_user_id) == ("Bob", cast.users["Bob"])

    def test_the_same_number_of_a_text_again_gets_the_same_answer_and_does_nothing(
        self, bring, numbers, within
    ):
        answers = [bring(MessageSid="SMsame", Body="Once") for _ in range(3)]
        assert len({(one.status_code, one.data) for one in answers}) == 1
        assert len(all_of(within, Message)) == 1

    def test_a_running_conversation_goes_on_and_ends_after_a_week(self, bring, numbers, within):
        bring("The printer is dead")
        bring("It smokes now")
        ticket = the_ticket(within)
        said = all_of(within, Message)
        assert [(one.body, one.author_kind) for one in said] == [
            ("The printer is dead", "requester"),
            ("It smokes now", "requester"),
        ]
        with within("acme"):
            db.session.execute(update(TextThread).values(last_at=time.now() - timedelta(days=8)))
            db.session.commit()
        bring("Something else")
        assert len(all_of(within, Ticket)) == 2
        assert ticket.source == "sms"

    def test_a_closed_ticket_takes_no_more(self, bring, numbers, within):
        bring()
        with within("Tina") as tina:
            ticket = queries.find_ticket(the_ticket(within).code, by=tina)
            services.cancel_ticket(ticket, reason="Twice", by=tina, at=time.now())
            db.session.commit()
        bring("And again")
        assert len(all_of(within, Ticket)) == 2

    def test_the_two_channels_are_two_conversations(self, bring, numbers, within):
        bring()
        bring(sender=f"whatsapp:{PHONE}")
        assert [one.source for one in all_of(within, Ticket)] == ["sms", "whatsapp"]

    def test_an_unknown_number_waits_for_staff_and_nobody_else(self, bring, within, sign_in):
        bring("<b>Hello</b>", sender=STRANGER)
        assert all_of(within, Ticket) == []
        page = sign_in("Tina").get("/desk/messages").text
        assert "&lt;b&gt;Hello" in page
        assert sign_in("Alice").get("/desk/messages").status_code == 403

    def test_managers_see_what_to_enter_at_the_gateway(self, gateway, key, sign_in):
        assert f"http://portal.test/intake/messages/{key}" in sign_in("Mia").get("/desk/messages").text
        assert key not in sign_in("Tina").get("/desk/messages").text

    def test_a_number_of_two_clients_waits_for_staff(self, bring, within):
        for slug, name in (("acme", "Bob"), ("globex", "Gus")):
            with within(slug):
                db.session.execute(
                    update(Membership).where(Membership.name == name).values(phone=PHONE, known_phone=PHONE)
                )
                db.session.commit()
        bring()
        assert all_of(within, Ticket) == []
        assert len(all_of(within, IncomingText)) == 1

    def test_media_are_counted_and_never_fetched(self, bring, numbers, within, gateway):
        bring("", NumMedia="2", MediaUrl0=f"{gateway.url}/steal", MediaUrl1="http://169.254.169.254/")
        (message,) = all_of(within, Message)
        assert "2" in message.body
        assert "steal" not in message.body
        assert gateway.taken == []

    @pytest.mark.parametrize(
        "fields",
        [
            {"MessageSid": ""},
            {"MessageSid": "x" * 65},
            {"MessageSid": "a'; --"},
            {"sender": "bob"},
            {"sender": ""},
            {"sender": "08123456789"},
        ],
    )
    def test_what_has_no_form_is_refused(self, bring, numbers, within, fields):
        assert bring(**fields).status_code == 422
        assert all_of(within, IncomingText) == []

    def test_nul_and_very_long_words_are_kept_as_far_as_they_can_be(self, bring, numbers, within):
        bring("a\x00b" + "x" * 100_000, NumMedia="99999999")
        (message,) = all_of(within, Message)
        assert message.body.startswith("abxxx")
        assert len(message.body) <= 20_000

    def test_a_suspended_client_gets_nothing(self, bring, numbers, within, superuser):
        superuser.execute("UPDATE tenants SET state = 'suspended' WHERE slug = 'acme'")
        bring()
        assert all_of(within, Ticket) == []
        assert len(all_of(within, IncomingText)) == 1


class TestPlacing:
    @pytest.fixture
    def waiting(self, bring, within):
        bring("Who am I?", sender=STRANGER)
        return str(all_of(within, IncomingText)[0].public_id)

    def test_staff_place_it_and_the_number_is_known_from_then_on(self, bring, waiting, sign_in, within, cast):
        tina = sign_in("Tina")
        made = tina.post(f"/desk/messages/{waiting}/place", data={"whose": "acme", "name": "Wati"})
        assert "/desk/tickets/ACME-" in made.location
        again = tina.post(f"/desk/messages/{waiting}/place", data={"whose": "acme"})
        assert again.status_code == 409
        assert the_ticket(within).requester_name == "Wati"
        (kept,) = all_of(within, IncomingText)
        assert (kept.state, kept.body) == ("placed", "")
        bring("It is me again", sender=STRANGER)
        assert [one.author_kind for one in all_of(within, Message)] == ["requester", "requester"]
        assert "Who am I?" not in tina.get("/desk/messages").text

    @pytest.mark.parametrize("whose", ["globex", "provider", "never-was"])
    def test_a_client_that_one_is_not_granted_is_not_there(self, waiting, sign_in, within, whose):
        answer = sign_in("Tina").post(f"/desk/messages/{waiting}/place", data={"whose": whose})
        assert answer.status_code == 404
        assert all_of(within, Ticket) == []

    def test_it_is_put_aside_with_a_reason(self, waiting, sign_in, within):
        tina = sign_in("Tina")
        assert tina.post(f"/desk/messages/{waiting}/dismiss", data={"reason": ""}).status_code == 422
        assert tina.post(f"/desk/messages/{waiting}/dismiss", data={"reason": "Ads"}).status_code == 302
        assert all_of(within, IncomingText)[0].state == "dismissed"


class TestAnswers:
    @pytest.fixture
    def ticket(self, bring, numbers, within):
        bring()
        return the_ticket(within)

    def test_a_public_reply_goes_out_once(self, app, ticket, within, gateway):
        reply(within, ticket, "We look at it & call")
        work(app)
        work(app)
        ((path, secret, fields),) = gateway.taken
        assert path == f"/2010-04-01/Accounts/{fake.ACCOUNT}/Messages.json"
        assert secret == fake.basic()
        assert (fields["To"], fields["From"]) == (PHONE, fake.OURS)
        assert fields["Body"] == f"We look at it & call\n({ticket.code})"
        assert all_of(within, OutgoingText)[0].state == "sent"

    def test_internal_notes_and_other_tickets_do_not(self, app, cast, ticket, within, gateway):
        from tests.tickets import opened

        reply(within, ticket, "Secret", kind="internal")
        other = opened(app, cast)
        with within("Tina") as tina:
            services.add_message(queries.find_ticket(other, by=tina), body="Hello", by=tina, at=time.now())
            db.session.commit()
        work(app)
        assert gateway.taken == []

    def test_whatsapp_is_answered_by_whatsapp(self, app, bring, numbers, within, gateway):
        bring(sender=f"whatsapp:{PHONE}")
        reply(within, the_ticket(within))
        work(app)
        assert gateway.taken[0][2]["To"] == f"whatsapp:{PHONE}"
        assert gateway.taken[0][2]["From"] == f"whatsapp:{fake.OURS}"

    @pytest.mark.parametrize("busy", [429, 503])
    def test_a_busy_gateway_is_asked_again(self, app, ticket, within, gateway, busy):
        gateway.answers = [busy]
        reply(within, ticket)
        work(app)
        assert all_of(within, OutgoingText)[0].state == "queued"
        work_now(app, within)
        assert all_of(within, OutgoingText)[0].state == "sent"
        assert len(gateway.taken) == 2

    @pytest.mark.parametrize("how", ["break", 500, 502, "junk"])
    def test_after_an_ambiguous_break_it_is_not_sent_again(self, app, ticket, within, gateway, how):
        gateway.answers = [how]
        reply(within, ticket)
        work(app)
        work_now(app, within)
        assert all_of(within, OutgoingText)[0].state == "unknown"
        assert len(gateway.taken) == 1

    @pytest.mark.parametrize("refusal", [400, 401, 404, 302])
    def test_a_refusal_is_final_and_a_redirect_is_not_followed(self, app, ticket, within, gateway, refusal):
        gateway.answers = [refusal]
        reply(within, ticket)
        work(app)
        work_now(app, within)
        assert all_of(within, OutgoingText)[0].state == "failed"
        assert len(gateway.taken) == 1

    def test_a_sender_that_died_while_sending_leaves_it_unclear(self, app, ticket, within, gateway):
        reply(within, ticket)
        with within("acme"):
            db.session.execute(update(OutgoingText).values(state="sending"))
            db.session.commit()
        work(app)
        assert all_of(within, OutgoingText)[0].state == "unknown"
        assert gateway.taken == []

    def test_a_gateway_that_is_away_is_asked_again(self, app, ticket, within, gateway, monkeypatch):
        reply(within, ticket)
        nowhere = replace(app.extensions["settings"], messages_url="http://127.0.0.1:1")
        with monkeypatch.context() as patched:
            patched.setitem(app.extensions, "settings", nowhere)
            work(app)
        assert all_of(within, OutgoingText)[0].state == "queued"
        work_now(app, within)
        assert len(gateway.taken) == 1

    def test_a_switched_off_gateway_is_said_on_the_ticket(self, app, ticket, within, sign_in, monkeypatch):
        off = replace(app.extensions["settings"], messages_url="")
        monkeypatch.setitem(app.extensions, "settings", off)
        reply(within, ticket)
        (row,) = all_of(within, OutgoingText)
        assert (row.state, row.last_error) == ("failed", sending.OFF)
        assert "The gateway is switched off" in sign_in("Tina").get(f"/desk/tickets/{ticket.code}").text
        assert "switched off" not in sign_in("Bob").get(f"/portal/tickets/{ticket.code}").text

    def test_a_long_answer_is_cut_and_carries_the_code(self, app, ticket, within, gateway):
        reply(within, ticket, "x" * 5000)
        work(app)
        assert len(gateway.bodies[0]) <= sending.LONGEST_TEXT
        assert gateway.bodies[0].endswith(f"…\n({ticket.code})")


class TestStatus:
    @pytest.fixture
    def sent(self, app, bring, numbers, within, gateway):
        bring()
        reply(within, the_ticket(within))
        work(app)
        (row,) = all_of(within, OutgoingText)
        return row, gateway.taken[0][2]["StatusCallback"].removeprefix("http://portal.test")

    def tell(self, bring, where, sid, status, **more):
        return bring(to=where, MessageSid=sid, MessageStatus=status, **more)

    def test_what_the_gateway_tells_moves_the_row_and_never_back(self, bring, sent, within):
        row, where = sent
        assert self.tell(bring, where, row.gateway_sid, "delivered").status_code == 204
        assert all_of(within, OutgoingText)[0].state == "delivered"
        self.tell(bring, where, row.gateway_sid, "failed", ErrorCode="30003")
        assert all_of(within, OutgoingText)[0].state == "delivered"

    def test_a_failure_is_kept_with_its_number(self, bring, sent, within, sign_in):
        row, where = sent
        self.tell(bring, where, row.gateway_sid, "undelivered", ErrorCode="30003")
        (now,) = all_of(within, OutgoingText)
        assert (now.state, now.last_error) == ("failed", "30003")

    def test_another_s_number_or_a_wrong_signature_changes_nothing(self, bring, sent, within):
        row, where = sent
        assert self.tell(bring, where, "SMother", "failed").status_code == 204
        assert bring(to=where, signature="junk", MessageStatus="failed").status_code == 403
        assert (
            self.tell(bring, where.split("?")[0] + "?text=junk", row.gateway_sid, "failed").status_code == 404
        )
        assert all_of(within, OutgoingText)[0].state == "sent"

    @pytest.mark.parametrize(
        ("told", "state", "error"), [("delivered", "delivered", None), ("failed", "failed", "30003")]
    )
    @pytest.mark.parametrize("answers", [True, False])
    def test_what_is_told_before_the_gateway_answers_stays(
        self, app, bring, numbers, within, gateway, monkeypatch, told, state, error, answers
    ):
        def tell():
            (row,) = all_of(within, OutgoingText)
            with app.app_context():
                sending.note_status(row.public_id, "SM1", told, "30003")

        def deliver(**_given):
            elsewhere = threading.Thread(target=tell)
            elsewhere.start()
            elsewhere.join(10)
            assert not elsewhere.is_alive()
            if not answers:
                raise texts.MaybeSent("the connection broke")
            return "SM1"

        bring()
        reply(within, the_ticket(within))
        monkeypatch.setattr(texts, "deliver", deliver)
        work(app)
        (row,) = all_of(within, OutgoingText)
        assert (row.state, row.last_error, row.gateway_sid) == (state, error, "SM1")
        assert row.attempts == 1
