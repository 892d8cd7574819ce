"""Versions that nobody changes, publishing by those who may, and what is refused, by the name of its field."""

import threading

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from msp.knowledge import queries, services
from msp.knowledge.models import Article, ArticleEdition, ArticleVersion
from msp.knowledge.rules import Step
from tenants.audit.models import SystemAuditEntry
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, InvalidMany
from tests import personas
from tests.msp.knowledge.conftest import TEXTS, draft, runbook
from tests.tickets import MONDAY, later


def article_of(slug):
    return db.session.scalars(select(Article).where(Article.slug == slug)).one()


def test_a_draft_is_read_by_nobody_until_it_is_published(within, write):
    slug = write(publish=False)
    with within("Nadia") as nadia:
        assert db.session.scalars(select(ArticleEdition)).all() == []
        services.publish_article(article_of(slug), by=nadia, at=MONDAY)
        found = db.session.scalars(select(ArticleEdition.language)).all()
        assert sorted(found) == ["en", "id"]


def test_writers_write_and_others_publish(within, write):
    slug = write(by="Leo", publish=False)
    with within("Leo") as leo, pytest.raises(Forbidden):
        services.publish_article(article_of(slug), by=leo, at=MONDAY)
    with within("Tina") as tina, pytest.raises(Forbidden):
        services.add_article(draft(), by=tina, at=MONDAY)
    with within("Leo") as leo, pytest.raises(Forbidden):
        services.retire_article(article_of(slug), by=leo, at=MONDAY)


def test_a_writer_does_not_widen_the_readers_of_what_is_published(within, write):
    slug = write(audience="staff")
    with within("Leo") as leo, pytest.raises(Forbidden):
        services.change_article(article_of(slug), draft(audience="public"), by=leo, at=MONDAY)


def test_readers_go_on_seeing_what_was_published(within, write):
    slug = write()
    with within("Leo") as leo:
        texts = {"en": {**TEXTS["en"], "body": "Ask us."}}
        services.change_article(article_of(slug), draft(texts=texts), by=leo, at=later(days=1))
        db.session.commit()
        assert article_of(slug).version_number == 2
        assert "ten seconds" in queries.find_editions(slug, queries.Reader.of(leo))["en"].body


def test_saving_the_same_makes_no_version(within, write):
    slug = write()
    with within("Nadia") as nadia:
        assert services.change_article(article_of(slug), draft(), by=nadia, at=MONDAY) is None
        assert article_of(slug).version_number == 1


def test_an_earlier_version_comes_back_as_the_newest(within, write):
    slug = write()
    with within("Nadia") as nadia:
        article = article_of(slug)
        services.change_article(
            article, draft(texts={"en": {"title": "Other", "body": "Other"}}), by=nadia, at=MONDAY
        )
        restored = services.restore_version(article, 1, by=nadia, at=later(hours=1))
        assert (restored.number, restored.texts["en"]["body"]) == (3, TEXTS["en"]["body"])
        assert [one.number for one in queries.list_versions(article)] == [3, 2, 1]


def test_versions_are_never_changed(within, write):
    write()
    with within("Nadia"), pytest.raises(DBAPIError, match="permission denied"):
        db.session.execute(update(ArticleVersion).values(what_changed="nothing"))


def test_a_stale_page_is_refused(within, write):
    slug = write()
    with within("Nadia") as nadia:
        services.change_article(
            article_of(slug), draft(texts={"en": {"title": "x", "body": "y"}}), by=nadia, at=MONDAY, seen=1
        )
        with pytest.raises(Conflict):
            services.change_article(article_of(slug), draft(), by=nadia, at=MONDAY, seen=1)


def test_what_is_retired_is_read_no_more_and_its_versions_stay(within, write):
    slug = write(audience="public")
    with within("Nadia") as nadia:
        services.retire_article(article_of(slug), by=nadia, at=MONDAY)
        db.session.commit()
        assert db.session.scalars(select(ArticleEdition)).all() == []
        assert len(queries.list_versions(article_of(slug))) == 1


def test_slugs_are_made_from_titles_and_stay(within, write):
    assert write() == "the-printer-does-not-print"
    assert write() == "the-printer-does-not-print-2"
    with within("Nadia") as nadia:
        with pytest.raises(Invalid) as taken:
            services.add_article(draft(slug="the-printer-does-not-print"), by=nadia, at=MONDAY)
        assert taken.value.field == "slug"
        with pytest.raises(Invalid) as moved:
            services.change_article(
                article_of("the-printer-does-not-print"), draft(slug="other"), by=nadia, at=MONDAY
            )
        assert moved.value.field == "slug"


def test_what_one_may_not_see_takes_an_address_all_the_same(within, write, cast, superuser):
    """Globex's article, for all staff once, has the address that Leo would get, who serves Globex no more."""
    theirs = {"audience": "chosen", "tenant_ids": (cast.tenants["globex"],)}
    slug = write()
    with within("Nadia") as nadia:
        services.change_article(article_of(slug), draft(**theirs), by=nadia, at=MONDAY)
        db.session.commit()
    superuser.execute(
        "INSERT INTO staff_grants (tenant_id, user_id, effect, granted_at) VALUES (%s, %s, 'deny', now())",
        (cast.tenants["globex"], cast.users["Leo"]),
    )
    with within("Leo") as leo:
        article = services.add_article(draft(audience="staff"), by=leo, at=MONDAY)
        assert article.slug.startswith("the-printer-does-not-print-")
        with pytest.raises(Invalid) as taken:
            services.add_article(draft(slug=slug), by=leo, at=MONDAY)
        assert taken.value.field == "slug"
        db.session.commit()


def test_addresses_of_what_is_chosen_tell_nobody_the_title(write, cast):
    """Else a number at the end of one's own address would."""
    theirs = {"audience": "chosen", "tenant_ids": (cast.tenants["globex"],)}
    hidden = write(**theirs)
    assert hidden.startswith("the-printer-does-not-print-") and len(hidden) > 30
    assert write("Leo", publish=False) == "the-printer-does-not-print"
    assert write("Leo", publish=False) == "the-printer-does-not-print-2"
    long = {"en": {"title": "word " * 32, "body": "Long."}}
    assert len(write(texts=long, **theirs)) <= 64


def test_two_who_write_of_one_thing_at_once_get_an_address_each(app, cast, write):
    """Nadia's transaction is open while Leo's begins, and ends only once his waits for hers."""
    waiting, found = threading.Event(), []

    def leos():
        with personas.within(app, cast, "Leo") as leo:
            waiting.set()
            found.append(services.add_article(draft(), by=leo, at=MONDAY).slug)
            db.session.commit()

    with personas.within(app, cast, "Nadia") as nadia:
        found.append(services.add_article(draft(), by=nadia, at=MONDAY).slug)
        other = threading.Thread(target=leos)
        other.start()
        assert waiting.wait(10)
        other.join(0.2)
        assert other.is_alive()
        db.session.commit()
    other.join(10)
    assert found == ["the-printer-does-not-print", "the-printer-does-not-print-2"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"texts": {"en": {"body": "x"}}}, "title_id"),
        ({"texts": {"en": {"title": "x"}, "id": {"body": "y"}}}, "title_id"),
        ({"texts": {"en": {"title": "x" * 161}}}, "title_en"),
        ({"texts": {"en": {"title": "x", "body": "a\x02b"}}}, "body_en"),
        ({"audience": "chosen"}, "tenants"),
        ({"audience": "chosen", "tenant_ids": [999_999]}, "tenants"),
        ({"audience": "tier"}, "tier"),
        ({"audience": "moon"}, "audience"),
        ({"slug": "Not A Slug"}, "slug"),
        ({"kind": "runbook"}, "steps_id"),
        ({"kind": "runbook", "steps": [Step("a", "b", "moon_landed")]}, "steps_id"),
        ({"kind": "runbook", "steps": [Step("a", "b")] * 61}, "steps_id"),
        ({"what_changed": "x" * 201}, "what_changed"),
    ],
)
def test_what_is_wrong_is_named(within, changes, field):
    with within("Nadia") as nadia, pytest.raises(InvalidMany) as refused:
        services.add_article(draft(**changes), by=nadia, at=MONDAY)
    assert field in dict(refused.value.errors)


def test_nobody_writes_for_a_tier_above_the_own(within):
    with within("Leo") as leo, pytest.raises(InvalidMany) as refused:
        services.add_article(draft(audience="tier", tier="L3"), by=leo, at=MONDAY)
    assert "tier" in dict(refused.value.errors)


def test_steps_stand_in_editions_of_both_languages(within, write):
    slug = write(draft=runbook(Step("Buat akun", ""), Step("", "Tell them", "requester_told")))
    with within("Nadia") as nadia:
        found = queries.find_editions(slug, queries.Reader.of(nadia))
        assert found["en"].steps == ["Buat akun", "Tell them"]


def test_acts_are_audited(within, write, superuser):
    slug = write()
    rows = superuser.execute(
        f"SELECT action FROM {SystemAuditEntry.__tablename__} WHERE object = %s ORDER BY seq",
        (f"article {slug}",),
    ).fetchall()
    assert [one for (one,) in rows] == ["article.add", "article.publish"]
