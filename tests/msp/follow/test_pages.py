"""A requester without an account: one ticket by a link, nothing of the rest, and one rating."""

import re

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from msp.mail.followers import token_of
from msp.mail.models import OutgoingMail
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.people.models import Membership
from tenants.tenancy.models import Tenant
from tenants.tickets import services
from tenants.tickets.models import Message, Ticket
from tenants.tickets.ratings import Rating
from tests import personas
from tests.tickets import leo, open_in_scope, opened


@pytest.fixture
def guest(app, cast):
    """A ticket of somebody who has no account: its code and the token of its link."""
    with personas.within(app, cast, "Leo"):
        ticket = open_in_scope(
            cast,
            leo(cast),
            at=time.now(),
            requester=services.Requester("Gita", "gita@example.test"),
            subject="Scanner macet",
        )
        services.add_message(ticket, body="Sedang kami periksa.", by=leo(cast), at=time.now())
        services.add_message(ticket, body="Rahasia dapur", kind="internal", by=leo(cast), at=time.now())
        services.take_ticket(ticket, by=leo(cast), at=time.now())
        db.session.commit()
        return ticket.code, token_of(ticket)


@pytest.fixture
def act(app, cast):
    """Let Leo do something with a ticket."""

    def do(code, verb, **given):
        with personas.within(app, cast, "Leo"):
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            verb(ticket, by=leo(cast), at=time.now(), **given)
            db.session.commit()

    return do


def rows(app, cast, model):
    with personas.within(app, cast, "Leo"):
        return db.session.scalars(select(model)).all()


def test_the_link_shows_the_ticket_without_what_staff_note(client, guest):
    code, token = guest
    page = client.get(f"/follow/{token}").text
    assert code in page
    assert "Sedang kami periksa." in page
    assert "Rahasia" not in page


def test_an_answer_is_the_requesters(app, cast, client, guest):
    _code, token = guest
    sent = client.post(f"/follow/{token}/messages", data={"body": "Masih macet.", "kind": "public"})
    assert sent.status_code == 302
    said = next(one for one in rows(app, cast, Message) if one.body == "Masih macet.")
    assert (said.author_kind, said.author_name, said.author_user_id, said.via) == (
        "requester",
        "Gita",
        None,
        "link",
    )
    assert "Masih macet." in client.get(f"/follow/{token}").text


def test_an_internal_note_cannot_be_forced(app, cast, client, guest):
    client.post(f"/follow/{guest[1]}/messages", data={"body": "Sly", "kind": "internal"})
    assert {one.kind for one in rows(app, cast, Message) if one.body == "Sly"} <= {"public"}


@pytest.mark.parametrize("token", ["", "x", "a" * 400, "é", "AAAA", "Zm9v" * 30])
def test_any_other_token_is_not_found(client, guest, token):
    assert client.get(f"/follow/{token or 'none'}").status_code == 404


def test_a_changed_token_is_not_found(client, guest):
    token = guest[1]
    for place in (0, 20, len(token) - 2):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert client.get(f"/follow/{changed}").status_code == 404


def test_the_link_ends_with_another_requester(app, cast, client, guest):
    code, token = guest
    with personas.within(app, cast, "Leo"):
        ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
        ticket.requester_email = "other@example.test"
        db.session.commit()
    assert client.get(f"/follow/{token}").status_code == 404


def test_confirming_and_reopening(client, guest, act):
    code, token = guest
    act(code, services.resolve_ticket, solution="Kabel diganti.")
    page = client.get(f"/follow/{token}").text
    rev = re.search(r'name="rev"[^>]*value="(\d+)"', page)[1]
    assert "Does it work now?" in page
    client.post(f"/follow/{token}/reopen", data={"because": "Macet lagi", "rev": rev})
    assert "Macet lagi" in client.get(f"/follow/{token}").text
    act(code, services.resolve_ticket, solution="Sekarang beres.")
    page = client.get(f"/follow/{token}").text
    rev = re.search(r'name="rev"[^>]*value="(\d+)"', page)[1]
    assert client.post(f"/follow/{token}/confirm", data={"rev": rev}).status_code == 302
    assert "closed" in client.get(f"/follow/{token}").text


def test_a_rating_is_given_once(app, cast, client, guest, act):
    code, token = guest
    place = f"/follow/{token}/rating"
    assert "There is nothing to rate" in client.get(place).text
    act(code, services.resolve_ticket, solution="Kabel diganti.")
    assert client.get(f"{place}?score=bad").status_code == 200
    assert rows(app, cast, Rating) == []
    assert client.post(place, data={"score": "worst"}).status_code == 422
    assert client.post(place, data={"score": "good", "comment": "Cepat!"}).status_code == 302
    client.get(place)
    again = client.post(place, data={"score": "bad", "comment": "no"})
    assert again.status_code == 409
    (kept,) = rows(app, cast, Rating)
    assert (kept.score, kept.comment, kept.given_by_name, kept.solved_by_name) == (
        "good",
        "Cepat!",
        "Gita",
        "Leo",
    )
    assert "You told us that you are satisfied." in client.get(f"/follow/{token}").text


def test_who_has_an_account_signs_in_and_rates_by_the_link_while_a_member(app, cast, client, sign_in, act):
    code = opened(app, cast)
    act(code, services.take_ticket)
    act(code, services.resolve_ticket, solution="Done.")
    with personas.within(app, cast, "Leo"):
        ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
        follow, rate = token_of(ticket), token_of(ticket, "rate")
    for token in (follow, rate):
        assert client.get(f"/follow/{token}").status_code == 404
        assert client.post(f"/follow/{token}/messages", data={"body": "x"}).status_code == 404
    assert client.get(f"/follow/{follow}/rating").status_code == 404
    assert "Are you satisfied" in client.get(f"/follow/{rate}/rating").text
    with personas.within(app, cast, "Owen"):
        member = db.session.scalars(select(Membership).where(Membership.email == "bob@example.test")).one()
        member.state, member.left_at = "left", time.now()
        db.session.commit()
    assert client.get(f"/follow/{rate}/rating").status_code == 404


def test_a_suspended_client_is_not_served_by_links(app, cast, client, guest):
    with personas.within(app, cast, "Owen"):
        acme = db.session.scalars(select(Tenant).where(Tenant.slug == "acme")).one()
        acme.state = "suspended"
        db.session.commit()
    assert client.get(f"/follow/{guest[1]}").status_code == 404


def test_a_colleague_does_not_rate(app, cast, sign_in, act):
    code = opened(app, cast)
    act(code, services.take_ticket)
    act(code, services.resolve_ticket, solution="Done.")
    sent = sign_in("Alice").post(f"/portal/tickets/{code}/rating", data={"score": "bad"})
    assert sent.status_code == 403
    assert rows(app, cast, Rating) == []


def test_the_portal_asks_its_requester(app, cast, sign_in, act):
    code = opened(app, cast)
    act(code, services.take_ticket)
    act(code, services.resolve_ticket, solution="Done.")
    bob = sign_in("Bob")
    assert "Are you satisfied" in bob.get(f"/portal/tickets/{code}").text
    assert "Are you satisfied" not in sign_in("Alice").get(f"/portal/tickets/{code}").text
    bob.post(f"/portal/tickets/{code}/rating", data={"score": "bad", "comment": "Slow"})
    assert "Not satisfied" in bob.get(f"/portal/tickets/{code}").text
    assert "is not satisfied with the solution." in sign_in("Leo").get(f"/desk/tickets/{code}").text
    board = sign_in("Owen").get("/console/ratings").text
    assert code in board
    assert "Slow" in board
    assert "too few answers" in board
    assert sign_in("Tina").get("/console/ratings").status_code == 403


def test_the_link_is_asked_for_by_code_and_address(app, client, guest, sign_in):
    def asked(code, email):
        answer = client.post("/follow/", data={"code": code, "email": email}).text
        return re.sub(r'value="[^"]{40,}"', "", answer)

    code, _token = guest
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert "check your typing" in asked(wrong, "gita@example.test")
    same = asked(code, "gita@example.test")
    assert asked(code, "mallory@example.test") == same
    assert same.count("If a ticket with this code is yours") == 1
    with app.app_context():
        run_all_due()
    with personas.within(app, personas.load(), "Leo"):
        sent = [one for one in db.session.scalars(select(OutgoingMail)) if one.template == "ticket_link"]
    assert [one.to_address for one in sent] == ["gita@example.test"]
    assert "portal.test/follow" not in sent[0].text
    shown = sign_in("Owen").get(f"/console/mails/{sent[0].public_id}").text
    assert "late-link" not in shown


def test_whoever_does_without_a_mail_gets_none(app, cast, sign_in, act):
    code = opened(app, cast)
    act(code, services.take_ticket)
    bob = sign_in("Bob")
    page = bob.get("/account/notifications").text
    assert "A reply on a ticket of yours" in page
    assert "The monthly statement" not in page
    assert bob.post("/account/notifications", data={"wanted": ["ticket_opened"]}).status_code == 302
    act(code, services.add_message, body="Hello Bob")
    with app.app_context():
        run_all_due()
    sent = [(one.template, one.to_address) for one in rows(app, cast, OutgoingMail)]
    assert ("ticket_replied", "bob@example.test") not in sent
    assert ("ticket_opened", "bob@example.test") in sent
    bob.post("/account/notifications", data={"wanted": ["ticket_opened", "ticket_replied", "statement"]})
    act(code, services.add_message, body="Hello again")
    with app.app_context():
        run_all_due()
    sent = [(one.template, one.to_address) for one in rows(app, cast, OutgoingMail)]
    assert sent.count(("ticket_replied", "bob@example.test")) == 1


def test_a_failed_mail_is_sent_again_by_a_person(app, cast, sign_in):
    code = opened(app, cast)
    with app.app_context():
        run_all_due()
    with personas.within(app, cast, "Leo"):
        mail = db.session.scalars(select(OutgoingMail)).first()
        mail.state, mail.last_error = "failed", "550 no such mailbox"
        place = f"/console/mails/{mail.public_id}"
        db.session.commit()
    owen = sign_in("Owen")
    assert "Failed" in owen.get("/console/mails").text
    page = owen.get(place).text
    assert "550 no such mailbox" in page
    assert code in page
    assert sign_in("Dana").post(f"{place}/again").status_code == 403
    assert sign_in("Tina").get("/console/mails").status_code == 403
    assert owen.post(f"{place}/again").status_code == 302
    assert owen.post(f"{place}/again").status_code == 409
    (mail, *_rest) = rows(app, cast, OutgoingMail)
    assert mail.state == "queued"
