"""Knowledge: an answer that is offered while a ticket is written saves it, with scripts and without."""

from playwright.sync_api import expect
from sqlalchemy import select

from msp.knowledge.models import ArticleDay
from tenants.foundation import time
from tenants.foundation.db import db
from tests import personas, tickets


def write_and_publish(nadia):
    nadia.go("/console/knowledge/new?kind=article")
    nadia.fill("Title (English)", "Receipts stay blank")
    nadia.fill("Text (English)", "Turn the **paper** round: its shiny side faces the print head.")
    nadia.choose("Who reads it", "All clients")
    nadia.press("Preview")
    assert nadia.page.locator("#preview strong").inner_text() == "paper"
    nadia.picture("preview")
    nadia.press("Save")
    nadia.press("Publish version 1")
    assert "Published" in nadia.page.locator(".ticket-line").inner_text()
    nadia.picture("published")


def find_it_while_typing(bob):
    bob.go("/portal/tickets/new")
    bob.control("Subject").press_sequentially("Blank receipts at cash desk 2", delay=5)
    bob.page.get_by_text("Perhaps this is the answer").wait_for()
    bob.picture("offered")
    with bob.page.expect_popup() as opened:
        bob.page.get_by_role("link", name="Receipts stay blank").click()
    opened.value.get_by_text("its shiny side faces").wait_for()
    opened.value.close()
    assert bob.control("Subject").input_value() == "Blank receipts at cash desk 2"


def test_an_answer_saves_a_ticket(portal, visit):
    nadia, bob = visit("Nadia").sign_in(), visit("Bob").sign_in()
    write_and_publish(nadia)
    find_it_while_typing(bob)
    bob.press("This solved it")
    assert "No ticket was opened" in bob.text
    with portal.app.app_context():
        cast = personas.load()
        with personas.within(portal.app, cast, "acme"):
            assert [one.deflected for one in db.session.scalars(select(ArticleDay))] == [1]
    nadia.page.reload()
    nadia.picture("saved-a-ticket")
    code = tickets.opened(portal.app, cast, subject="Blank receipts again", at=time.now())
    nadia.go(f"/desk/tickets/{code}")
    nadia.page.get_by_role("link", name="Receipts stay blank").wait_for()
    nadia.press("It helped")
    nadia.page.get_by_text("used on it").wait_for()
    nadia.picture("it-helped")


def test_answers_are_there_without_scripts(portal, browser, visit):
    write_and_publish(visit("Nadia").sign_in())
    bob = visit("Bob").sign_in()
    plain = browser.new_context(java_script_enabled=False, storage_state=bob.context.storage_state())
    page = plain.new_page()
    page.goto(f"{portal.url}/portal/tickets/new")
    page.get_by_label("Subject").fill("Blank receipts")
    page.get_by_role("button", name="Look for answers first").click()
    expect(page.get_by_text("Perhaps this is the answer")).to_be_visible()
    expect(page.get_by_label("Subject")).to_have_value("Blank receipts")
    page.get_by_role("button", name="This solved it").click()
    expect(page.get_by_text("No ticket was opened")).to_be_visible()
    plain.close()
