"""Mail against a real SMTP server on this machine: sent once, tried again while the server is away, never twice."""

import threading
from email import message_from_bytes
from email.policy import default
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select, update

from msp.background.runner import run_all_due
from msp.mail import jobs, notices, queue_mail, transport
from msp.mail.models import OutgoingMail
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import Work
from tenants.people.models import StaffGrant
from tenants.people.queries import list_granted
from tenants.tickets import queries, services, watching
from tests.msp.mail.sink import free_port, point
from tests.tickets import MONDAY, alice, bob, later, leo, open_in_scope


def outbox(cast, slug="acme"):
    with enter(of_tenant(cast.tenants[slug])):
        return list(db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def queue(cast, **changes):
    ticket = SimpleNamespace(subject="Fire", code="ACME-1")
    usual = {
        "to": "bob@example.test",
        "template": "ticket_opened",
        "language": "en",
        "context": {"ticket": ticket, "name": "Bob", "action_url": "http://portal.test/x"},
    }
    with enter(of_tenant(cast.tenants["acme"])):
        queue_mail(cast.tenants["acme"], **{**usual, **changes})
        db.session.commit()


def test_a_mail_is_sent_once_with_text_and_html(cast, mailing):
    queue(cast)
    run_all_due()
    run_all_due()
    (received,) = mailing.received
    (row,) = outbox(cast)
    assert (row.state, row.attempts) == ("sent", 1)
    assert received["To"] == "bob@example.test"
    assert received["Message-ID"] == row.message_id
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["Subject"] == "[ACME-1] We have your ticket: Fire"
    assert "http://portal.test/x" in received.get_body(("plain",)).get_content()
    assert "Hello Bob" in received.get_body(("html",)).get_content()


def test_hostile_words_stay_words(cast, mailing):
    ticket = SimpleNamespace(subject="Fire\r\nBcc: all@example.test <script>", code="ACME-1")
    queue(cast, context={"ticket": ticket, "name": "<b>Bob</b>"})
    run_all_due()
    (received,) = mailing.received
    assert received["Bcc"] is None
    assert received["Subject"].endswith("Fire Bcc: all@example.test <script>")
    assert "<script>" not in received.get_body(("html",)).get_content()


def test_the_same_key_is_one_mail(cast, mailing):
    for _ in range(2):
        queue(cast, key="once")
    run_all_due()
    assert len(mailing.received) == 1


def test_running_the_job_twice_sends_nothing_more(cast, mailing):
    queue(cast)
    run_all_due()
    with enter(of_tenant(cast.tenants["acme"])):
        db.session.execute(update(Work).values(state="due"))
        db.session.commit()
    run_all_due()
    assert len(mailing.received) == 1


def test_while_the_server_is_away_it_is_tried_again(app, cast, monkeypatch, smtp):
    point(app, monkeypatch, f"smtp://127.0.0.1:{free_port()}")
    with app.app_context():
        queue(cast)
        run_all_due()
        (row,) = outbox(cast)
    assert (row.state, row.attempts) == ("queued", 1)
    point(app, monkeypatch, f"smtp://127.0.0.1:{smtp.port}")
    with app.app_context():
        make_due(cast)
        run_all_due()
        (row,) = outbox(cast)
    assert (row.state, row.attempts) == ("sent", 2)
    assert smtp.received[0]["Message-ID"] == row.message_id


def make_due(cast):
    with enter(of_tenant(cast.tenants["acme"])):
        due = update(Work).where(Work.kind == "send_mail", Work.state == "due")
        db.session.execute(due.values(due_at=Work.requested_at))
        db.session.commit()


@pytest.mark.parametrize(
    ("answer", "state"), [("450 later", "queued"), ("550 no such user", "failed"), ("hang up", "unknown")]
)
def test_what_the_server_says_decides(cast, mailing, answer, state):
    mailing.answer = answer
    queue(cast)
    run_all_due()
    assert [row.state for row in outbox(cast)] == [state]


def test_a_sender_that_died_while_sending_leaves_it_unknown(cast, mailing, monkeypatch):
    monkeypatch.setattr(transport, "deliver", lambda *_: (_ for _ in ()).throw(SystemError("killed")))
    queue(cast)
    run_all_due()
    monkeypatch.undo()
    make_due(cast)
    run_all_due()
    assert [row.state for row in outbox(cast)] == ["unknown"]
    assert mailing.received == []


def test_an_address_that_is_none_fails(cast, mailing):
    queue(cast, to="not an address, really")
    run_all_due()
    assert [row.state for row in outbox(cast)] == ["failed"]


def test_given_up_after_days(cast, mailing):
    mailing.answer = "450 later"
    queue(cast)
    with enter(of_tenant(cast.tenants["acme"])):
        db.session.execute(update(OutgoingMail).values(queued_at=time.now() - 2 * jobs.GIVE_UP_AFTER))
        db.session.commit()
    run_all_due()
    assert [row.state for row in outbox(cast)] == ["failed"]


def test_a_folder_takes_mail_too(app, cast, monkeypatch, tmp_path):
    point(app, monkeypatch, f"file://{tmp_path}/out")
    with app.app_context():
        queue(cast)
        run_all_due()
    (file,) = (tmp_path / "out").iterdir()
    assert file.suffix == ".eml"
    assert message_from_bytes(file.read_bytes(), policy=default)["To"] == "bob@example.test"


def test_many_at_once_arrive_once_each(cast, mailing, app):
    for _ in range(4):
        queue(cast)

    def work():
        with app.app_context():
            run_all_due()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_all_due()
    assert len({one["Message-ID"] for one in mailing.received}) == len(mailing.received) == 4


class TestNotices:
    """Who hears what about a ticket."""

    @pytest.fixture
    def ticket(self, cast, mailing):
        with enter(leo(cast).scope()):
            ticket = open_in_scope(cast, bob(cast), at=MONDAY)
            db.session.commit()
            yield ticket

    def heard(self, mailing):
        run_all_due()
        received = [(one["To"], one["Subject"].partition("] ")[2]) for one in mailing.received]
        mailing.received.clear()
        return received

    def test_requester_and_assignee_are_told(self, ticket, cast, mailing):
        assert self.heard(mailing) == [("bob@example.test", "We have your ticket: Printer on fire")]
        services.take_ticket(ticket, by=leo(cast), at=later(minutes=1))
        services.add_message(ticket, body="Water!", by=leo(cast), at=later(minutes=2))
        services.add_message(ticket, body="Hush", kind="internal", by=leo(cast), at=later(minutes=3))
        db.session.commit()
        assert self.heard(mailing) == [("bob@example.test", "Reply: Printer on fire")]
        services.add_message(ticket, body="Thanks", by=bob(cast), at=later(minutes=4))
        db.session.commit()
        assert self.heard(mailing) == [("leo@example.test", "New message: Printer on fire")]
        services.resolve_ticket(ticket, solution="Put out.", by=leo(cast), at=later(minutes=5))
        db.session.commit()
        assert self.heard(mailing) == [("bob@example.test", "Resolved: Printer on fire")]

    def test_the_words_of_the_reply_are_in_the_mail_and_notes_are_not(self, ticket, cast, mailing):
        services.add_message(ticket, body="Secret <b>", kind="internal", by=leo(cast), at=later(minutes=1))
        services.take_ticket(ticket, by=leo(cast), at=later(minutes=4))
        services.resolve_ticket(ticket, solution="Put out.", by=leo(cast), at=later(minutes=5))
        db.session.commit()
        run_all_due()
        everything = "".join(str(one) for one in mailing.received)
        assert "Put out." in everything
        assert "Secret" not in everything
        assert f"/portal/tickets/{ticket.code}" in everything

    def test_nothing_is_sent_for_what_was_rolled_back(self, ticket, cast, mailing):
        self.heard(mailing)
        services.add_message(ticket, body="Oops", by=leo(cast), at=later(minutes=2))
        db.session.rollback()
        assert self.heard(mailing) == []

    def test_the_job_run_twice_queues_one_mail(self, ticket, cast, mailing):
        self.heard(mailing)
        with enter(of_tenant(cast.tenants["acme"])):
            done = update(Work).where(Work.kind == "notify_of_ticket")
            db.session.execute(done.values(state="due"))
            db.session.commit()
        assert self.heard(mailing) == []
        assert notices.notify_of_ticket.__name__ == "notify_of_ticket"

    def test_watchers_hear_what_is_public_once_and_only_when_confirmed(self, ticket, cast, mailing):
        self.heard(mailing)
        acting = {"by": leo(cast), "at": later(minutes=1)}
        members = {one.name: one for one in queries.list_requesters(ticket.tenant_id)}
        watching.watch_as(ticket, members["Alice"], **acting)
        watching.watch_as(ticket, members["Bob"], **acting)
        watching.watch_by_mail(ticket, "boss@example.test", **acting)
        watching.watch_by_mail(ticket, "copied@example.test", is_confirmed=False, **acting)
        services.add_message(ticket, body="Hush", kind="internal", by=leo(cast), at=later(minutes=2))
        db.session.commit()
        assert self.heard(mailing) == []
        services.add_message(ticket, body="Water!", by=leo(cast), at=later(minutes=3))
        db.session.commit()
        told = ["alice@example.test", "bob@example.test", "boss@example.test"]
        # An address without an account is written to in the client's language.
        said = ["Reply: Printer on fire", "Reply: Printer on fire", "Balasan: Printer on fire"]
        assert sorted(self.heard(mailing)) == list(zip(told, said, strict=True))
        services.add_message(ticket, body="Thanks", by=alice(cast), at=later(minutes=4))
        db.session.commit()
        assert [one for one, _subject in self.heard(mailing)] == ["bob@example.test", "boss@example.test"]

    def test_a_watcher_who_left_the_client_or_lost_the_grant_hears_nothing(self, ticket, cast, mailing):
        self.heard(mailing)
        acting = {"by": leo(cast), "at": later(minutes=1)}
        alice_ = next(one for one in queries.list_requesters(ticket.tenant_id) if one.name == "Alice")
        tina_ = next(one for one in list_granted(ticket.tenant_id) if one.name == "Tina")
        for person in (alice_, tina_):
            watching.watch_as(ticket, person, **acting)
        alice_.state = "left"
        db.session.execute(delete(StaffGrant).where(StaffGrant.user_id == tina_.user_id))
        services.add_message(ticket, body="Water!", by=leo(cast), at=later(minutes=3))
        db.session.commit()
        assert [one for one, _subject in self.heard(mailing)] == ["bob@example.test"]
