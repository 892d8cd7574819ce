"""One mail that its server does not give, or that is gone when it is asked for, stops no other."""

import imaplib

import pytest
from sqlalchemy import select

from msp.intake.mail import fetching
from msp.intake.mail.models import IncomingMail
from tenants.foundation.db import db
from tests import mails
from tests.msp.intake import imap
from tests.msp.intake.test_fetching import fetch, fetched, inbox, port, put, row, seen, within_provider

__all__ = ["fetched", "inbox", "port"]
pytestmark = pytest.mark.skipif(not imap.is_there(), reason="there is no IMAP server: install dovecot-imapd")


@pytest.fixture
def damaged(monkeypatch, inbox):
    """From now on the server refuses these mails, by their place in the inbox: `damaged(1, answer=…)`."""
    real = imaplib.IMAP4.uid

    def spoil(*places, answer=("NO", [b"[SERVERBUG] Internal error"]), what="BODY"):
        inbox.noop()
        uids = inbox.uid("SEARCH", "ALL")[1][0].split()
        bad = {uids[place - 1].decode() for place in places}

        def uid(self, command, *args):
            if command == "FETCH" and args[0] in bad and what in args[1]:
                # Half of the mail comes before the refusal.
                self.untagged_responses["FETCH"] = [(b"1 (BODY[] {4}", b"half"), b")"]
                if isinstance(answer, Exception):
                    raise answer
                if answer[0] == "OK":
                    self.untagged_responses.clear()
                return answer
            return real(self, command, *args)

        monkeypatch.setattr(imaplib.IMAP4, "uid", uid)

    return spoil


def found(app, cast):
    asked = select(IncomingMail).order_by(IncomingMail.id)
    return within_provider(
        app, cast, lambda: [(one.reason, one.body.strip()) for one in db.session.scalars(asked)]
    )


REFUSED = ("NO", [b"[SERVERBUG] Internal error"])


@pytest.mark.parametrize(
    ("place", "answer"),
    [
        (1, REFUSED),
        (2, REFUSED),
        (3, REFUSED),
        (2, ("NO", [None])),
        (2, imaplib.IMAP4.error("UID command error: BAD")),
        (2, ("OK", [b"2 (UID 2 BODY[] NIL)"])),
        (2, ("OK", [None])),
    ],
)
def test_a_damaged_mail_is_noted_and_the_others_come_in(app, cast, inbox, fetched, damaged, answer, place):
    words = ["One.", "Two.", "Three."]
    put(inbox, *(mails.write(text=one) for one in words))
    damaged(place, answer=answer)
    fetch(app, fetched)
    del words[place - 1]
    assert sorted(found(app, cast), key=str) == sorted(
        [("unreadable", ""), *((None, one) for one in words)], key=str
    )
    assert seen(inbox) == 2
    mailbox = row(app, cast, fetched)
    assert (mailbox.failed_at, mailbox.last_error) == (None, None)
    fetch(app, fetched)
    assert len(found(app, cast)) == 3


def test_a_server_that_gives_nothing_is_asked_again(app, cast, inbox, fetched, damaged, monkeypatch):
    """Nothing says that the mails are damaged: perhaps its disk is away, and all of them come tomorrow."""
    put(inbox, mails.write(text="One."), mails.write(text="Two."))
    with monkeypatch.context():
        damaged(1, 2)
        fetch(app, fetched)
        assert found(app, cast) == []
        mailbox = row(app, cast, fetched)
        assert mailbox.failed_at
        assert "Internal error" in mailbox.last_error
    monkeypatch.undo()
    fetch(app, fetched)
    assert len(found(app, cast)) == 2


def test_a_mail_that_is_gone_meanwhile_is_passed_over(app, cast, inbox, fetched):
    put(inbox, *(mails.write(text=one) for one in ("One.", "Two.", "Three.")))
    with app.app_context():
        own_id = cast.tenants["provider"]
        with fetching.connection(fetched) as box:
            coming = fetching.bring_in(fetched, box, own_id=own_id)
            next(coming)
            inbox.noop()
            inbox.store("2", "+FLAGS", r"\Deleted")
            inbox.expunge()
            assert len(list(coming)) == 1
    assert len(found(app, cast)) == 2


def test_a_mail_whose_size_is_not_told_is_gone(app, cast, inbox, fetched, damaged):
    put(inbox, mails.write(text="One."), mails.write(text="Two."))
    damaged(1, answer=("OK", [None]), what="SIZE")
    fetch(app, fetched)
    assert found(app, cast) == [(None, "Two.")]
    assert row(app, cast, fetched).last_error is None


def test_what_stands_in_for_it_can_be_looked_at_and_dropped(app, cast, inbox, fetched, damaged, sign_in):
    put(inbox, mails.write(text="One."), mails.write(text="Two."))
    damaged(1)
    fetch(app, fetched)
    asked = select(IncomingMail.public_id).where(IncomingMail.reason == "unreadable")
    place = f"/desk/quarantine/{within_provider(app, cast, lambda: db.session.scalar(asked))}"
    mia = sign_in("Mia")
    page = mia.get(place).text
    assert "It cannot be read" in page
    assert "the server did not give mail" in page
    with mia.get(f"{place}/raw") as raw:
        assert b"X-Not-Fetched" in raw.data
    assert mia.post(f"{place}/accept", data={"tenant": "acme"}).status_code == 422
    assert mia.post(f"{place}/drop").status_code == 302
