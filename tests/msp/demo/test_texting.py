"""The demo's conversation by WhatsApp: thanks leave it resolved, and what comes after takes it up again."""

import random

from sqlalchemy import select, update

from msp.demo.seed import texting
from msp.demo.seed.times import Stage
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.people.models import Membership
from tenants.tickets.models import Ticket, TicketEvent


def test_the_demo_shows_a_conversation_that_goes_on(app, cast, as_actor, within, monkeypatch):
    leo = as_actor("Leo")
    monkeypatch.setattr(texting, "actor_of", lambda _stage, _who: leo)
    with within("acme"):
        db.session.execute(
            update(Membership)
            .where(Membership.name == "Bob")
            .values(phone="+62811000001", known_phone="+62811000001")
        )
        db.session.commit()
    stage = Stage(time.now(), random.Random(1), Actor.system("test"))
    stage.tenants[texting.SLUG], stage.people[texting.ASKS] = cast.tenants["acme"], cast.users["Bob"]
    with app.app_context():
        texting.talk(stage)
    with within("Leo"):
        ticket = db.session.scalars(select(Ticket)).one()
        kinds = db.session.scalars(select(TicketEvent.kind).order_by(TicketEvent.seq)).all()
    assert (ticket.source, ticket.state, ticket.requester_name) == ("whatsapp", "in_progress", "Bob")
    assert kinds.count("message_added") == 3
