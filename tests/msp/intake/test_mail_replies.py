"""What a reply by mail may do: on tickets that are merged or closed for good, and by a sender who is not proven."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tenants.assets.models import Asset
from tenants.files.models import StoredFile
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.models import Site
from tenants.tickets import services
from tenants.tickets.category_models import Category
from tenants.tickets.models import Attachment, Ticket
from tests import mails, tickets


@pytest.fixture
def newest(app, cast):
    """The ticket of Acme that was opened last."""

    def ask():
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            return db.session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()

    return ask


@pytest.fixture
def finish(cast, change):
    """Close a ticket; `days` says for how long it can still be reopened, negative for no more."""

    def close(ticket, days=-1):
        def act(row):
            by, at = tickets.tina(cast), time.now()
            services.change_state(row, to="in_progress", by=by, at=at)
            services.resolve_ticket(row, solution="Put out.", by=by, at=at)
            services.close_ticket(row, by=mails.OWNER, at=at)
            row.reopen_until = at + timedelta(days=days)

        change(ticket, act)

    return close


def give_place(row):
    """An asset, a site and a category."""
    row.asset_id = db.session.scalars(select(Asset.id).order_by(Asset.id)).first()
    row.site_id = db.session.scalars(select(Site.id).order_by(Site.id)).first()
    row.category_id = db.session.scalars(select(Category.id).order_by(Category.id)).first()
    row.impact, row.urgency, row.kind = "high", "low", "request"
    assert row.asset_id


def test_a_follow_up_by_mail_has_the_first_one_s_things_and_the_mail_s_files(
    app, cast, box, bobs_ticket, change, finish, address_for, newest
):
    change(bobs_ticket, give_place)
    finish(bobs_ticket)
    raw = mails.write(
        to=address_for(bobs_ticket), text="Again.", files=[("smoke.txt", b"black")], subject="Re: x"
    )
    (row,) = mails.bring(app, cast, box, raw)
    ticket = newest()
    assert (row.outcome, row.ticket_id, ticket.follows_id) == ("follow_up", ticket.id, bobs_ticket.id)
    with app.app_context(), enter(of_tenant(ticket.tenant_id)):
        first = db.session.get(Ticket, (ticket.tenant_id, bobs_ticket.id))
        for name in ("asset_id", "site_id", "category_id", "impact", "urgency", "kind"):
            assert getattr(ticket, name) == getattr(first, name), name
        held = select(StoredFile.name).join(Attachment, Attachment.file_id == StoredFile.id)
        assert db.session.scalars(held.where(Attachment.ticket_id == ticket.id)).all() == ["smoke.txt"]


def test_a_reply_to_a_merged_ticket_goes_to_the_current_one(
    app, cast, box, bobs_ticket, within, change, finish, address_for, said, newest
):
    other = tickets.opened(app, cast, who="Alice", subject="Smoke in the office", at=time.now())
    with within("Leo") as leo:
        found = {one.code: one for one in db.session.scalars(select(Ticket))}
        services.merge_tickets(found[bobs_ticket.code], found[other], by=leo, at=time.now())
        target = found[other]
        db.session.commit()
        db.session.expunge(target)
    raw = mails.write(to=address_for(bobs_ticket), text="It smokes, too.")
    (row,) = mails.bring(app, cast, box, raw)
    assert (row.outcome, row.ticket_code) == ("reply", other)
    assert said()[-1] == ("It smokes, too.", "mail", "public", "requester", other)
    finish(target)
    raw = mails.write(to=address_for(bobs_ticket), text="Smoke again.")
    (row,) = mails.bring(app, cast, box, raw)
    assert (row.outcome, newest().follows_id) == ("follow_up", target.id)
    assert newest().requester_user_id == cast.users["Bob"]


def test_a_signed_address_is_a_proof_of_its_own_where_nobody_vouches(
    app, cast, box, bobs_ticket, finish, address_for
):
    finish(bobs_ticket, days=3)
    raw = mails.write(to=address_for(bobs_ticket), text="Again.", dmarc="none")
    (row,) = mails.bring(app, cast, box, raw)
    assert (row.outcome, row.is_verified) == ("reply", False)
    raw = mails.write("alice@example.test", to=address_for(bobs_ticket), text="Me too.", dmarc="none")
    (row,) = mails.bring(app, cast, box, raw)
    assert (row.state, row.reason) == ("quarantined", "token")


def test_who_was_proven_once_is_proven_from_then_on(app, cast, box, bobs_ticket, address_for, said):
    at = time.now()
    mails.bring(app, cast, box, mails.write(text="Something else."), at=at)
    forged = [
        mails.write(to=address_for(bobs_ticket), text=f"Reset my password ({number}).", dmarc=dmarc)
        for number, dmarc in enumerate(("none", "temperror", None))
    ]
    rows = mails.bring(app, cast, box, *forged, at=at + timedelta(minutes=5))
    assert {(one.state, one.reason) for one in rows} == {("quarantined", "unverified")}
    assert not [one for one in said() if "password" in one[0]]
    later = mails.write(to=address_for(bobs_ticket), text="We have no DMARC any more.", dmarc="none")
    (row,) = mails.bring(app, cast, box, later, at=at + timedelta(days=91))
    assert row.outcome == "reply"
