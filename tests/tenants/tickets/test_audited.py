"""What a client's people read of a ticket in their audit log: what its history tells them, and no line more."""

import pytest
from sqlalchemy import select

from tenants.audit.models import AuditEntry
from tenants.audit.queries import count_providers_own, list_entries, verify_tenant
from tenants.foundation.db import db
from tenants.tickets import services
from tenants.tickets.history import note
from tenants.tickets.models import HISTORY_KINDS, TicketEvent
from tests.tickets import MONDAY, leo, open_in_scope


@pytest.fixture
def story(app, cast, within):
    """A ticket with a line of every kind, and what a client's people may read of its history, in order."""
    with within("Leo"):
        by = leo(cast)
        ticket = open_in_scope(cast, by)
        services.add_message(ticket, body="Restarting it.", by=by, at=MONDAY)
        services.add_message(ticket, body="He did it again.", kind="internal", by=by, at=MONDAY)
        note(ticket, "assigned", by=by, at=MONDAY, to="Leo", because=None)
        note(ticket, "assigned", by=by, at=MONDAY, to="Nadia", because="hand_over")
        for kind in sorted(set(HISTORY_KINDS) - {"opened", "message_added", "assigned"}):
            note(ticket, kind, by=by, at=MONDAY)
        db.session.commit()
        told = select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id)
        return list(db.session.scalars(told.where(TicketEvent.rows_for_client()).order_by(TicketEvent.seq)))


def test_the_log_tells_of_a_ticket_what_its_history_tells(within, story, cast):
    with within("Alice"):
        shown = list_entries(cast.tenants["acme"], limit=500, for_client=True)
    acts = [one.action for one in reversed(shown) if one.action.startswith("ticket.")]
    assert acts == [f"ticket.{kind}" for kind in story]
    assert not any('"kind":"internal"' in one.body or "hand_over" in one.body for one in shown)


def test_an_archive_for_them_holds_the_same_lines(within, story, cast):
    with within("Alice"):
        kept = set(db.session.scalars(select(AuditEntry.seq).where(AuditEntry.rows_for_client())))
        assert kept == {one.seq for one in list_entries(cast.tenants["acme"], limit=500, for_client=True)}


def test_staff_read_all_and_the_chain_holds_for_both(within, story, cast):
    acme = cast.tenants["acme"]
    for who in ("Alice", "Leo"):
        with within(who):
            assert verify_tenant(acme) == []
    with within("Leo"):
        everything = list_entries(acme, limit=500)
        shown = list_entries(acme, limit=500, for_client=True)
        assert len(everything) == len(shown) + count_providers_own(acme)
        assert "ticket.vendor_asked" in [one.action for one in everything]


def test_the_page_says_that_lines_are_missing_and_how_many(sign_in, story, within, cast):
    alice = sign_in("Alice")
    page = alice.get("/portal/audit").text
    assert "vendor_asked" not in page and "ticket.rated" in page
    with within("Leo"):
        own = count_providers_own(cast.tenants["acme"])
    checked = alice.post("/portal/audit").text
    assert "The chain holds" in checked
    assert own > 10 and f"{own} lines are the provider" in checked
