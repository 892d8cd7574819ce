"""A ticket from its opening to the attainment it counts in: taken, paused, handed over, solved and confirmed."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

# A Tuesday morning without holidays, in hours of every default contract.
MORNING = datetime(2026, 2, 10, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
SECRET = "I suspect that her tray is empty again; do not tell her so."


def open_ticket(bob):
    bob.go("/portal/")
    bob.follow("New ticket")
    bob.picture("new-ticket")
    bob.fill("Subject", "Cash desk 2 prints nothing")
    bob.fill("What happens?", "Since this morning receipts stay blank.")
    bob.choose("How many are affected?", "A team or a branch")
    bob.choose("How urgent is it?", "Work stands still")
    bob.press("Open the ticket")
    code = bob.path.rsplit("/", 1)[1]
    assert re.fullmatch(r"ACME-\w{4}-\w{4}", code)
    assert f"Your ticket is {code}" in bob.text
    bob.picture("opened")
    return code


def take_and_ask(tina, code):
    """Take it, note something for colleagues, answer, and wait for the requester."""
    tina.go("/desk/")
    tina.picture("queue")
    tina.follow("Cash desk 2 prints nothing")
    tina.picture("new-ticket")
    tina.press("Take it")
    assert "Tina" in tina.page.locator(".ticket-line").inner_text()
    tina.page.get_by_label("Internal note").check()
    tina.fill("Message", SECRET)
    tina.picture("writing-a-note")
    tina.press("Save internal note")
    assert SECRET in tina.text
    tina.page.get_by_label("Public reply").check()
    tina.fill("Message", "Is the green light on? Please open the lid and close it again.")
    tina.press("Send reply")
    tina.follow("Wait for …")
    tina.picture("what-it-waits-for")
    tina.choose("What does it wait for?", "Waiting for the requester")
    tina.press("Wait")
    assert "Waiting for the requester" in tina.page.locator(".ticket-line").inner_text()
    tina.picture("waiting")
    assert code in tina.path


def hand_over(tina):
    tina.follow("Hand over")
    tina.page.get_by_label("To required").or_(tina.control("To")).first.select_option(value="L2")
    tina.fill("What does the requester see?", "Blank receipts at cash desk 2")
    tina.fill("What was tried, and what came of it?", "Lid opened and closed: no change")
    tina.fill("What was the requester told?", "A specialist looks at it today")
    tina.picture("hand-over")
    tina.press("Hand over")
    assert "Handed over" in tina.text


def test_a_ticket_is_opened_paused_handed_over_and_solved(portal, visit):
    portal.set_clock(MORNING)
    bob, tina = visit("Bob").sign_in(), visit("Tina").sign_in()
    code = open_ticket(bob)

    portal.later(minutes=12)
    take_and_ask(tina, code)

    portal.later(minutes=18)
    bob.go("/portal/")
    assert "Cash desk 2 prints nothing" in bob.part("Waiting for you")
    bob.picture("home-waiting-for-me")
    bob.follow("Cash desk 2 prints nothing")
    assert "Waiting for you" in bob.page.locator(".ticket-line").inner_text()
    assert SECRET not in bob.page.content()
    paused = bob.part("Service level")
    assert "aused" in paused
    bob.picture("waiting-for-me")
    bob.fill("Message", "The light is green, and it still prints nothing.")
    bob.press("Send reply")
    assert "Waiting for you" not in bob.page.locator(".ticket-line").inner_text()
    bob.picture("the-clock-goes-on")

    portal.later(minutes=10)
    tina.go(f"/desk/tickets/{code}")
    hand_over(tina)

    portal.later(minutes=5)
    leo = visit("Leo").sign_in()
    leo.go("/desk/?tier=L2")
    leo.picture("queue")
    leo.follow("Cash desk 2 prints nothing")
    assert "Blank receipts at cash desk 2" in leo.text
    leo.picture("handed-over-to-me")
    leo.press("Accept: it is mine")
    assert "Leo" in leo.page.locator(".ticket-line").inner_text()
    portal.later(minutes=25)
    leo.follow("Resolve")
    leo.fill("What was done?", "The print head was worn out; it is replaced.")
    leo.press("Resolve")
    assert "Resolved" in leo.page.locator(".ticket-line").inner_text()
    leo.picture("resolved")

    portal.work()
    subjects = [mail["Subject"] for mail in portal.mails_to("bob@example.test")]
    assert any(code in subject for subject in subjects), subjects
    portal.later(minutes=15)
    bob.go("/portal/")
    bob.picture("home-does-it-work")
    bob.follow("Cash desk 2 prints nothing")
    assert "The print head was worn out" in bob.text
    bob.picture("does-it-work")
    bob.press("Yes, it works")
    assert "The ticket is closed" in bob.text
    bob.picture("closed")

    portal.work()
    alice = visit("Alice").sign_in()
    see_attainment(alice, code)
    for reader in (bob, alice):
        reader.go(f"/portal/tickets/{code}")
        assert SECRET not in reader.page.content()
        assert "handed it over" not in reader.text


def see_attainment(alice, code):
    """Both targets were kept, and the ticket's strip accounts for every minute."""
    alice.go("/portal/contract?month=2026-02")
    kept = alice.part("Kept in February 2026")
    assert re.search(r"First response · P2\s+1\s+0\s+100", kept), kept
    assert re.search(r"Resolution · P2\s+1\s+0\s+100", kept), kept
    alice.picture("attainment")
    alice.follow("Every ticket behind these figures")
    assert code in alice.text
    alice.picture("decided-targets")
    alice.follow(code)
    level = alice.page.locator("section").filter(has=alice.page.get_by_role("heading", name="Service level"))
    level.get_by_text("Show figures").last.click()
    strip = level.inner_text()
    assert "18 min" in strip, strip
    assert "Paused" in strip, strip
    alice.picture("strip")
