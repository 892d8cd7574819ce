"""What must never happen: a mail that is lost or kills its reader, a forged thread that holds, a loop that lives."""

from collections import Counter

from sqlalchemy import func, select

from msp.background.runner import run_all_due
from msp.intake.mail.models import IncomingMail
from msp.mail.models import OutgoingMail
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.queries import find_tenant
from tenants.tickets import services
from tenants.tickets.models import Message
from tests import mails, mutations, personas, tickets

FEW = 1_000


def count_by_state(app, cast):
    """Mails by state and outcome, and that every mail is one of those that may be."""
    with app.app_context(), enter(of_tenant(cast.tenants["provider"])):
        rows = db.session.execute(
            select(IncomingMail.state, IncomingMail.outcome, IncomingMail.reason, func.count()).group_by(
                IncomingMail.state, IncomingMail.outcome, IncomingMail.reason
            )
        ).all()
    found: Counter[str] = Counter()
    for state, outcome, reason, number in rows:
        assert state == "done" or reason, (state, outcome)
        # What the portal could not place for a reason of its own would be a mistake of ours.
        assert reason != "refused"
        found[outcome if state == "done" else state] += number
    return found


def test_broken_mails_are_all_kept_and_none_is_uncaught(app, cast, box_of_acme):
    mails.bring(app, cast, box_of_acme, *mutations.mutated(FEW), deferred=False)
    found = count_by_state(app, cast)
    assert found.total() == FEW
    assert set(found) <= {"ticket", "bounce", "quarantined", "dropped"}
    assert found["ticket"] > FEW / 10, found


def bobs_and_mallorys(cast, within):
    found = {}
    for who, slug, by in (
        ("Bob", "acme", tickets.bob(cast)),
        ("Mallory", "globex", tickets.person(cast, "Mallory", personas.MemberRole.CLIENT_ADMIN, "globex")),
    ):
        with within(slug):
            request = tickets.request(cast, who)
            found[who] = services.open_ticket(find_tenant(slug), request, by=by, at=tickets.MONDAY)
            db.session.commit()
            db.session.expunge_all()
    return found["Bob"], found["Mallory"]


def test_forged_threads_append_nothing(app, cast, box, within, address_for):
    """500 mails that pretend to belong to Bob's ticket, of which none gets there."""
    bobs, mallorys = bobs_and_mallorys(cast, within)
    with app.app_context():
        run_all_due()
    with within("acme"):
        ours = db.session.scalars(select(OutgoingMail.message_id)).first()
    spoofs = mutations.spoofs(
        code=bobs.code,
        stolen=address_for(bobs),
        own=address_for(mallorys, "mallory@example.test"),
        ours=ours,
        count=500,
    )
    mails.bring(app, cast, box, *spoofs, deferred=False)
    with within("acme"):
        on = select(func.count()).where(Message.ticket_id == bobs.id)
        assert db.session.scalar(on) == 1
        assert db.session.scalar(select(func.count()).where(Message.author_kind == "staff")) == 0
    found = count_by_state(app, cast)
    assert found.total() == 500
    # Her own reply address, and nothing else, still serves Mallory.
    assert found["reply"] < 60


def test_an_address_for_another_client_s_ticket_tells_nothing(app, cast, box, within, address_for):
    bobs, _mallorys = bobs_and_mallorys(cast, within)
    rows = mails.bring(
        app,
        cast,
        box,
        mails.write("mallory@example.test", to=address_for(bobs)),
        mails.write("mallory@example.test", to=mutations._bent(address_for(bobs))),
        mails.write("mallory@example.test", to=address_for(bobs).replace("acme", "nmsx")),
    )
    assert {(one.state, one.reason, one.for_tenant_id, one.ticket_code) for one in rows} == {
        ("quarantined", "token", None, None)
    }
    with app.app_context():
        run_all_due()
    with within("globex"):
        sent = select(OutgoingMail.text).where(OutgoingMail.to_address == "mallory@example.test")
        assert not [one for one in db.session.scalars(sent) if bobs.code in one]
