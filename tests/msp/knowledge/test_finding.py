"""What is known finds its tickets by category, assets and the problem behind them; what is missing is counted."""

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from msp.knowledge import jobs, links, queries
from msp.knowledge.models import Article, ArticleEdition, ArticleMiss
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import categories, places, services
from tenants.tickets.linking import link_tickets
from tenants.tickets.queries import find_ticket
from tests import tickets
from tests.msp.knowledge.test_pages import NEW, SENT
from tests.msp.mail.conftest import smtp
from tests.msp.mail.sink import point
from tests.tickets import MONDAY

__all__ = ["smtp"]

ERROR = {"title": "Driver 7 burns", "symptom": "Smoke", "workaround": "Pull the plug"}


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


@pytest.fixture
def category(within):
    """`Hardware / Printer`: its public id."""
    with within("Mia") as mia:
        top = categories.add_category(name_en="Hardware", name_id="Perangkat", parent=None, by=mia, at=MONDAY)
        made = categories.add_category(name_en="Printer", name_id="Pencetak", parent=top, by=mia, at=MONDAY)
        db.session.commit()
        return str(made.public_id)


@pytest.fixture
def code(app, cast):
    return tickets.opened(app, cast, subject="Printer on fire")


@pytest.fixture
def act(within, code):
    """`act("Tina", what)`: do it with the ticket, as somebody, committed."""

    def _act(who, what):
        with within(who) as by:
            what(find_ticket(code, by=by), by)
            db.session.commit()

    return _act


def known_of(client, code):
    return client.get(f"/console/knowledge/tickets/{code}", headers={"HX-Request": "true"}).text


def categorised(category):
    def _do(ticket, by):
        services.categorise(ticket, categories.find_category(category), by=by, at=MONDAY)

    return _do


class TestCategories:
    """An article's category is the tickets'."""

    def test_an_article_is_offered_on_tickets_of_its_category(self, sign_in, category, code, act, rows):
        leo = sign_in("Leo")
        assert "Hardware / Printer" in leo.get(NEW).text
        assert leo.post(NEW, data={**SENT, "category": category}).status_code == 302
        sign_in("Nadia").post("/console/knowledge/articles/reset-a-password/publish")
        assert "Reset a password" not in known_of(leo, code)
        act("Tina", categorised(category))
        assert 'Reset a password</a> <span class="quiet">(same category)' in known_of(leo, code)
        page = "/console/knowledge/articles/reset-a-password"
        assert "Hardware / Printer" in leo.get(page).text
        assert f'selected value="{category}"' in leo.get(f"{page}/edit").text
        # A publisher's change of the category reaches the published text.
        change = {**SENT, "category": "", "seen": "1", "slug": "reset-a-password"}
        assert leo.post(f"{page}/edit", data=change).status_code == 302
        assert {one.category_id for one in rows(ArticleEdition)} == {None}

    def test_a_retired_category_stays_on_what_has_it(self, sign_in, within, category, rows):
        leo = sign_in("Leo")
        leo.post(NEW, data={**SENT, "category": category})
        with within("Mia") as mia:
            categories.retire_category(categories.find_category(category), by=mia, at=MONDAY)
            db.session.commit()
        assert "Hardware / Printer" not in leo.get(NEW).text
        page = "/console/knowledge/articles/reset-a-password/edit"
        kept = {**SENT, "category": category, "seen": "1", "slug": "reset-a-password"}
        assert leo.post(page, data=kept).status_code == 302
        assert [one.category_id is None for one in rows(Article)] == [False]

    def test_a_draft_takes_its_tickets_category(self, sign_in, category, code, act):
        act("Tina", categorised(category))
        act("Leo", lambda ticket, by: services.take_ticket(ticket, by=by, at=MONDAY))
        act("Leo", lambda ticket, by: services.resolve_ticket(ticket, solution="Done.", by=by, at=MONDAY))
        form = sign_in("Leo").get(f"/console/knowledge/tickets/{code}/draft").text
        assert f'selected value="{category}"' in form


def asset_of(name):
    return db.session.scalars(select(Asset).where(Asset.name == name)).one()


@pytest.fixture
def tied(write, within):
    """A known error that acme-pc-1 has; its slug."""
    slug = write(kind="known_error", audience="staff", texts={"en": ERROR})
    with within("Leo") as leo:
        links.tie_asset(queries.find_article(slug, by=leo), asset_of("acme-pc-1"), by=leo, at=MONDAY)
        db.session.commit()
    return slug


def test_the_known_errors_of_further_assets_are_shown(sign_in, tied, code, act):
    tina = sign_in("Tina")
    assert "Driver 7 burns" not in known_of(tina, code)

    def beside(ticket, by):
        asset = asset_of("acme-pc-1")
        places.place_ticket(ticket, asset=None, further=[asset], site=None, by=by, at=MONDAY)

    act("Tina", beside)
    assert "known of this asset" in known_of(tina, code)


def test_an_assets_page_shows_its_known_errors(sign_in, tied, within):
    with within("Leo"):
        public_id = asset_of("acme-pc-1").public_id
    page = sign_in("Tina").get(f"/console/assets/{public_id}").text
    assert "Driver 7 burns" in page and "Pull the plug" in page
    assert "Driver 7 burns" not in sign_in("Alice").get(f"/portal/assets/{public_id}").text


def test_an_incident_shows_the_known_error_of_its_problem(sign_in, write, code, act, cast):
    slug = write(kind="known_error", audience="staff", texts={"en": ERROR})

    def caused(ticket, by):
        problem = tickets.open_in_scope(cast, by, subject="Many fires", kind="problem")
        link_tickets(ticket, problem, kind="problem", by=by, at=MONDAY)
        links.link_ticket(queries.find_article(slug, by=by), problem, how="problem", by=by, at=MONDAY)

    act("Leo", caused)
    assert "known of its problem" in known_of(sign_in("Tina"), code)


class TestMisses:
    """Searches without an answer, whoever searched."""

    REQUEST = {"kind": "incident", "body": "Help", "impact": "low", "urgency": "low"}

    @pytest.fixture(autouse=True)
    def mails_leave(self, app, smtp, monkeypatch):
        point(app, monkeypatch, f"smtp://127.0.0.1:{smtp.port}")
        self.app = app

    def missed(self, rows):
        with self.app.app_context():
            run_all_due()
        return {one.phrase: one.times for one in rows(ArticleMiss)}

    def test_one_common_word_hides_no_miss(self, sign_in, write, rows):
        write()
        page = sign_in("Bob").get("/portal/articles", query_string={"q": "printer submarine"}).text
        assert "The <mark>printer</mark>" in page or "printer does not print" in page
        assert self.missed(rows) == {"printer submarine": 1}

    def test_what_was_typed_last_counts_when_the_ticket_is_opened(self, sign_in, write, rows):
        write()
        bob = sign_in("Bob")
        for typed in ("Subm", "Submarine", "Submarine leaks"):
            bob.get("/portal/article-offers", query_string={"subject": typed})
        assert self.missed(rows) == {}
        form = {**self.REQUEST, "subject": "Submarine leaks"}
        assert bob.post("/portal/tickets/new", data=form).status_code == 302
        assert bob.post("/portal/tickets/new", data={**form, "subject": "Printer burns"}).status_code == 302
        assert self.missed(rows) == {"submarine leaks": 1, "printer burns": 1}

    def test_what_is_answered_is_no_miss(self, sign_in, write, rows):
        write()
        form = {**self.REQUEST, "subject": "The printer does not print"}
        assert sign_in("Bob").post("/portal/tickets/new", data=form).status_code == 302
        assert self.missed(rows) == {}

    def test_visitors_and_staff_count_too(self, client, sign_in, rows):
        for _twice in range(2):
            assert client.get("/help/articles?q=submarine").status_code == 200
        assert sign_in("Tina").get("/console/knowledge?q=periscope").status_code == 200
        # Narrowed further, nothing says that it is not written down.
        sign_in("Tina").get("/console/knowledge?q=torpedo&kind=runbook")
        assert self.missed(rows) == {"submarine": 2, "periscope": 1}
        assert "submarine" in sign_in("Leo").get("/console/knowledge/misses").text

    def test_visitors_cannot_fill_the_table(self, client, rows, monkeypatch):
        monkeypatch.setattr(jobs, "MOST_OWN_MISSES", 2)
        for typed in ("submarine", "periscope", "torpedo", "submarine"):
            client.get("/help/articles", query_string={"q": typed})
        assert self.missed(rows) == {"submarine": 2, "periscope": 1}


class TestStaffSearch:
    """Staff find articles by what they say."""

    def test_the_list_finds_words_of_the_latest_text(self, sign_in, write):
        write(publish=False, texts={"en": {"title": "Heat", "body": "Clean the rollers."}})
        tina = sign_in("Tina")
        assert "Heat" in tina.get("/console/knowledge?q=roller").text
        assert "Heat" in tina.get("/console/knowledge?q=cleaning rollers").text
        # The name of a part is no word of it.
        assert "Heat" not in tina.get("/console/knowledge?q=body").text
        assert "Heat" not in tina.get("/console/knowledge?q=rollers submarine").text

    def test_the_search_of_every_page_shows_articles_beside_tickets(self, sign_in, write, code):
        write()
        write(audience="tier", tier="L3", texts={"en": {"title": "Printer secrets", "body": "printer"}})
        page = sign_in("Tina").get("/desk/search?q=printer").text
        assert "Printer on fire" in page
        assert "/console/knowledge/articles/the-printer-does-not-print" in page
        assert "Printer secrets" not in page
        assert "/console/knowledge/articles/" not in sign_in("Tina").get("/desk/search?q=printer fire").text
        assert "knowledge/articles" not in sign_in("Bob").get("/portal/search?q=printer").text
