"""The client's side: one's own tickets, the company's for its admin, and nothing of what staff say among themselves."""

import re

import pytest
from sqlalchemy import select

from tenants.foundation.db import db
from tenants.tickets import services
from tenants.tickets.models import Ticket
from tests import personas
from tests.tickets import leo, opened

FORM = {"subject": "No ink", "body": "It is dry.", "impact": "low", "urgency": "low", "kind": "incident"}


@pytest.fixture
def code(app, cast):
    """Bob's ticket."""
    return opened(app, cast)


@pytest.fixture
def work(app, cast):
    """Let Leo do something with a ticket."""

    def do(code, verb, **given):
        with personas.within(app, cast, "Leo"):
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            verb(ticket, by=leo(cast), at=ticket.opened_at, **given)
            db.session.commit()
            return ticket.rev

    return do


def form_value(page, name):
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', page.text)[1]


def test_home_says_what_waits_for_the_viewer(sign_in, code, work):
    bob = sign_in("Bob")
    assert "One ticket is on its way. Nothing waits for you." in bob.get("/portal/").text
    work(code, services.take_ticket)
    work(code, services.change_state, to="waiting", reason="requester")
    page = bob.get("/portal/").text
    assert "One ticket waits for you." in page
    assert "Waiting for you" in page


def test_only_the_requester_is_told_that_it_waits_for_them(sign_in, code, work):
    work(code, services.take_ticket)
    work(code, services.change_state, to="waiting", reason="requester")
    for page in ("/portal/tickets", f"/portal/tickets/{code}"):
        bobs, alices = sign_in("Bob").get(page).text, sign_in("Alice").get(page).text
        assert "aiting for the requester" not in bobs
        assert "aiting for you" in bobs
        assert "aiting for you" not in alices
        assert "aiting for the requester" in alices


def test_users_see_their_own_admins_the_companys_others_nothing(app, cast, sign_in, code):
    alices = opened(app, cast, who="Alice")
    bob, alice, mallory = sign_in("Bob"), sign_in("Alice"), sign_in("Mallory")
    for path in ("/portal/", "/portal/tickets"):
        assert code in bob.get(path).text
        assert alices not in bob.get(path).text
        assert {code, alices} <= set(re.findall(r"ACME-\w{4}-\w{4}", alice.get(path).text))
        assert code not in mallory.get(path).text
    assert bob.get(f"/portal/tickets/{alices}").status_code == 404
    assert alice.get(f"/portal/tickets/{code}").status_code == 200


def test_foreign_and_unknown_are_the_same_answer(sign_in, code, app, cast):
    mallory = sign_in("Mallory")
    unknown = mallory.get("/portal/tickets/GLBX-2222-2222")
    for path in ("", "/reopen", "/withdraw", "/files/00000000-0000-0000-0000-000000000000"):
        answer = mallory.get(f"/portal/tickets/{code}{path}")
        assert (answer.status_code, answer.data) == (404, unknown.data)
    for act in ("messages", "confirm", "reopen", "withdraw"):
        answer = mallory.post(f"/portal/tickets/{code}/{act}", data={"body": "x", "because": "x"})
        assert (answer.status_code, answer.data) == (404, unknown.data)


def test_staff_have_no_portal(sign_in):
    assert sign_in("Owen").get("/portal/").status_code == 403


def test_internal_notes_stay_internal(sign_in, code, work):
    work(code, services.add_message, body="The user is the problem", kind="internal")
    briefing = services.Briefing(symptoms="Hidden symptoms", tried="x", told_requester="y")
    with_leo = {"to_tier": "L2"}
    work(code, lambda ticket, **given: services.hand_over(ticket, briefing, **given), **with_leo)
    for name in ("Bob", "Alice"):
        page = sign_in(name).get(f"/portal/tickets/{code}").text
        assert "the problem" not in page
        assert "Hidden symptoms" not in page
        assert "handed it over" not in page


def test_open_answer_confirm(sign_in, work, within):
    bob = sign_in("Bob")
    new = bob.get("/portal/tickets/new")
    key = form_value(new, "request_key")
    first, second = (bob.post("/portal/tickets/new", data={**FORM, "request_key": key}) for _ in range(2))
    assert first.location == second.location
    page = first.location
    code = page.rpartition("/")[2]
    work(code, services.take_ticket)
    work(code, services.change_state, to="waiting", reason="requester")
    assert bob.post(f"{page}/messages", data={"body": "Blue ink.", "kind": "public"}).status_code == 302
    work(code, services.resolve_ticket, solution="Filled up.")
    shown = bob.get(page)
    assert "Does it work now?" in shown.text
    assert bob.post(f"{page}/confirm", data={"rev": form_value(shown, "rev")}).status_code == 302
    with within("Leo"):
        assert db.session.scalar(select(Ticket.state).where(Ticket.code == code)) == "closed"


def test_reopen_needs_words_and_keeps_them(sign_in, code, work):
    work(code, services.take_ticket)
    work(code, services.resolve_ticket, solution="")
    bob, page = sign_in("Bob"), f"/portal/tickets/{code}/reopen"
    assert bob.post(page, data={"because": ""}).status_code == 422
    assert bob.post(page, data={"because": "Still dry"}).status_code == 302
    late = bob.post(f"/portal/tickets/{code}/confirm", data={})
    assert late.status_code == 409


def test_withdraw(sign_in, code):
    bob = sign_in("Bob")
    assert bob.post(f"/portal/tickets/{code}/withdraw", data={}).status_code == 302
    assert "This ticket is closed" in bob.get(f"/portal/tickets/{code}").text
    answer = bob.post(f"/portal/tickets/{code}/messages", data={"body": "Wait!", "kind": "public"})
    assert answer.status_code == 409
    assert bob.post(f"/portal/tickets/{code}/withdraw", data={"rev": "1"}).status_code == 302


def test_clients_can_not_write_notes_or_work(sign_in, code):
    bob = sign_in("Bob")
    sent = {"body": "x", "kind": "internal"}
    assert bob.post(f"/portal/tickets/{code}/messages", data=sent).status_code == 403
    assert bob.post(f"/desk/tickets/{code}/take", data={}).status_code == 403


@pytest.mark.parametrize("field", ["subject", "body", "impact", "urgency", "kind"])
def test_every_field_is_asked_for_and_the_rest_is_kept(sign_in, field):
    answer = sign_in("Bob").post("/portal/tickets/new", data={**FORM, field: "" if field in FORM else "?"})
    assert answer.status_code == 422
    assert "It is dry." in answer.text or field == "body"


def test_an_asset_of_another_company_is_not_a_choice(sign_in):
    wrong = {**FORM, "asset": "00000000-0000-0000-0000-000000000000"}
    assert sign_in("Alice").post("/portal/tickets/new", data=wrong).status_code == 422
