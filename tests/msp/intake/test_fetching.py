"""Mail is fetched from a real IMAP server: nothing is lost, nothing comes in twice."""

import imaplib

import pytest
from sqlalchemy import func, select

from msp.background.runner import run_all_due
from msp.intake.mail import fetching, keeping, mailboxes
from msp.intake.mail.models import IncomingMail, Mailbox
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests import mails
from tests.msp.intake import imap

pytestmark = pytest.mark.skipif(not imap.is_there(), reason="there is no IMAP server: install dovecot-imapd")


@pytest.fixture(scope="module")
def port():
    with imap.server() as found:
        yield found


@pytest.fixture
def inbox(port):
    """An inbox that is empty at first."""
    with imaplib.IMAP4("127.0.0.1", port) as client:
        client.login(imap.USER, imap.PASSWORD)
        if int(client.select("INBOX")[1][0]):
            client.store("1:*", "+FLAGS", r"\Deleted")
            client.expunge()
        yield client


@pytest.fixture
def fetched(app, cast, port):
    """A mailbox that is fetched from there."""
    with app.app_context():
        return mails.add_mailbox(
            cast, host="127.0.0.1", port=port, security="plain", user_name=imap.USER, password=imap.PASSWORD
        )


def put(inbox, *raws):
    for raw in raws:
        assert inbox.append("INBOX", "", None, raw)[0] == "OK"


def seen(inbox):
    inbox.noop()
    return len(inbox.search(None, "SEEN")[1][0].split())


def fetch(app, mailbox):
    with app.app_context():
        fetching.ask_for(mailbox.id)
        run_all_due()


def within_provider(app, cast, ask):
    with app.app_context(), enter(of_tenant(cast.tenants["provider"])):
        found = ask()
        db.session.commit()
        return found


def kept(app, cast):
    return within_provider(app, cast, lambda: db.session.scalar(select(func.count(IncomingMail.id))))


def row(app, cast, mailbox):
    return within_provider(
        app, cast, lambda: db.session.scalars(select(Mailbox).where(Mailbox.id == mailbox.id)).one()
    )


def test_what_lies_in_the_inbox_becomes_tickets_once(app, cast, inbox, fetched):
    put(inbox, mails.write(text="One."), mails.write(text="Two."))
    fetch(app, fetched)
    assert (kept(app, cast), seen(inbox)) == (2, 2)
    assert row(app, cast, fetched).last_error is None
    fetch(app, fetched)
    assert kept(app, cast) == 2
    put(inbox, mails.write(text="Three."))
    fetch(app, fetched)
    assert (kept(app, cast), seen(inbox)) == (3, 3)


def test_two_who_fetch_at_once_keep_each_mail_once(app, cast, inbox, fetched):
    put(inbox, *(mails.write(text=f"Mail {one}") for one in range(6)))
    with app.app_context():
        own_id = keeping.own_tenant_id()
        with fetching.connection(fetched) as first, fetching.connection(fetched) as second:
            one = fetching.bring_in(fetched, first, own_id=own_id)
            other = fetching.bring_in(fetched, second, own_id=own_id)
            for _turn in range(3):
                next(one), next(other)
            assert len([*one, *other]) == 6
    assert kept(app, cast) == 6


def test_a_fetch_that_is_killed_loses_and_doubles_nothing(app, cast, inbox, fetched, monkeypatch):
    """It dies between the commit and the mark, and before the commit; the next one goes on."""
    put(inbox, *(mails.write(text=f"Mail {one}") for one in range(4)))
    own_id = cast.tenants["provider"]

    class Killed(BaseException):
        pass

    def die(*_given, **_more):
        raise Killed

    for place, name, done in ((fetching.MailBoxUnencrypted, "flag", 1), (keeping, "_write", 1)):
        with app.app_context(), monkeypatch.context() as broken:
            broken.setattr(place, name, die)
            mailbox = row(app, cast, fetched)
            with pytest.raises(Killed), fetching.connection(mailbox) as box:
                list(fetching.bring_in(mailbox, box, own_id=own_id))
        assert kept(app, cast) == done
    fetch(app, fetched)
    assert kept(app, cast) == 4


def test_another_validity_begins_anew_and_doubles_nothing(app, cast, inbox, fetched):
    put(inbox, mails.write(text="Kept."))
    fetch(app, fetched)

    def forget():
        db.session.get(Mailbox, fetched.id).uid_validity = 1

    within_provider(app, cast, forget)
    fetch(app, fetched)
    assert kept(app, cast) == 1
    assert row(app, cast, fetched).uid_validity > 1


def test_a_mail_that_is_too_large_is_noted_and_stays_on_the_server(app, cast, inbox, fetched, monkeypatch):
    monkeypatch.setattr(keeping, "most_bytes", lambda: 100_000)
    put(inbox, mails.write(text="x\n" * 100_000), mails.write(text="Small."))
    fetch(app, fetched)
    states = within_provider(
        app, cast, lambda: list(db.session.scalars(select(IncomingMail.reason).order_by(IncomingMail.id)))
    )
    assert states == ["too_large", None]
    assert seen(inbox) == 1


def test_a_wrong_password_is_told_without_it(app, cast, inbox, fetched):
    def spoil():
        found = db.session.get(Mailbox, fetched.id)
        found.password = fetching.sealed(found.id, "an old password")
        return mailboxes.try_mailbox(found, at=time.now())

    told = within_provider(app, cast, spoil)
    assert told
    assert "old password" not in told
    fetch(app, fetched)
    found = row(app, cast, fetched)
    assert found.failed_at
    assert "old password" not in found.last_error
    assert found.fetch_at > time.now()


def test_a_paused_mailbox_is_left_alone(app, cast, inbox, fetched):
    put(inbox, mails.write())
    pause = lambda: mailboxes.pause_mailbox(  # noqa: E731
        db.session.get(Mailbox, fetched.id), by=mails.OWNER, at=time.now()
    )
    within_provider(app, cast, pause)
    with app.app_context():
        assert fetching.sweep_due_mailboxes() == 0
    fetch(app, fetched)
    assert kept(app, cast) == 0
