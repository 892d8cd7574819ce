"""A mailbox, a ticket of Bob's that mails are about, and a gateway that brings texts."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from msp.intake.texts import gateway as texts
from msp.mail.replies import reply_address
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.people.models import Membership
from tenants.tenancy.queries import find_tenant
from tenants.tickets import services
from tenants.tickets.models import Message, Ticket
from tests import mails, tickets
from tests.msp.intake import gateway as fake
from tests.msp.intake.gateway import PHONE


@pytest.fixture
def box(app, cast):
    with app.app_context():
        return mails.add_mailbox(cast)


@pytest.fixture
def box_of_acme(app, cast):
    """Where mail of unknown senders is Acme's."""
    with app.app_context():
        return mails.add_mailbox(cast, default="acme", address="acme@portal.test")


@pytest.fixture
def bobs_ticket(cast, within):
    """A ticket of Bob's at Acme."""
    with within("acme"):
        by = tickets.bob(cast)
        ticket = services.open_ticket(find_tenant("acme"), tickets.request(cast), by=by, at=tickets.MONDAY)
        db.session.commit()
        db.session.expunge(ticket)
        return ticket


@pytest.fixture
def said(app, cast):
    """What stands on tickets of a client: body, channel, kind, side, code."""

    def ask(slug="acme"):
        with app.app_context(), enter(of_tenant(cast.tenants[slug])):
            on = (
                select(Message, Ticket.code).join(Ticket, Ticket.id == Message.ticket_id).order_by(Message.id)
            )
            return [
                (one.body, one.via, one.kind, one.author_kind, code) for one, code in db.session.execute(on)
            ]

    return ask


@pytest.fixture
def address_for(app):
    """The signed address that a recipient of a ticket's mails replies to."""

    def derive(ticket, who="bob@example.test"):
        with app.app_context():
            return reply_address(ticket, who)

    return derive


@pytest.fixture
def change(app, cast):
    """Do something to a ticket in its client's scope: `change(ticket, services.close_ticket, by=…)`."""

    def act(ticket, verb, **given):
        with app.app_context(), enter(of_tenant(ticket.tenant_id)):
            row = db.session.scalars(select(Ticket).where(Ticket.id == ticket.id)).one()
            found = verb(row, **given)
            db.session.commit()
            return found

    return act


@pytest.fixture
def gateway(app, database, monkeypatch):
    with fake.running() as found:
        settings = replace(
            app.extensions["settings"],
            messages_url=found.url,
            messages_account=fake.ACCOUNT,
            messages_token=fake.TOKEN,
            messages_from=fake.OURS,
        )
        monkeypatch.setitem(app.extensions, "settings", settings)
        yield found


@pytest.fixture
def key(app):
    with app.app_context():
        return texts.public_key()


@pytest.fixture
def numbers(within):
    """Bob's number; nobody knows the stranger's."""
    with within("acme"):
        db.session.execute(
            update(Membership).where(Membership.name == "Bob").values(phone=PHONE, known_phone=PHONE)
        )
        db.session.commit()


@pytest.fixture
def bring(client, key, gateway):
    """Bring a text as the gateway does; `signature` and `token` may be wrong."""
    counter = iter(range(1, 1000))

    def bring(body="The printer is dead", *, sender=PHONE, token=fake.TOKEN, signature=None, to=None, **more):
        fields = {
            "MessageSid": f"SM{next(counter):030d}",
            "From": sender,
            "Body": body,
            "NumMedia": "0",
        } | more
        path = to or f"/intake/messages/{key}"
        signed = texts.signature_of(
            token, f"http://portal.test{path}", {one: [fields[one]] for one in fields}
        )
        return client.post(path, data=fields, headers={"X-Twilio-Signature": signature or signed})

    return bring
