"""The pages: writing with a preview, publishing, reading, answers before a ticket, runbooks on a ticket."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from msp.knowledge import reading
from msp.knowledge.models import (
    Article,
    ArticleAsset,
    ArticleDay,
    ArticleMiss,
    ArticleTicket,
    ArticleVersion,
    ArticleVote,
)
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import queries
from tenants.tickets import services as tickets_services
from tenants.tickets.models import Ticket
from tests import tickets
from tests.msp.knowledge.conftest import STEPS, runbook
from tests.tickets import MONDAY, later

NEW = "/console/knowledge/new?kind=article"
SENT = {
    "title_en": "Reset a password",
    "body_en": "Press **Forgotten password**.",
    "audience": "clients",
    "tier": "",
    "review_on": "2027-11-01",
}


@pytest.fixture(autouse=True)
def monday():
    with time.frozen(MONDAY):
        yield


@pytest.fixture
def rows(within):
    def _rows(model, who="Owen"):
        with within(who):
            return db.session.scalars(select(model)).all()

    return _rows


def test_it_is_previewed_saved_published_and_read(sign_in, rows):
    leo, nadia, bob = sign_in("Leo"), sign_in("Nadia"), sign_in("Bob")
    shown = leo.post(NEW, data={**SENT, "preview": "1"})
    assert shown.status_code == 200
    assert "<strong>Forgotten password</strong>" in shown.text
    assert rows(Article) == []
    saved = leo.post(NEW, data=SENT)
    assert saved.headers["Location"] == "/console/knowledge/articles/reset-a-password"
    assert bob.get("/portal/articles/reset-a-password").status_code == 404
    assert leo.post("/console/knowledge/articles/reset-a-password/publish").status_code == 403
    assert nadia.post("/console/knowledge/articles/reset-a-password/publish").status_code == 302
    assert "<strong>Forgotten password</strong>" in bob.get("/portal/articles/reset-a-password").text


def test_what_is_wrong_is_named(sign_in, rows):
    leo = sign_in("Leo")
    answer = leo.post(NEW, data={**SENT, "title_en": "", "audience": "chosen"})
    assert answer.status_code == 422
    assert 'href="#title_id"' in answer.text and 'href="#tenants"' in answer.text
    assert "Press **Forgotten password**." in answer.text
    assert leo.get("/console/knowledge/new?kind=poem").status_code == 404
    assert rows(Article) == []


def test_who_may_write(sign_in):
    assert sign_in("Tina").get(NEW).status_code == 403
    assert sign_in("Alice").get(NEW).status_code == 403
    assert sign_in("Leo").get(NEW).status_code == 200
    assert sign_in("Tina").get("/console/knowledge").status_code == 200


def test_versions_are_compared_and_restored(sign_in, write, rows):
    slug, leo = write(), sign_in("Leo")
    edit = f"/console/knowledge/articles/{slug}/edit"
    page = leo.get(edit).text
    assert "wait ten seconds" in page
    sent = {**SENT, "title_en": "The printer does not print", "body_en": "Ask us.", "seen": "1", "slug": slug}
    assert leo.post(edit, data=sent).status_code == 302
    assert leo.post(edit, data={**sent, "body_en": "Stale"}).status_code == 409
    shown = leo.get(f"/console/knowledge/articles/{slug}/versions/2").text
    assert re.search(r"<del>Switch the printer off.*?</del>", shown)
    assert "<ins>Ask us.</ins>" in shown
    assert leo.post(f"/console/knowledge/articles/{slug}/versions/1/restore").status_code == 302
    assert [one.number for one in rows(ArticleVersion)] == [1, 2, 3]
    for number in ("9", "999999999999"):
        assert leo.get(f"/console/knowledge/articles/{slug}/versions/{number}").status_code == 404
    assert leo.get(f"/console/knowledge/articles/{slug}/versions/2?against=x").status_code == 404


def test_the_list_says_what_has_to_be_looked_at_again(sign_in, write):
    write(review_on=date(2026, 1, 1), texts={"en": {"title": "Old one"}})
    write(review_on=date(2027, 1, 1), texts={"en": {"title": "Fresh one"}})
    page = sign_in("Tina").get("/console/knowledge?due=1").text
    assert "Old one" in page and "Fresh one" not in page
    assert (
        sign_in("Leo")
        .post("/console/knowledge/articles/old-one/keep", data={"until": "2027-06-01"})
        .status_code
        == 302
    )
    assert "Old one" not in sign_in("Tina").get("/console/knowledge?due=1").text


def test_a_text_in_the_other_language_comes_with_a_note(sign_in, write):
    write(texts={"id": {"title": "Hanya di sini", "body": "Isi"}})
    page = sign_in("Bob").get("/portal/articles/hanya-di-sini").text
    assert "not there in your language" in page and 'lang="id"' in page


def test_views_votes_and_deflections_are_counted(sign_in, write, rows):
    slug, bob, alice = write(), sign_in("Bob"), sign_in("Alice")
    for _twice in range(2):
        bob.get(f"/portal/articles/{slug}")
    for word in ("yes", "no"):
        bob.post(f"/portal/articles/{slug}/helped", data={"helped": word})
    alice.post(f"/portal/articles/{slug}/helped", data={"helped": "no"})
    assert sorted((one.helped) for one in rows(ArticleVote)) == [False, True]
    assert alice.post(f"/portal/articles/{slug}/solved").status_code == 302
    (day,) = rows(ArticleDay)
    assert (day.views, day.deflected) == (2, 1)
    assert rows(Ticket) == []
    page = sign_in("Tina").get(f"/console/knowledge/articles/{slug}").text
    assert "1 yes, 1 no" in page


def test_searches_in_vain_are_counted_for_staff(sign_in, rows, app):
    bob = sign_in("Bob")
    for typed in ("Fax  Machine", "fax machine", "the and"):
        assert (
            "Nothing is written about this yet" in bob.get("/portal/articles", query_string={"q": typed}).text
        )
    (miss,) = rows(ArticleMiss)
    assert (miss.phrase, miss.language, miss.times) == ("fax machine", "en", 2)
    assert "fax machine" in sign_in("Tina").get("/console/knowledge/misses").text
    assert bob.get("/console/knowledge/misses").status_code == 403
    with app.app_context(), time.frozen(later(days=179)):
        reading.forget_old_misses()
    assert len(rows(ArticleMiss)) == 1
    with app.app_context(), time.frozen(later(days=181)):
        reading.forget_old_misses()
    assert rows(ArticleMiss) == []


def test_answers_are_offered_while_a_ticket_is_written(sign_in, write, rows):
    slug, bob = write(), sign_in("Bob")
    piece = bob.get("/portal/article-offers", query_string={"subject": "My printer"}).text
    assert f'formaction="/portal/articles/{slug}/solved"' in piece
    assert "<html" not in piece
    assert bob.get("/portal/article-offers").text.strip() == ""
    form = {
        "kind": "incident",
        "subject": "My printer",
        "body": "",
        "impact": "low",
        "urgency": "low",
        "look": "1",
    }
    page = bob.post("/portal/tickets/new", data=form)
    assert page.status_code == 200
    assert "Perhaps this is the answer" in page.text and "My printer" in page.text
    assert rows(Ticket) == [] and rows(ArticleMiss) == []
    assert 'hx-get="/portal/article-offers"' in bob.get("/portal/tickets/new").text


def test_the_public_page_shows_what_is_public(client, write):
    write(texts={"en": {"title": "For all of us", "body": "printer"}}, audience="clients")
    slug = write(texts={"en": {"title": "For the world", "body": "printer"}}, audience="public")
    page = client.get("/help/articles", headers={"Accept-Language": "en"}).text
    assert "For the world" in page and "For all of us" not in page
    assert "<mark>" in client.get("/help/articles?q=printer", headers={"Accept-Language": "en"}).text
    assert client.get(f"/help/articles/{slug}").status_code == 200
    assert client.get("/help/articles/for-all-of-us").status_code == 404
    assert client.get("/help/articles/%00'--").status_code == 404


@pytest.fixture
def code(app, cast):
    return tickets.opened(app, cast, subject="Printer on fire")


def known_of(client, code):
    """What the ticket's page asks for once it is there, which is a page of its own without scripts."""
    address = f"/console/knowledge/tickets/{code}"
    assert f'hx-get="{address}"' in client.get(f"/desk/tickets/{code}").text
    piece = client.get(address, headers={"HX-Request": "true"})
    assert piece.status_code == 200 and "<html" not in piece.text
    assert "<html" in client.get(address).text
    return piece.text


def test_the_ticket_shows_what_is_known(sign_in, within, write, code, cast, rows):
    write()
    error = {"title": "Driver 7 burns", "symptom": "Smoke", "workaround": "Pull the plug"}
    known = write(kind="known_error", audience="staff", texts={"en": error})
    tina = sign_in("Tina")
    page = known_of(tina, code)
    assert "The printer does not print" in page and "Driver 7 burns" not in page
    with within("Tina") as by:
        asset = db.session.scalars(select(Asset).where(Asset.name == "acme-pc-1")).one()
        other = tickets.open_in_scope(cast, by, subject="Something else", asset=asset).code
        db.session.commit()
    form = {"client": "acme", "asset": "ACME-PC-1"}
    assert tina.post(f"/console/knowledge/articles/{known}/assets", data=form).status_code == 302
    page = known_of(tina, other)
    assert "Driver 7 burns" in page and "Pull the plug" in page
    assert known_of(tina, other).count("known of this asset") == 1
    bob = sign_in("Bob")
    assert bob.get(f"/console/knowledge/tickets/{other}").status_code == 403
    assert "Known about this" not in bob.get(f"/portal/tickets/{other}").text
    assert "Driver 7 burns" not in sign_in("Bob").get(f"/portal/tickets/{other}").text
    form["asset"] = "nobody's"
    answer = tina.post(f"/console/knowledge/articles/{known}/assets", data=form)
    assert answer.status_code == 422 and "no asset of that name" in answer.text
    form = {"client": "acme", "asset": "acme-pc-1", "what": "remove"}
    tina.post(f"/console/knowledge/articles/{known}/assets", data=form)
    assert rows(ArticleAsset) == []


def test_an_article_is_linked_both_ways(sign_in, write, code, rows):
    slug, tina = write(), sign_in("Tina")
    form = {"article": slug, "what": "used"}
    for _twice in range(2):
        assert tina.post(f"/console/knowledge/tickets/{code}/links", data=form).status_code == 302
    assert len(rows(ArticleTicket)) == 1
    assert slug in known_of(tina, code)
    assert code in tina.get(f"/console/knowledge/articles/{slug}").text
    refused = tina.post(f"/console/knowledge/tickets/{code}/links", data={"article": slug, "what": "problem"})
    assert refused.status_code == 422
    tina.post(f"/console/knowledge/tickets/{code}/links", data={"article": slug, "what": "remove"})
    assert rows(ArticleTicket) == []
    wrong = tina.post(
        f"/console/knowledge/articles/{slug}/tickets", data={"code": "ACME-0000-0000", "how": "used"}
    )
    assert wrong.status_code == 422 and "Check your typing" in wrong.text
    assert (
        tina.post(
            f"/console/knowledge/articles/{slug}/tickets", data={"code": code, "how": "used"}
        ).status_code
        == 302
    )


def test_an_article_begins_with_a_resolved_ticket(sign_in, within, code, rows):
    leo = sign_in("Leo")
    assert leo.get(f"/console/knowledge/tickets/{code}/draft").status_code == 409
    with within("Leo") as by:
        ticket = queries.find_ticket(code, by=by)
        tickets_services.take_ticket(ticket, by=by, at=MONDAY)
        tickets_services.resolve_ticket(ticket, solution="Cleaned the rollers for Bob.", by=by, at=MONDAY)
        db.session.commit()
    assert f"/console/knowledge/tickets/{code}/draft" in known_of(leo, code)
    assert sign_in("Tina").get(f"/console/knowledge/tickets/{code}/draft").status_code == 403
    page = leo.get(f"/console/knowledge/tickets/{code}/draft").text
    assert "Cleaned the rollers for […]." in page
    assert rows(Article) == []
    assert (
        leo.post(f"/console/knowledge/tickets/{code}/draft", data={**SENT, "preview": "1"}).status_code == 200
    )
    assert rows(Article) == []
    assert leo.post(f"/console/knowledge/tickets/{code}/draft", data=SENT).status_code == 302
    assert [one.state for one in rows(Article)] == ["draft"]
    assert [one.how for one in rows(ArticleTicket)] == ["drafted"]
    assert "Reset a password" in known_of(leo, code)


def test_a_runbook_is_started_and_worked_through(sign_in, write, code):
    slug, tina = write(draft=runbook(*STEPS)), sign_in("Tina")
    assert "New employee" in tina.get(f"/console/knowledge/tickets/{code}/runbooks").text
    started = tina.post(f"/console/knowledge/tickets/{code}/runbooks", data={"runbook": slug})
    run = started.headers["Location"]
    assert tina.post(f"/console/knowledge/tickets/{code}/runbooks", data={"runbook": slug}).status_code == 409
    tina.post(f"{run}/steps/1", data={"note": "Named <b>by</b> the rule"})
    page = tina.get(run).text
    assert "1 of 3 steps done" in page and "&lt;b&gt;by" in page
    assert "1 of 3 steps done" in known_of(tina, code)
    assert "step 1 of 3 done" in tina.get(f"/desk/tickets/{code}").text
    assert "step 1 of 3 done" not in sign_in("Bob").get(f"/portal/tickets/{code}").text
    tina.post(f"{run}/steps/1", data={"what": "back"})
    assert "0 of 3 steps done" in tina.get(run).text
    assert tina.post(f"{run}/steps/9", data={}).status_code == 404
    assert sign_in("Bob").get(run).status_code == 403
