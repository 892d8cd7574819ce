"""`flask search rebuild`: the words of tickets that were there before the search was."""

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from tenants.assets.models import Asset
from tenants.files.models import StoredFile
from tenants.foundation.db import among, db
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.tenancy.models import Site, Tenant
from tenants.tickets.models import MESSAGE_KINDS, Attachment, HandOver, Message, Ticket
from tenants.tickets.texts import learn_words

BATCH = 200

search = AppGroup("search", help="The words by which tickets are found.")


@search.command("rebuild")
@click.option("--tenant", "slug", default="", help="Slug of one client; all clients without it.")
@with_appcontext
def rebuild(slug: str) -> None:
    """Learn the words of every ticket again; what is known already stays. Safe to stop and to repeat."""
    with enter(gate()):
        asked = select(Tenant.id, Tenant.slug).order_by(Tenant.id)
        tenants = db.session.execute(asked.where(Tenant.slug == slug) if slug else asked).all()
    for tenant_id, name in tenants:
        click.echo(f"{name}: {relearn(tenant_id)} tickets")


def relearn(tenant_id: int) -> int:
    """Learn the words of a tenant's tickets, a transaction for each batch; how many tickets that were."""
    count, last = 0, 0
    while True:
        with enter(of_tenant(tenant_id)):
            following = select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.id > last)
            batch = db.session.scalars(following.order_by(Ticket.id).limit(BATCH)).all()
            for ticket in batch:
                _learn(ticket)
            db.session.commit()
        if not batch:
            return count
        count, last = count + len(batch), batch[-1].id


def _learn(ticket: Ticket) -> None:
    heading = (
        ticket.code,
        ticket.external_number,
        ticket.subject,
        ticket.requester_name,
        ticket.requester_email,
    )
    learn_words(ticket, *heading, *_place(ticket), person=ticket.requester_user_id)
    for kind in MESSAGE_KINDS:
        # One by one: together they may be longer than what is learned at once, and then none of it would be.
        for words in _said(ticket, kind):
            learn_words(ticket, words, for_staff=kind != "public")
    learn_words(ticket, *_handed_over(ticket), for_staff=True)


def _place(ticket: Ticket) -> list[str]:
    """The names of the asset and of the site."""
    named = select(Asset.name).where(Asset.tenant_id == ticket.tenant_id, Asset.id == ticket.asset_id)
    sited = select(Site.name).where(Site.tenant_id == ticket.tenant_id, Site.id == ticket.site_id)
    return [*db.session.scalars(named), *db.session.scalars(sited)]


def _said(ticket: Ticket, kind: str) -> list[str]:
    """Messages of a kind and the names of their files."""
    ours = (Message.tenant_id == ticket.tenant_id, Message.ticket_id == ticket.id, Message.kind == kind)
    bodies = db.session.scalars(select(Message.body).where(*ours))
    messages = db.session.scalars(select(Message.id).where(*ours)).all()
    hanging = select(Attachment.file_id).where(
        Attachment.tenant_id == ticket.tenant_id, among(Attachment.message_id, messages)
    )
    names = select(StoredFile.name).where(
        StoredFile.tenant_id == ticket.tenant_id, StoredFile.id.in_(hanging)
    )
    return [*bodies, *db.session.scalars(names)]


def _handed_over(ticket: Ticket) -> list[str]:
    told = select(
        HandOver.symptoms,
        HandOver.tried,
        HandOver.evidence,
        HandOver.suspected_cause,
        HandOver.told_requester,
    ).where(HandOver.tenant_id == ticket.tenant_id, HandOver.ticket_id == ticket.id)
    return [words for row in db.session.execute(told) for words in row]
