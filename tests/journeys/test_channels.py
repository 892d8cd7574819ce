"""A visitor of Acme's website chats with Tina until it is a ticket; and an unknown caller is found while Tina types."""

from msp.intake.chats import doors
from tenants.foundation import time
from tenants.foundation.db import db
from tests import personas
from tests.journeys.outsiders import Outsider

SOON = {"timeout": 15_000}


def open_door(portal):
    """Acme's public key."""
    with portal.app.app_context():
        cast = personas.load()
        with personas.within(portal.app, cast, "Mia") as mia:
            door = doors.set_door(cast.tenants["acme"], is_open=True, origins="", by=mia, at=time.now())
            db.session.commit()
            return door.public_key


def test_a_visitor_of_a_website_chats_until_it_is_a_ticket(portal, visit):
    key = open_door(portal)
    tina, visitor = visit("Tina").sign_in(), visit("nobody")
    mallory = Outsider(
        visit("Mallory").sign_in(), [tina], words=("Is the shop open", "Until nine this evening", "Wati")
    )
    tina.go("/desk/chats")
    assert "Nobody waits" in tina.text
    tina.page.locator("[data-live] .live-on:not([hidden])").wait_for(**SOON)

    visitor.go(f"/chat/{key}/example")
    visitor.page.get_by_role("button", name="Chat").click()
    frame = visitor.page.frame_locator("iframe")
    frame.get_by_label("Your name").fill("Wati")
    frame.get_by_label("Your e-mail address").fill("wati@example.test")
    frame.get_by_label("Message").fill("Is the shop open? <b>Please</b>")
    visitor.picture("begins")
    frame.get_by_role("button", name="Begin the chat").click()
    frame.get_by_text("Somebody will answer in a moment.").wait_for(**SOON)

    tina.page.get_by_role("link", name="Wati").click(**SOON)
    tina.page.wait_for_url("**/desk/chats/*")
    tina.fill("Message", "Until nine this evening.")
    tina.picture("answers")
    tina.press("Send")
    frame.get_by_text("Until nine this evening.").wait_for(**SOON)
    frame.get_by_text("Tina answers you.").wait_for(**SOON)
    frame.get_by_label("Message").fill("Thank you. My till is broken, too.")
    frame.get_by_role("button", name="Send").click()
    tina.page.get_by_text("My till is broken, too.").wait_for(**SOON)
    visitor.picture("talks")
    mallory.finds_nothing()

    tina.follow("End it …")
    tina.picture("ends")
    tina.press("End the chat")
    assert "/desk/tickets/ACME-" in tina.path
    code = tina.path.rsplit("/", 1)[1]
    assert "<b>Please</b>" in tina.text
    frame.get_by_text(code).wait_for(**SOON)
    assert visitor.context.cookies() == []
    mallory.words.append("My till is broken")
    mallory.finds_nothing_anywhere(code)
    assert mallory.asked > 6
    assert tina.faults + visitor.faults == []


def test_an_unknown_caller_is_found_while_one_types(portal, visit):
    tina = visit("Tina").sign_in()
    tina.go("/desk/calls/new")
    tina.picture("rings")
    tina.page.get_by_label("Caller's name").press_sequentially("bob")
    tina.page.get_by_role("button", name="It is Bob").wait_for(**SOON)
    tina.fill("What is wrong?", "The cash desk prints nothing")
    tina.picture("found")
    tina.press("It is Bob (Acme)")
    assert tina.heading == "Call of Bob"
    tina.page.reload()
    assert tina.page.get_by_label("What is wrong?").input_value() == "The cash desk prints nothing"
    tina.fill("Subject", "Cash desk 2 prints nothing")
    tina.picture("known")
    tina.press("Open the ticket")
    assert "Tell the caller its code" in tina.text
    assert tina.faults == []
