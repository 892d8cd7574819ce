"""A mail comes in: it becomes a ticket, a reply, or lies where a person finds it."""

import pytest
from sqlalchemy import select

from msp.mail.replies import reply_address
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tickets import services
from tenants.tickets.models import Message, Ticket
from tests import mails, tickets


@pytest.fixture
def box(app, cast):
    with app.app_context():
        return mails.add_mailbox(cast)


@pytest.fixture
def bobs_ticket(app, cast, within):
    """A ticket of Bob's at Acme."""
    with within("acme"):
        from tenants.tenancy.queries import find_tenant

        tenant = find_tenant("acme")
        ticket = services.open_ticket(tenant, tickets.request(cast), by=tickets.bob(cast), at=tickets.MONDAY)
        db.session.commit()
        db.session.expunge(ticket)
        return ticket


def messages(app, cast, slug="acme"):
    with app.app_context(), enter(of_tenant(cast.tenants[slug])):
        asked = select(Message, Ticket.code).join(Ticket, Ticket.id == Message.ticket_id).order_by(Message.id)
        return [(one.body, one.via, one.kind, one.author_kind, code) for one, code in db.session.execute(asked)]


def address(app, ticket, who="bob@example.test"):
    with app.app_context():
        return reply_address(ticket, who)


def test_a_member_s_mail_is_a_ticket_of_the_own_company(app, cast, box):
    (row,) = mails.bring(app, cast, box, mails.write())
    assert (row.state, row.outcome, row.for_tenant_id) == ("done", "ticket", cast.tenants["acme"])
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        ticket = db.session.scalars(select(Ticket).where(Ticket.id == row.ticket_id)).one()
    assert (ticket.source, ticket.subject, ticket.requester_user_id) == ("mail", "Printer on fire", cast.users["Bob"])
    assert ("It burns.", "mail", "public", "requester", ticket.code) in messages(app, cast)


def test_the_same_bytes_again_are_the_same_mail(app, cast, box):
    first, second = mails.bring(app, cast, box, mails.write(), mails.write())
    assert first.id == second.id
    assert len([one for one in messages(app, cast) if one[1] == "mail"]) == 1


def test_a_reply_to_the_signed_address_is_a_message(app, cast, box, bobs_ticket):
    raw = mails.write(to=address(app, bobs_ticket), subject="whatever", text="Still burning.", dmarc=None)
    (row,) = mails.bring(app, cast, box, raw)
    assert (row.outcome, row.ticket_code) == ("reply", bobs_ticket.code)
    assert ("Still burning.", "mail", "public", "requester", bobs_ticket.code) in messages(app, cast)
