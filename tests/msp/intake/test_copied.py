"""Whoever watches by mail and answers: the others hear it, and the words never come back to their author."""

import pytest

from msp.background.runner import run_all_due
from tenants.tickets import watching
from tenants.tickets.services import Requester
from tests import mails, tickets
from tests.msp.intake.test_mail import sent_mail

CARL, WATI = "carl@copied.test", "wati@elsewhere.test"


@pytest.fixture
def watched(change, cast):
    """Let people without an account watch a ticket."""

    def watch(ticket):
        for address in (CARL, "dora@copied.test"):
            change(
                ticket,
                watching.watch_by_mail,
                email=address,
                is_confirmed=True,
                by=tickets.leo(cast),
                at=tickets.MONDAY,
            )

    return watch


def answered(app, cast, raw, box):
    with app.app_context():
        run_all_due()
    before = {one.id for one in sent_mail(app, cast)}
    (row,) = mails.bring(app, cast, box, raw)
    assert row.outcome == "reply"
    with app.app_context():
        run_all_due()
    new = [one for one in sent_mail(app, cast) if one.id not in before]
    return sorted(one.to_address for one in new if one.template == "ticket_answered")


def test_a_watcher_s_answer_reaches_everybody_else(app, cast, box, bobs_ticket, watched, address_for):
    watched(bobs_ticket)
    raw = mails.write(f"Carl <{CARL.title()}>", to=address_for(bobs_ticket, CARL), text="I see it, too.")
    assert answered(app, cast, raw, box) == ["bob@example.test", "dora@copied.test"]


@pytest.mark.parametrize(
    ("author", "others"), [(CARL, ["dora@copied.test", WATI]), (WATI, [CARL, "dora@copied.test"])]
)
def test_without_any_account_addresses_tell_people_apart(
    app, cast, box, within, watched, address_for, author, others
):
    from tenants.foundation.db import db

    with within("acme"):
        ticket = tickets.open_in_scope(cast, tickets.bob(cast), requester=Requester("Wati", WATI))
        db.session.commit()
        db.session.expunge(ticket)
    watched(ticket)
    raw = mails.write(author, to=address_for(ticket, author), text="I see it, too.")
    assert answered(app, cast, raw, box) == others
