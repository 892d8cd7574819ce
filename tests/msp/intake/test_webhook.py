"""A gateway brings raw mails with the mailbox's key, and nobody else does."""

import pytest
from sqlalchemy import func, select

from msp.background.runner import run_all_due
from msp.intake.mail import keeping, mailboxes
from msp.intake.mail.models import IncomingMail, Mailbox
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests import mails


@pytest.fixture
def key(app, box):
    with app.app_context():
        return mailboxes.key_of(box)


def post(client, box, key, raw):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "message/rfc822"}
    return client.post(f"/intake/mail/{box.public_id}", data=raw, headers=headers)


def counted(app, cast):
    with app.app_context(), enter(of_tenant(cast.tenants["provider"])):
        asked = select(IncomingMail.state, func.count()).group_by(IncomingMail.state)
        return dict(db.session.execute(asked).all())


def test_a_mail_is_kept_before_the_gateway_hears_of_it_and_once(app, cast, client, box, key):
    answer = post(client, box, key, mails.write())
    assert (answer.status_code, answer.json) == (202, {"kept": True, "known": False})
    assert counted(app, cast) == {"received": 1}
    assert post(client, box, key, mails.write()).json["known"]
    with app.app_context():
        run_all_due()
    assert counted(app, cast) == {"done": 1}


def test_wrong_keys_and_unknown_mailboxes_are_answered_alike(app, cast, client, box, key):
    with app.app_context():
        other = mails.add_mailbox(cast, address="other@portal.test")
        foreign = mailboxes.key_of(other)
    unknown = Mailbox(public_id="00000000-0000-0000-0000-000000000007")
    answers = [
        post(client, box, "", b"x"),
        post(client, box, foreign, b"x"),
        post(client, box, key[:-1], b"x"),
        post(client, unknown, key, b"x"),
    ]
    assert {one.status_code for one in answers} == {401}
    assert counted(app, cast) == {}


def test_a_new_key_ends_the_old_one(app, cast, client, box, key):
    with app.app_context(), enter(of_tenant(cast.tenants["provider"])):
        row = db.session.get(Mailbox, box.id)
        fresh = mailboxes.renew_key(row, by=mails.OWNER, at=time.now())
        db.session.commit()
    assert post(client, box, key, mails.write()).status_code == 401
    assert post(client, box, fresh, mails.write()).status_code == 202


def test_what_is_too_large_empty_or_for_a_paused_mailbox_is_refused(app, cast, client, box, key, monkeypatch):
    monkeypatch.setattr(keeping, "most_bytes", lambda: 1000)
    assert post(client, box, key, b"x" * 1001).status_code == 413
    assert post(client, box, key, b"").status_code == 422
    with app.app_context(), enter(of_tenant(cast.tenants["provider"])):
        mailboxes.pause_mailbox(db.session.get(Mailbox, box.id), by=mails.OWNER, at=time.now())
        db.session.commit()
    assert post(client, box, key, mails.write()).status_code == 409
    assert counted(app, cast) == {}
