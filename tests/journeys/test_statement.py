"""The SLA that a client checks line by line: a paused ticket, last month's statement, and terms that change later."""

import re
from datetime import timedelta
from pathlib import Path

from msp.web.formats import month
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import queries, services
from tests import personas, tickets
from tests.journeys.scene import last_month, last_months_statement


def pause_a_ticket(portal):
    """A ticket that Tina asked something about three hours ago."""
    with portal.app.app_context():
        cast = personas.load()
        asked = time.now() - timedelta(hours=3)
        code = tickets.opened(portal.app, cast, at=asked - timedelta(hours=1), subject="VPN drops every hour")
        with personas.within(portal.app, cast, "Tina") as tina:
            ticket = queries.find_ticket(code, by=tina)
            services.add_message(ticket, body="Which network are you in?", by=tina, at=asked)
            services.change_state(ticket, to="waiting", reason="requester", by=tina, at=asked)
            db.session.commit()
        last_months_statement(portal.app, cast)
    return code


def test_a_client_reads_why_the_clock_stands_and_what_last_month_was(portal, visit):
    code = pause_a_ticket(portal)
    alice, mia = visit("Alice").sign_in(), visit("Mia").sign_in()
    alice.go(f"/portal/tickets/{code}")
    clocks = alice.part("Service level")
    assert "aused" in clocks
    assert re.search(r"(?i)since .*\d\d:\d\d WIB", clocks), clocks
    alice.picture("why-the-clock-stands")

    with portal.app.app_context():
        closed = month(last_month(time.now(), "Asia/Jakarta"))
    alice.go("/portal/statements")
    alice.picture("statements")
    alice.follow(closed)
    assert "1 of 2 met" in alice.text
    assert "the time ran out" in alice.text
    alice.picture("last-months-statement")
    address, before = alice.path, alice.page.locator("main").inner_text()
    with alice.page.expect_download() as download:
        alice.page.locator("main").get_by_role("link", name="PDF").click()
    assert download.value.suggested_filename.endswith("-1.pdf")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    resolution = alice.page.locator("main").get_by_role("row", name=re.compile("Resolution"))
    with alice.page.expect_navigation():
        resolution.get_by_role("link", name="1", exact=True).last.click()
    assert "Till 3 does not start" in alice.text
    alice.picture("the-ticket-behind-the-figure")

    amend_the_contract(portal, mia)
    alice.go(address)
    assert alice.page.locator("main").inner_text() == before

    decide_the_credit(mia)
    alice.go(address)
    assert "Owed by the contract." in alice.text
    alice.picture("the-credit-is-approved")


def amend_the_contract(portal, mia):
    """From tomorrow on half the time for P3."""
    mia.go("/console/tenants/acme/contract")
    mia.follow("New terms from a day on")
    tomorrow = (time.now() + timedelta(days=1)).date()
    mia.page.locator("[name=in_force_on]").fill(tomorrow.isoformat())
    mia.page.locator("[name=note]").fill("Twice as quick")
    hours = mia.page.locator("[name=P3_resolution]")
    hours.fill("720")
    mia.press("Preview")
    mia.picture("new-terms-previewed")
    mia.press("Add these terms")
    assert "The new terms are in the book" in mia.text
    mia.picture("new-terms")


def decide_the_credit(mia):
    mia.go("/console/statements")
    mia.picture("statements-of-all-clients")
    with mia.page.expect_navigation():
        mia.page.locator("tbody a").first.click()
    mia.fill("Reason", "Owed by the contract.")
    mia.picture("deciding-the-credit")
    mia.press("Approve the credit")
    assert "The credit is approved" in mia.text
