"""Whose number it is decides where a text goes: only one that staff know counts, and every text is kept."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from msp.intake.texts import arriving
from msp.intake.texts.models import IncomingText
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.people.models import Membership
from tenants.tickets.models import Message, Ticket
from tests.msp.intake.conftest import PHONE


def rows(within, model, slug="acme"):
    with within(slug):
        return list(db.session.scalars(select(model).order_by(model.id)))


def states(within):
    with within("Mia"):
        return [one.state for one in db.session.scalars(select(IncomingText).order_by(IncomingText.id))]


def person(within, slug, name):
    with within(slug):
        return db.session.scalars(select(Membership).where(Membership.name == name)).one().public_id


def test_a_number_that_a_client_wrote_down_draws_no_text(bring, within, sign_in):
    gus = person(within, "globex", "Gus")
    assert sign_in("Mallory").post(f"/portal/people/{gus}/phone", data={"phone": PHONE}).status_code == 302
    bring()
    assert rows(within, Ticket, "globex") == []
    assert states(within) == ["waiting"]


def test_staff_confirm_it_by_saving_it(bring, within, sign_in):
    bob = person(within, "acme", "Bob")
    alice, mia = sign_in("Alice"), sign_in("Mia")
    page = f"/console/tenants/acme/people/{bob}"
    alice.post(f"/portal/people/{bob}/phone", data={"phone": PHONE})
    assert "not confirmed" in mia.get(page).text
    assert mia.post(f"{page}/phone", data={"phone": PHONE}).status_code == 302
    assert "not confirmed" not in mia.get(page).text
    bring()
    assert [one.requester_name for one in rows(within, Ticket)] == ["Bob"]
    # The client's own saving of the same number takes nothing back; another number is a claim again.
    alice.post(f"/portal/people/{bob}/phone", data={"phone": PHONE})
    assert "not confirmed" not in mia.get(page).text
    alice.post(f"/portal/people/{bob}/phone", data={"phone": "+6281299990000"})
    assert "not confirmed" in mia.get(page).text


def test_claims_of_others_do_not_cut_the_known_one_off(bring, numbers, within, superuser):
    superuser.execute("UPDATE memberships SET phone = %s WHERE name <> 'Bob'", (PHONE,))
    bring()
    assert [one.requester_name for one in rows(within, Ticket)] == ["Bob"]


def test_a_number_of_several_people_is_the_clients_and_nobodys(bring, within):
    with within("acme"):
        db.session.execute(update(Membership).values(phone=PHONE, known_phone=PHONE))
        db.session.commit()
    bring()
    (ticket,) = rows(within, Ticket)
    assert (ticket.requester_user_id, ticket.requester_name) == (None, PHONE)


def test_more_than_anybody_writes_is_kept_for_people(bring, numbers, within, monkeypatch):
    monkeypatch.setattr(arriving, "FROM_NUMBER", arriving.Limit("few texts", 2, timedelta(hours=1)))
    assert [bring(f"Line {number}").status_code for number in range(4)] == [200] * 4
    assert states(within) == ["placed", "placed", "waiting", "waiting"]
    assert len(rows(within, Message)) == 2


@pytest.mark.parametrize("fault", [Conflict("Not now."), None])
def test_what_cannot_be_placed_waits(bring, numbers, within, monkeypatch, fault):
    def refuse(*_given, **_named):
        raise fault or RuntimeError("lost")

    monkeypatch.setattr(arriving, "_put", refuse)
    assert bring().status_code == (200 if fault else 500)
    assert states(within) == ["waiting"]
    assert rows(within, Ticket) == []
