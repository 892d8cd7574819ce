"""Who reads what: in the queries, and in PostgreSQL alone, asked as Mallory of another company."""

import pytest
from sqlalchemy import insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from msp.knowledge import queries
from msp.knowledge.models import Article, ArticleEdition, ArticleMiss, ArticleVersion
from msp.knowledge.queries import Reader
from tenants.foundation import guard
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.scope import enter, gate
from tests.msp.knowledge.conftest import draft
from tests.tickets import MONDAY


@pytest.fixture
def every(write, cast):
    """An article of each audience, by it."""
    acme = cast.tenants["acme"]
    said = {
        "public": {},
        "clients": {},
        "chosen": {"tenant_ids": [acme]},
        "staff": {},
        "tier": {"tier": "L3"},
    }
    return {
        audience: write(
            audience=audience, texts={"en": {"title": f"For {audience}", "body": "printer"}}, **more
        )
        for audience, more in said.items()
    }


def read_as(within, every, who, tenant_id=None):
    with within(who) as actor:
        reader = Reader.of(actor, tenant_id)
        found = set()
        for audience, slug in every.items():
            try:
                queries.find_editions(slug, reader)
            except NotFound:
                continue
            found.add(audience)
        assert {one.slug for one in queries.list_editions(reader, "en")} == {every[one] for one in found}
        return found


def test_each_reader_reads_their_own(within, every, cast):
    acme, globex = cast.tenants["acme"], cast.tenants["globex"]
    assert read_as(within, every, "Bob", acme) == {"public", "clients", "chosen"}
    assert read_as(within, every, "Mallory", globex) == {"public", "clients"}
    assert read_as(within, every, "Tina") == {"public", "clients", "chosen", "staff"}
    assert read_as(within, every, "Leo") == {"public", "clients", "chosen", "staff"}
    assert read_as(within, every, "Nadia") == {"public", "clients", "chosen", "staff", "tier"}
    assert read_as(within, every, "Owen") == {"public", "clients", "chosen", "staff", "tier"}


def test_a_list_reads_no_bodies_and_no_more_than_it_shows(within, every):
    with within("Owen"):
        (first, second) = queries.list_editions(Reader(is_staff=True), "en", limit=2)
        assert [one.title for one in (first, second)] == ["For clients", "For public"]
        assert {"body", "cause", "search"} <= inspect(first).unloaded


def test_row_security_alone_hides_them_from_other_companies(within, every):
    with within("Mallory"), guard.disabled():
        assert set(db.session.scalars(select(ArticleEdition.audience))) == {"public", "clients"}
    with within("Bob"), guard.disabled():
        assert set(db.session.scalars(select(ArticleEdition.audience))) == {"public", "clients", "chosen"}


def test_the_public_reads_what_is_public_and_nothing_else(app, every):
    with app.app_context(), enter(gate()):
        assert set(db.session.scalars(select(ArticleEdition.audience))) == {"public"}


@pytest.mark.parametrize("model", [Article, ArticleVersion])
def test_clients_never_touch_articles_or_versions(within, every, model):
    with within("Mallory"), pytest.raises(DBAPIError, match="permission denied"):
        db.session.scalars(select(model.id)).all()


def test_clients_write_no_edition(within, every):
    with within("Mallory"), pytest.raises(DBAPIError, match="permission denied"):
        db.session.execute(update(ArticleEdition).values(audience="public"))


def test_staff_see_what_was_written_for_clients_they_serve(within, write, cast):
    """Tina is granted Acme only: what was written for Globex is not there for her, its versions neither."""
    slug = write(audience="chosen", tenant_ids=[cast.tenants["globex"]])
    with within("Tina") as tina:
        assert db.session.scalars(select(Article)).all() == []
        assert db.session.scalars(select(ArticleVersion)).all() == []
        assert db.session.scalars(select(ArticleEdition)).all() == []
        with pytest.raises(NotFound):
            queries.find_editions(slug, Reader.of(tina))
    with within("Tina"), pytest.raises(DBAPIError, match="row-level security"):
        row = Article(
            slug="x",
            kind="article",
            audience="chosen",
            tenant_ids=[cast.tenants["globex"]],
            created_by="Tina",
            created_at=MONDAY,
            changed_at=MONDAY,
        )
        db.session.add(row)
        db.session.flush()


def test_misses_of_another_company_are_not_there(app, within, cast):
    values = {"phrase": "our secret plan", "language": "en", "last_at": MONDAY}
    with within("globex"):
        db.session.execute(insert(ArticleMiss).values(tenant_id=cast.tenants["globex"], **values))
        db.session.commit()
    for who in ("Tina", "Bob"):
        with within(who), guard.disabled():
            assert db.session.scalars(select(ArticleMiss)).all() == []
    with within("Leo"):
        assert [row.phrase for row in queries.list_misses()] == ["our secret plan"]


def test_changing_the_readers_changes_the_editions(within, write, cast):
    from msp.knowledge import services

    slug = write()
    with within("Nadia") as nadia:
        article = db.session.scalars(select(Article).where(Article.slug == slug)).one()
        said = draft(audience="chosen", tenant_ids=[cast.tenants["acme"]])
        services.change_article(article, said, by=nadia, at=MONDAY)
        db.session.commit()
    with within("Mallory"):
        assert db.session.execute(text("SELECT count(*) FROM article_editions")).scalar() == 0
    with within("Bob"):
        assert db.session.execute(text("SELECT count(*) FROM article_editions")).scalar() == 2
