"""What must never happen: a mail that is lost or kills its reader, a forged thread that holds, a loop that lives."""

from collections import Counter

from sqlalchemy import func, select

from msp.background.runner import run_all_due
from msp.intake.mail import routing
from msp.intake.mail.models import IncomingMail
from msp.mail.jobs import compose
from msp.mail.models import OutgoingMail
from tenants.foundation import time
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


def outbox(app, cast, slug):
    with app.app_context(), enter(of_tenant(cast.tenants[slug])):
        return list(db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def test_two_portals_that_mail_each_other_stop_after_two_mails(app, cast, box_of_acme, monkeypatch):
    """A person's mail, and the portal's one acknowledgement: the other portal opens a ticket and says nothing."""
    ours, theirs = box_of_acme.address, "desk@other.test"
    with app.app_context():
        other = mails.add_mailbox(cast, default="globex", address=theirs)
    in_flight, total = [(box_of_acme, mails.write(theirs, to=ours, dmarc=None))], 0
    told = set()
    for _round in range(1_000):
        if not in_flight:
            break
        mailbox, raw = in_flight.pop()
        total += 1
        # Each portal knows its own addresses only.
        monkeypatch.setattr(routing, "_own_addresses", lambda own=mailbox.address: {own})
        mails.bring(app, cast, mailbox, raw)
        with app.app_context():
            run_all_due()
        for slug, way, receiver, sender in (
            ("acme", other, theirs, ours),
            ("globex", box_of_acme, ours, theirs),
        ):
            for one in outbox(app, cast, slug):
                if one.to_address == receiver and one.message_id not in told:
                    told.add(one.message_id)
                    in_flight.append((way, _as_sent(app, one, sender)))
    assert total == 2


def _as_sent(app, mail, sender):
    """A mail of the outbox as the other portal gets it: from this portal's address, under this portal's name."""
    with app.app_context(), enter(of_tenant(mail.tenant_id)):
        message = compose(mail)
    del message["From"], message["Message-ID"]
    message["From"], message["Message-ID"] = sender, f"<{mail.id}@{sender.partition('@')[2]}>"
    return message.as_bytes()


def test_a_program_that_answers_everything_and_says_nothing_of_it_gets_one_mail(app, cast, box_of_acme):
    """The worst partner: each of its answers looks like a person's mail, and comes at once."""
    at = time.now()
    for number in range(30):
        raw = mails.write("robot@other.test", subject=f"Re: {number}", dmarc=None)
        mails.bring(app, cast, box_of_acme, raw, at=at)
    with app.app_context():
        run_all_due()
    sent = [one for one in outbox(app, cast, "acme") if one.to_address == "robot@other.test"]
    assert len(sent) == 1
