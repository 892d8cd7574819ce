"""The demo's mails: two wait in quarantine, a program's answer is dropped, and the mailbox is paused."""

import random

from sqlalchemy import select

from msp.demo.seed import mails
from msp.demo.seed.times import Stage
from msp.intake.mail.models import IncomingMail, Mailbox
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant


def test_the_demo_shows_mail_that_waits(app, cast, as_actor, monkeypatch):
    mia = as_actor("Mia")
    monkeypatch.setattr(mails, "actor_of", lambda _stage, _who: mia)
    with app.app_context():
        mails.bring(Stage(time.now(), random.Random(1), Actor.system("test")))
        with enter(of_tenant(cast.tenants["provider"])):
            found = db.session.execute(
                select(IncomingMail.state, IncomingMail.reason).order_by(IncomingMail.id)
            )
            assert [tuple(one) for one in found] == [
                ("quarantined", "unknown_sender"),
                ("quarantined", "unknown_sender"),
                ("dropped", "automatic"),
            ]
            assert db.session.scalars(select(Mailbox)).one().paused_at is not None
