"""Articles, their versions and what readers see of them; searches without an answer; runbooks under way.

Articles are the provider's. Clients and the public read editions only, and row security decides which: what is for all,
and what was chosen for one of their own companies.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, deferred, mapped_column

from msp.knowledge.rules import AUDIENCES, CHECKS, KINDS, LANGUAGES, LINKS, STATES, TIERS
from tenants.foundation.db import Base, ProviderOwned, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

# Whoever works for none of the chosen clients neither reads nor writes what was written for them.
_OF_GRANTED = "(audience <> 'chosen' OR tenant_ids && {tenants})"
_OF_READABLE = "(article_id IN (SELECT articles.id FROM articles))"
_FOR_CLIENTS = "(audience IN ('public', 'clients') OR (audience = 'chosen' AND tenant_ids && {tenants}))"
_OWN = "CASE language WHEN 'id' THEN 'indonesian'::regconfig ELSE 'english'::regconfig END"
_SHORT = "symptom || ' ' || workaround"
_LONG = "cause || ' ' || body"
# Words as they are written and as the language bends them, so that both searches find them.
_SEARCH = " || ".join(
    f"setweight(to_tsvector({config}, {words}), '{weight}')"
    for words, weight in (("title", "A"), (_SHORT, "B"), (_LONG, "D"))
    for config in ("'simple'::regconfig", _OWN)
)


class Article(ProviderOwned, Base):
    """Something that is known: an article, a known error or a runbook; its texts are in versions."""

    __tablename__ = "articles"
    __rows__: ClassVar[dict[Role, str]] = {Role.STAFF: _OF_GRANTED, Role.WORKER: _OF_GRANTED}
    public_id: Mapped[Any] = public_id()
    slug: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str]
    audience: Mapped[str]
    # The least tier that reads it, where it is for a tier.
    tier: Mapped[str | None]
    # The clients whose people read it, where it is for chosen ones.
    tenant_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)
    category_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(default="draft")
    # The title of the latest version in each language, for lists.
    title_id: Mapped[str] = mapped_column(String(160), default="")
    title_en: Mapped[str] = mapped_column(String(160), default="")
    version_number: Mapped[int] = mapped_column(default=0)
    published_number: Mapped[int | None]
    # When somebody has to look whether it is still true.
    review_on: Mapped[date | None] = mapped_column(Date)
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    changed_at: Mapped[datetime] = moment()
    __table_args__ = (
        choice("kind", KINDS),
        choice("audience", AUDIENCES),
        choice("tier", TIERS),
        choice("state", STATES),
        CheckConstraint("(audience = 'tier') = (tier IS NOT NULL)", name="tier_where_it_is_for_one"),
        UniqueConstraint("slug"),
        Index("ix_articles_changed", "changed_at", "id"),
    )


class ArticleVersion(ProviderOwned, Base):
    """What an article said from one saving to the next; never changed afterwards.

    `texts` holds each part by language, `steps` a runbook's steps in both languages with what ticks them.
    """

    __tablename__ = "article_versions"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys((Role.STAFF, Role.WORKER), "SELECT, INSERT")
    __rows__: ClassVar[dict[Role, str]] = {Role.STAFF: _OF_READABLE, Role.WORKER: _OF_READABLE}
    article_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("articles.id"))
    number: Mapped[int]
    texts: Mapped[dict[str, Any]]
    steps: Mapped[list[Any]] = mapped_column(default=list)
    what_changed: Mapped[str] = mapped_column(String(200), default="")
    written_by_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    written_by_name: Mapped[str] = mapped_column(String(120))
    written_at: Mapped[datetime] = moment()
    __table_args__ = (UniqueConstraint("article_id", "number"),)


class ArticleEdition(ProviderOwned, Base):
    """The published version of an article in one language: the only row of it that clients and the public read.

    There are too few articles for an index on `search`, and under row security text operators could not use it.
    """

    __tablename__ = "article_editions"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT", Role.GATE: "SELECT"}
    __rows__: ClassVar[dict[Role, str]] = {
        Role.STAFF: _OF_GRANTED,
        Role.WORKER: _OF_GRANTED,
        Role.CLIENT: _FOR_CLIENTS,
        Role.GATE: "(audience = 'public')",
    }
    article_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("articles.id"))
    language: Mapped[str] = mapped_column(String(2))
    slug: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str]
    audience: Mapped[str]
    tier: Mapped[str | None]
    tenant_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)
    category_id: Mapped[int | None] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(String(160))
    symptom: Mapped[str] = mapped_column(default="")
    cause: Mapped[str] = mapped_column(default="")
    workaround: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")
    steps: Mapped[list[Any]] = mapped_column(default=list)
    version_number: Mapped[int]
    published_at: Mapped[datetime] = moment()
    search: Mapped[Any] = deferred(mapped_column(TSVECTOR, Computed(_SEARCH, persisted=True)))
    __table_args__ = (
        choice("language", LANGUAGES),
        choice("kind", KINDS),
        choice("audience", AUDIENCES),
        UniqueConstraint("article_id", "language"),
        Index("ix_article_editions_slug", "slug"),
    )


class ArticleDay(TenantOwned, Base):
    """How often a client's people opened an article on a day, and how often it saved them a ticket."""

    __tablename__ = "article_days"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT, UPDATE"}
    article_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("articles.id"))
    day: Mapped[date] = mapped_column(Date)
    views: Mapped[int] = mapped_column(default=0)
    deflected: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("uq_article_days", "tenant_id", "article_id", "day", unique=True),)


class ArticleVote(TenantOwned, Base):
    """Whether an article helped one reader: said once."""

    __tablename__ = "article_votes"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT"}
    article_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("articles.id"))
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    helped: Mapped[bool]
    at: Mapped[datetime] = moment()
    __table_args__ = (Index("uq_article_votes", "tenant_id", "article_id", "user_id", unique=True),)


class ArticleMiss(TenantOwned, Base):
    """A phrase that a client's people looked for in vain; staff who work for the client read it, clients do not.

    A client may count it up, which needs to see the row: its own company's phrases and no other's.
    """

    __tablename__ = "article_misses"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "SELECT, INSERT, UPDATE (times, last_at)",
        Role.SWEEPER: "SELECT (last_at), DELETE",
    }
    phrase: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(2))
    times: Mapped[int] = mapped_column(default=1)
    last_at: Mapped[datetime] = moment()
    __table_args__ = (
        choice("language", LANGUAGES),
        Index("uq_article_misses", "tenant_id", "phrase", "language", unique=True),
        # The sweeper's own index runs over all tenants: it reads only what is old.
        Index("ix_article_misses_last", "last_at"),
    )


class ArticleAsset(TenantOwned, Base):
    """A known error's asset; clients never read it."""

    __tablename__ = "article_assets"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    article_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("articles.id"))
    asset_id: Mapped[int]
    tied_by_name: Mapped[str] = mapped_column(String(120))
    tied_at: Mapped[datetime] = moment()
    __table_args__ = (
        belongs("assets", "asset_id"),
        Index("uq_article_assets", "tenant_id", "asset_id", "article_id", unique=True),
        Index("ix_article_assets_article", "tenant_id", "article_id"),
    )


class ArticleTicket(TenantOwned, Base):
    """An article and a ticket that have to do with each other; clients never read it.

    `drafted`: the article was written from the ticket; `used`: it helped there; `problem`: the ticket is the problem
    behind the known error.
    """

    __tablename__ = "article_tickets"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    article_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("articles.id"))
    ticket_id: Mapped[int]
    how: Mapped[str]
    linked_by_name: Mapped[str] = mapped_column(String(120))
    linked_at: Mapped[datetime] = moment()
    __table_args__ = (
        choice("how", LINKS),
        belongs("tickets", "ticket_id"),
        Index("uq_article_tickets", "tenant_id", "ticket_id", "article_id", "how", unique=True),
        Index("ix_article_tickets_article", "tenant_id", "article_id", "id"),
    )


class RunbookRun(TenantOwned, Base):
    """A runbook that was started on a ticket, as it was then; clients never read it."""

    __tablename__ = "runbook_runs"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    public_id: Mapped[Any] = public_id()
    ticket_id: Mapped[int]
    article_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("articles.id"))
    version_number: Mapped[int]
    title: Mapped[str] = mapped_column(String(160))
    started_by_name: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[datetime] = moment()
    finished_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        belongs("tickets", "ticket_id"),
        Index("ix_runbook_runs_ticket", "tenant_id", "ticket_id", "id"),
        Index("ix_runbook_runs_article", "tenant_id", "article_id"),
    )


class RunbookStep(TenantOwned, Base):
    """One step of a runbook on a ticket: what is done, what ticks it by itself, and who ticked it when."""

    __tablename__ = "runbook_steps"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "",
        Role.SWEEPER: "SELECT (tenant_id, ticket_id, check_name, done_at)",
    }
    run_id: Mapped[int]
    ticket_id: Mapped[int]
    place: Mapped[int] = mapped_column(Integer)
    words: Mapped[str] = mapped_column(String(300))
    check_name: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    done_at: Mapped[datetime | None] = moment(nullable=True)
    done_by_name: Mapped[str | None] = mapped_column(String(120))
    __table_args__ = (
        choice("check_name", ("", *CHECKS)),
        belongs("runbook_runs", "run_id"),
        belongs("tickets", "ticket_id"),
        Index("uq_runbook_steps", "tenant_id", "run_id", "place", unique=True),
        Index(
            "ix_runbook_steps_waiting",
            "tenant_id",
            "ticket_id",
            postgresql_where=text("done_at IS NULL AND check_name <> ''"),
        ),
        # The sweeper's own index runs over all tenants: it reads only steps that wait for a machine.
        Index(
            "ix_runbook_steps_assets",
            "check_name",
            postgresql_where=text("done_at IS NULL AND check_name = 'asset_seen'"),
        ),
    )
