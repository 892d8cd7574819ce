"""Hand-overs as both tiers read them: kept on the ticket once decided, and completed rather than written again."""

import re

import pytest

from tests.tickets import opened

SAID = {
    "symptoms": "It burns",
    "tried": "Water",
    "evidence": "A photo of the smoke",
    "suspected_cause": "The fuser",
    "told_requester": "Wait",
}


def rev(page):
    return re.search(r'name="rev"[^>]*value="(\d+)"', page.text)[1]


@pytest.fixture
def page(app, cast, sign_in):
    """Tina has handed a ticket of Acme over to L2."""
    where = f"/desk/tickets/{opened(app, cast)}"
    tina = sign_in("Tina")
    tina.post(f"{where}/take", data={"rev": rev(tina.get(where))})
    form = tina.get(f"{where}/hand-over")
    data = {**SAID, "to_tier": "L2", "rev": rev(form)}
    assert tina.post(f"{where}/hand-over", data=data).status_code == 302
    return where


def test_whoever_accepts_reads_it_afterwards_too_and_the_client_never(page, sign_in):
    leo = sign_in("Leo")
    assert "Hand-overs until now" not in leo.get(page).text
    leo.post(f"{page}/hand-over/accept", data={"rev": rev(leo.get(page))})
    shown = leo.get(page).text
    for words in ("Hand-overs until now", "accepted by Leo", *SAID.values()):
        assert words in shown, words
    portal = sign_in("Bob").get(page.replace("/desk/", "/portal/")).text
    assert not [words for words in ("Hand-overs", "The fuser", "A photo of") if words in portal]


def test_what_came_back_is_completed_and_not_written_again(page, sign_in):
    leo, tina = sign_in("Leo"), sign_in("Tina")
    leo.post(f"{page}/hand-over/return", data={"reason": "Which fuser?", "rev": rev(leo.get(page))})
    form = tina.get(f"{page}/hand-over")
    assert "Leo returned it. What was missing:" in form.text
    for words in ("Which fuser?", *SAID.values()):
        assert words in form.text, words
    data = {**SAID, "suspected_cause": "The fuser, model F-9", "to_tier": "L2", "rev": rev(form)}
    assert tina.post(f"{page}/hand-over", data=data).status_code == 302
    shown = leo.get(page).text
    assert "The fuser, model F-9" in shown
    assert "returned by Leo" in shown
    leo.post(f"{page}/hand-over/accept", data={"rev": rev(leo.get(page))})
    fresh = leo.get(f"{page}/hand-over").text
    assert "What was missing" not in fresh
    assert "It burns" not in fresh, "another tier says anew what it saw and tried"
