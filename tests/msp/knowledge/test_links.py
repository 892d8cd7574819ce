"""What is tied to a client's tickets and assets: nothing that was chosen for others, and no title in its audit log."""

import pytest
from sqlalchemy import select

from msp.knowledge import links, queries, runbooks
from msp.knowledge.models import Article, ArticleAsset, ArticleTicket, RunbookRun
from tenants.assets.models import Asset
from tenants.audit.models import AuditEntry
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.tickets.queries import find_ticket
from tests import tickets
from tests.msp.knowledge.conftest import STEPS, draft
from tests.tickets import MONDAY

TITLE = {"en": {"title": "Globex buys Initech", "body": "Until then nobody knows."}}
ERROR = {"en": {"title": "Globex buys Initech", "symptom": "s", "cause": "c", "workaround": "w"}}


@pytest.fixture
def code(app, cast):
    return tickets.opened(app, cast)


@pytest.fixture
def tied(within, code):
    """Tie an article to Bob's ticket in every way there is, as Leo, who serves both clients."""

    def _tie(slug):
        with within("Leo") as leo:
            article = db.session.scalars(select(Article).where(Article.slug == slug)).one()
            ticket = find_ticket(code, by=leo)
            asset = db.session.scalars(select(Asset).where(Asset.name == "acme-pc-1")).one()
            acting = {"by": leo, "at": MONDAY}
            if article.kind == "runbook":
                runbooks.start_runbook(ticket, article, language="en", **acting)
            elif article.kind == "known_error":
                links.tie_asset(article, asset, **acting)
                links.untie_asset(article, asset, **acting)
            else:
                links.link_ticket(article, ticket, how="used", **acting)
                links.unlink_ticket(article, ticket, **acting)
            db.session.commit()

    return _tie


@pytest.fixture
def drafts(cast):
    """One of each kind, for an audience."""

    def _drafts(**audience):
        return {
            "article": draft(texts=TITLE, **audience),
            "known_error": draft(kind="known_error", texts=ERROR, **audience),
            "runbook": draft(kind="runbook", texts=TITLE, steps=STEPS, **audience),
        }

    return _drafts


@pytest.mark.parametrize("kind", ["article", "known_error", "runbook"])
def test_what_was_chosen_for_others_is_tied_to_nothing_of_acme(within, write, tied, drafts, cast, kind):
    slug = write(draft=drafts(audience="chosen", tenant_ids=(cast.tenants["globex"],))[kind])
    with pytest.raises(Invalid):
        tied(slug)
    with within("Leo"):
        for model in (ArticleTicket, ArticleAsset, RunbookRun):
            assert db.session.scalars(select(model)).all() == []


@pytest.mark.parametrize("kind", ["article", "known_error", "runbook"])
def test_the_clients_log_names_no_title(within, write, tied, drafts, cast, kind):
    """What is read by nobody outside, or by others too, is named by its id."""
    both = (cast.tenants["acme"], cast.tenants["globex"])
    for audience in ({"audience": "chosen", "tenant_ids": both}, {"audience": "staff"}):
        slug = write(draft=drafts(**audience)[kind])
        tied(slug)
        with within("Leo"):
            logged = list(db.session.scalars(select(AuditEntry.body).where(AuditEntry.action.contains("_"))))
        assert any("runbook" in one or "article" in one for one in logged)
        assert not any(slug in one for one in logged)


def test_nothing_of_others_is_offered_on_a_ticket(sign_in, write, drafts, cast, code):
    """Leo could read it, but not here."""
    theirs = {"audience": "chosen", "tenant_ids": (cast.tenants["globex"],)}
    texts = {"en": {"title": "Printer on fire at Globex", "body": "Printer, fire."}}
    write(draft=draft(texts=texts, **theirs))
    write(draft=drafts(**theirs)["runbook"])
    leo = sign_in("Leo")
    assert "Printer on fire at Globex" not in leo.get(f"/console/knowledge/tickets/{code}").text
    assert "Globex buys" not in leo.get(f"/console/knowledge/tickets/{code}/runbooks").text
    write(draft=draft(texts={"en": {"title": "Printer on fire in general", "body": "Printer, fire."}}))
    assert "Printer on fire in general" in leo.get(f"/console/knowledge/tickets/{code}").text


def test_a_reader_for_one_client_keeps_the_own_tier(within):
    with within("Leo") as leo:
        found = queries.reader_for(leo, 7)
    assert (found.is_staff, found.tier, found.tenants) == (True, "L2", frozenset({7}))
