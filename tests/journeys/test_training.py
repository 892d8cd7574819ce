"""Training: what comes up again becomes a class; its people are invited, answer and come, and it is judged."""

from datetime import timedelta

from sqlalchemy import update

from msp.training.models import TrainingClass
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets.categories import add_category
from tests import personas, tickets
from tests.journeys.visitor import Visitor

TITLE = "Passwords that one remembers"


def ask_again_and_again(app, cast):
    """Six tickets of two people about one category."""
    with personas.within(app, cast, "Mia") as mia:
        now = time.now()
        category = add_category(name_en="Passwords", name_id="Kata sandi", parent=None, by=mia, at=now)
        for day, who in enumerate(("Bob", "Bob", "Bob", "Alice", "Bob", "Bob"), 2):
            at = now - timedelta(days=day)
            ticket = tickets.open_in_scope(cast, mia, at=at, who=who, subject="I forgot my password")
            ticket.category_id = category.id
        db.session.commit()


def plan(mia: Visitor):
    mia.go("/training")
    mia.picture("proposed")
    mia.follow("Plan a class")
    mia.fill("Title", TITLE)
    mia.fill("What do people learn?", "How to choose one,\nand how to reset it without us.")
    mia.choose("Language of the class", "English")
    mia.fill("Day", f"{time.now() + timedelta(days=3):%Y-%m-%d}")
    mia.fill("Begins at", "10:00")
    mia.fill("Room or address", "Room 2")
    mia.press("Plan it and choose people")
    assert mia.control("Bob · bob@example.test · asked 5 times").is_checked()
    mia.picture("invite")
    mia.press("Invite them")
    assert "2 people are invited" in mia.text
    rules = {"name": "rules.txt", "mimeType": "text/plain", "buffer": b"Long ones"}
    mia.page.locator("input[name=files]").set_input_files(rules)  # type: ignore[arg-type]
    mia.press("Add files")


def answer(bob: Visitor):
    subjects = [mail["Subject"] for mail in bob.portal.mails_to("bob@example.test")]
    assert subjects.count(f"Training: {TITLE}") == 1
    bob.go("/portal/training")
    bob.picture("invited")
    bob.follow(TITLE)
    bob.press("Yes, I come")
    assert "We expect you" in bob.text
    bob.picture("answered")
    with bob.page.expect_download() as opened:
        bob.page.get_by_role("link", name="rules.txt").click()
    assert opened.value.suggested_filename == "rules.txt"


def let_it_begin(portal, cast):
    with personas.within(portal.app, cast, "acme"):
        db.session.execute(update(TrainingClass).values(begins_at=time.now() - timedelta(hours=2)))
        db.session.commit()


def test_what_comes_up_again_is_taught(portal, visit):
    with portal.app.app_context():
        cast = personas.load()
        ask_again_and_again(portal.app, cast)
    mia, bob = visit("Mia", width=1280).sign_in(), visit("Bob", width=360).sign_in()
    plan(mia)
    portal.work()
    answer(bob)
    with portal.app.app_context():
        let_it_begin(portal, cast)
    mia.go("/training")
    mia.follow(TITLE)
    mia.picture("begun")
    mia.follow("Who came?")
    assert mia.control("Bob · Comes").is_checked()
    mia.press("Write it down")
    assert "Too few to tell: 1 person came, and it takes at least 3." in mia.text
    mia.picture("held")
    mia.go("/training/results")
    mia.picture("results")
    bob.page.reload()
    assert "You were there." in bob.text
