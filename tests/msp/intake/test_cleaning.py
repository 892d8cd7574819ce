"""HTML that would keep a parser busy for hours stops a child, never the portal; its mail is read as text."""

import pytest

from msp.intake.mail import cleaning
from msp.intake.mail.html import cleaned
from tests import mails

NEVER_CLOSED = "<dl>" * 100_000
# Each paragraph repeats what an earlier one left open: 17,000 characters become several million.
REPEATED = "<p>" + "".join(f"<b id={one}>" for one in range(1_000)) + "<p>x</p>" * 1_000


@pytest.mark.parametrize("html", [NEVER_CLOSED, REPEATED])
def test_what_costs_too_much_is_refused(html):
    with pytest.raises(cleaning.TooMuch):
        cleaning.clean_apart(html, {})


def test_a_large_newsletter_is_not_too_much():
    html = "<table><tr><td><p style=x>Hi <a href='https://a.test'>you</a></p></td></tr></table>" * 4_800
    assert cleaning.clean_apart(html, {}) == cleaned(html, {})


def test_images_and_words_come_through_the_child_unchanged():
    html = "<p onclick=x>Größe 🖨 <img src='cid:logo@x'><img src='https://t.test/x.png'></p>"
    assert cleaning.clean_apart(html, {"logo@x": "/files/1"}) == (
        '<p>Größe 🖨 <img src="/files/1"></p>',
        True,
    )


def test_a_child_that_is_late_is_ended(monkeypatch):
    monkeypatch.setattr(cleaning, "PATIENCE", 0.0)
    with pytest.raises(cleaning.TooMuch):
        cleaning.clean_apart("<p>Hi</p>", {})


@pytest.fixture
def shown(app, cast, box_of_acme, sign_in, said):
    """The page of a mail with this HTML."""

    def look(html):
        raw = mails.write("bob@example.test", text="Read me.", html=html)
        (row,) = mails.bring(app, cast, box_of_acme, raw)
        return sign_in("Leo").get(f"/desk/tickets/{said()[-1][-1]}/mails/{row.public_id}").text

    return look


def test_its_page_shows_the_text_and_says_why(shown):
    page = shown(REPEATED)
    assert "Read me." in page
    assert "too heavy to be shown" in page
    assert "mail-html" not in page


def test_no_page_cleans_in_the_portal_itself(shown, monkeypatch):
    def refuse(*_given):
        raise AssertionError("cleaned in the portal's own process")

    monkeypatch.setattr(cleaning, "cleaned", refuse)
    assert "<p>Formatted</p>" in shown("<p>Formatted</p>")
