"""Finding articles: what somebody may not read is not found. Row security says the same once more for clients."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, desc, false, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import load_only

from msp.knowledge.matching import ALL, asked_for, words_in
from msp.knowledge.models import (
    Article,
    ArticleAsset,
    ArticleDay,
    ArticleEdition,
    ArticleMiss,
    ArticleTicket,
    ArticleVersion,
    ArticleVote,
)
from msp.knowledge.rules import TIERS, is_slug, may_read_tier, words_of
from tenants.assets.models import Asset
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.errors import NotFound
from tenants.tickets.models import Ticket

_LISTED = (
    ArticleEdition.article_id,
    ArticleEdition.language,
    ArticleEdition.slug,
    ArticleEdition.kind,
    ArticleEdition.title,
    ArticleEdition.steps,
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: staff of a tier for the clients they are granted, people of one company, or anybody."""

    tenants: frozenset[int] = frozenset()
    is_staff: bool = False
    tier: str | None = None

    @classmethod
    def of(cls, by: Actor | None, tenant_id: int | None = None) -> "Reader":
        """A person as a reader, in the company in view where there is one."""
        if by is None:
            return cls()
        if by.is_staff:
            return cls(by.tenants, True, by.tier)
        return cls(frozenset() if tenant_id is None else frozenset({tenant_id}), False)


def reader_for(by: Actor, tenant_id: int) -> Reader:
    """Staff who look for something that concerns one client: not what was chosen for others."""
    return replace(Reader.of(by), tenants=frozenset({tenant_id}))


def _readable(model: Any, reader: Reader, *, anonymous: bool = False) -> Any:
    """The condition on articles or editions."""
    if anonymous:
        return model.audience == "public"
    chosen = and_(model.audience == "chosen", model.tenant_ids.overlap(sorted(reader.tenants)))
    if not reader.tenants:
        chosen = false()
    if not reader.is_staff:
        return or_(model.audience.in_(("public", "clients")), chosen)
    tiers = [tier for tier in TIERS if may_read_tier(reader.tier, tier)]
    own = and_(model.audience == "tier", model.tier.in_(tiers))
    return or_(model.audience.in_(("public", "clients", "staff")), chosen, own)


def readable_edition(reader: Reader | None) -> Any:
    """The condition on editions for a reader, or for anybody (None)."""
    return _readable(ArticleEdition, reader or Reader(), anonymous=reader is None)


def find_editions(slug: str, reader: Reader | None) -> dict[str, ArticleEdition]:
    """The published texts of an article by language. Raises NotFound."""
    if not is_slug(slug):
        raise NotFound
    asked = select(ArticleEdition).where(ArticleEdition.slug == slug, readable_edition(reader))
    found = {one.language: one for one in db.session.scalars(asked)}
    if not found:
        raise NotFound
    return found


def in_language(editions: dict[str, ArticleEdition], language: str) -> ArticleEdition:
    """The text in a language, or the other where that is missing."""
    return editions.get(language) or next(iter(editions.values()))


def list_editions(
    reader: Reader | None, language: str, *, kinds: Collection[str] = (), limit: int = 60
) -> Sequence[ArticleEdition]:
    """What a reader may read, one each, by title: in the language where it is there. Only what lists show is read."""
    own = desc(ArticleEdition.language == language)
    each = select(ArticleEdition.id).where(readable_edition(reader))
    if kinds:
        each = each.where(ArticleEdition.kind.in_(kinds))
    one = each.ext(distinct_on(ArticleEdition.article_id)).order_by(ArticleEdition.article_id, own)
    listed = select(ArticleEdition).where(ArticleEdition.id.in_(one))
    by_title = listed.order_by(func.lower(ArticleEdition.title), ArticleEdition.id).limit(limit)
    return db.session.scalars(by_title.options(load_only(*_LISTED))).all()


def find_article(slug: str, *, by: Actor) -> Article:
    """An article for staff, drafts too. Raises NotFound."""
    asked = select(Article).where(Article.slug == slug, _readable(Article, Reader.of(by)))
    found = db.session.scalar(asked) if is_slug(slug) else None
    if found is None:
        raise NotFound
    return found


def find_version(article: Article, number: int) -> ArticleVersion:
    """One version of an article. Raises NotFound."""
    found = db.session.scalar(
        select(ArticleVersion).where(ArticleVersion.article_id == article.id, ArticleVersion.number == number)
    )
    if found is None:
        raise NotFound
    return found


def list_versions(article: Article) -> Sequence[ArticleVersion]:
    """Every version, the newest first."""
    asked = select(ArticleVersion).where(ArticleVersion.article_id == article.id)
    return db.session.scalars(asked.order_by(ArticleVersion.number.desc())).all()


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list for staff is narrowed to; empty narrows nothing. `due_on`: to be looked at by then."""

    q: str = ""
    kind: str = ""
    state: str = ""
    audience: str = ""
    due_on: date | None = None


def list_articles(
    narrowed: Filter, *, by: Actor, after: Sequence[Any] | None = None, limit: int = 25
) -> Sequence[Article]:
    """Articles of any state, the last changed first; one more than `limit`. The key is `(changed_at, id)`, falling."""
    found = select(Article).where(_readable(Article, Reader.of(by)))
    for column, value in (
        (Article.kind, narrowed.kind),
        (Article.state, narrowed.state),
        (Article.audience, narrowed.audience),
    ):
        if value:
            found = found.where(column == value)
    if narrowed.due_on is not None:
        found = found.where(Article.review_on <= narrowed.due_on, Article.state != "retired")
    if narrowed.q.strip():
        plain = narrowed.q.strip().replace("\x00", "")[:100]
        titles = (Article.title_id, Article.title_en, Article.slug)
        named = or_(*(one.icontains(plain, autoescape=True) for one in titles))
        found = found.where(or_(named, _says(words_of(plain))))
    if after is not None:
        found = found.where(tuple_(Article.changed_at, Article.id) < tuple_(*after))
    order = (Article.changed_at.desc(), Article.id.desc())
    return db.session.scalars(found.order_by(*order).limit(limit + 1)).all()


def _says(words: Sequence[str]) -> Any:
    """The condition that the latest version of an article has all these words."""
    if not words:
        return false()
    latest = select(ArticleVersion.id).where(
        ArticleVersion.article_id == Article.id,
        ArticleVersion.number == Article.version_number,
        words_in(ArticleVersion.texts).op("@@")(asked_for(words, ALL)),
    )
    return latest.exists()


def changed_key(article: Article) -> tuple[datetime, int]:
    """The sort key of the list for staff."""
    return article.changed_at, article.id


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of an article among the clients that one is granted."""

    views: int = 0
    deflected: int = 0
    helped: int = 0
    not_helped: int = 0
    tickets: int = 0


def figures_of(article_ids: Collection[int]) -> dict[int, Figures]:
    """The figures of articles, in one statement."""
    if not article_ids:
        return {}
    days = _summed(ArticleDay, func.sum(ArticleDay.views), func.sum(ArticleDay.deflected))
    votes = _summed(
        ArticleVote,
        func.count().filter(ArticleVote.helped),
        func.count().filter(~ArticleVote.helped),
    )
    tickets = _summed(ArticleTicket, func.count(ArticleTicket.ticket_id.distinct()))
    asked = (
        select(Article.id, days.c[1], days.c[2], votes.c[1], votes.c[2], tickets.c[1])
        .outerjoin(days, days.c.article_id == Article.id)
        .outerjoin(votes, votes.c.article_id == Article.id)
        .outerjoin(tickets, tickets.c.article_id == Article.id)
        .where(among(Article.id, article_ids))
    )
    return {row[0]: Figures(*(int(one or 0) for one in row[1:])) for row in db.session.execute(asked)}


def _summed(model: Any, *figures: Any) -> Any:
    named = [one.label(f"figure_{place}") for place, one in enumerate(figures)]
    return select(model.article_id, *named).group_by(model.article_id).subquery()


def list_misses(*, limit: int = 100) -> Sequence[Any]:
    """Phrases that were looked for in vain among the clients one is granted: phrase, language, times, when last."""
    times = func.sum(ArticleMiss.times).label("times")
    asked = (
        select(
            ArticleMiss.phrase, ArticleMiss.language, times, func.max(ArticleMiss.last_at).label("last_at")
        )
        .group_by(ArticleMiss.phrase, ArticleMiss.language)
        .order_by(times.desc(), ArticleMiss.phrase)
        .limit(limit)
    )
    return db.session.execute(asked).all()


def list_tied_assets(article: Article) -> Sequence[Any]:
    """The assets of a known error that one may see: pairs of the tie and the asset."""
    asked = (
        select(ArticleAsset, Asset)
        .outerjoin(Asset, and_(Asset.tenant_id == ArticleAsset.tenant_id, Asset.id == ArticleAsset.asset_id))
        .where(ArticleAsset.article_id == article.id)
        .order_by(Asset.name)
    )
    return [(row[0], row[1]) for row in db.session.execute(asked) if row[1] is not None]


def list_linked_tickets(article: Article, *, limit: int = 50) -> Sequence[Any]:
    """The tickets of an article that one may see, the newest first: pairs of the link and the ticket."""
    asked = (
        select(ArticleTicket, Ticket)
        .outerjoin(
            Ticket, and_(Ticket.tenant_id == ArticleTicket.tenant_id, Ticket.id == ArticleTicket.ticket_id)
        )
        .where(ArticleTicket.article_id == article.id)
        .order_by(ArticleTicket.id.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in db.session.execute(asked) if row[1] is not None]


def list_linked_articles(ticket: Ticket, *, by: Actor) -> Sequence[Any]:
    """The articles that a ticket is linked with: pairs of the link and the article."""
    asked = (
        select(ArticleTicket, Article)
        .join(Article, Article.id == ArticleTicket.article_id)
        .where(
            ArticleTicket.tenant_id == ticket.tenant_id,
            ArticleTicket.ticket_id == ticket.id,
            _readable(Article, Reader.of(by)),
        )
        .order_by(ArticleTicket.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(asked)]


def has_voted(article_id: int, tenant_id: int, user_id: int | None) -> bool:
    """Whether a reader has said already whether it helped."""
    asked = select(ArticleVote.id).where(
        ArticleVote.tenant_id == tenant_id,
        ArticleVote.article_id == article_id,
        ArticleVote.user_id == user_id,
    )
    return db.session.scalar(asked) is not None
