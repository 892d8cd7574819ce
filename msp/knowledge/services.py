"""Writing, publishing and retiring articles. Every saving is a version of its own; nothing is ever rewritten."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from secrets import token_hex
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from msp.knowledge.models import Article, ArticleEdition, ArticleVersion
from msp.knowledge.queries import find_version
from msp.knowledge.rules import (
    AUDIENCES,
    KINDS,
    LANGUAGES,
    LONGEST_PART,
    LONGEST_STEP,
    LONGEST_TITLE,
    MOST_STEPS,
    ONLY_KNOWN_ERRORS,
    PARTS,
    TIERS,
    Step,
    is_slug,
    may_read_tier,
    slug_of,
    unknown_checks,
)
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, InvalidMany
from tenants.foundation.permissions import Permission
from tenants.tenancy.clashes import broken_constraint

LONGEST_NOTE = 200


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What somebody writes: texts by language and part, and for whom it is. An empty slug is made from the title."""

    kind: str = "article"
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    audience: str = "staff"
    tier: str | None = None
    tenant_ids: Sequence[int] = ()
    category_id: int | None = None
    review_on: date | None = None
    slug: str = ""
    what_changed: str = ""


def add_article(draft: Draft, *, by: Actor, at: datetime) -> Article:
    """Write a new article; it stays a draft until somebody publishes it. Raises InvalidMany, Forbidden."""
    _check(draft, by)
    article = _named(draft, by, at)
    _write(article, draft, by=by, at=at)
    _audit("article.add", article, by, at)
    return article


def change_article(
    article: Article, draft: Draft, *, by: Actor, at: datetime, seen: int | None = None
) -> ArticleVersion | None:
    """Save another version; None where nothing of the texts changed. Readers go on seeing the published one.

    `seen` is the number of the version that the page showed. Raises InvalidMany, Forbidden, Conflict.
    """
    _hold(article)
    if seen is not None and seen != article.version_number:
        raise Conflict(
            _l("Somebody saved another version meanwhile. Compare it with yours, then save again.")
        )
    _check(draft, by)
    _check_covered(article, by)
    if article.state == "published" and _readers(article) != _readers(draft):
        _demand_publisher(by)
    if draft.slug and draft.slug != article.slug:
        raise Invalid("slug", _l("The address stays as it is: people have kept links to it."))
    before = find_version(article, article.version_number)
    _address(article, draft)
    article.changed_at = at
    _spread(article)
    _audit("article.change", article, by, at)
    if _said(draft) == (_whole(before.texts), before.steps):
        db.session.flush()
        return None
    return _write(article, draft, by=by, at=at)


def restore_version(article: Article, number: int, *, by: Actor, at: datetime) -> ArticleVersion:
    """Write an earlier version's texts once more, as the newest. Raises NotFound, Forbidden."""
    _hold(article)
    _check_covered(article, by)
    before = find_version(article, number)
    draft = Draft(
        kind=article.kind,
        texts=before.texts,
        steps=[Step(**one) for one in before.steps],
        what_changed=str(_l("Version %(number)s restored", number=number)),
    )
    article.changed_at = at
    written = _write(article, draft, by=by, at=at)
    _audit("article.restore", article, by, at, {"restored": number})
    return written


def publish_article(article: Article, *, by: Actor, at: datetime) -> None:
    """Let its readers read the latest version from now on. Raises Forbidden, Conflict."""
    _demand_publisher(by)
    _hold(article)
    _check_covered(article, by)
    version = find_version(article, article.version_number)
    editions = [one for one in LANGUAGES if version.texts.get(one, {}).get("title")]
    if not editions:
        raise Conflict(_l("Write a title first."))
    article.state, article.published_number, article.changed_at = "published", version.number, at
    db.session.flush()
    db.session.execute(_editions_of(article))
    db.session.add_all(_edition(article, version, language, at) for language in editions)
    db.session.flush()
    _audit("article.publish", article, by, at)


def retire_article(article: Article, *, by: Actor, at: datetime) -> None:
    """Let nobody but staff find it from now on. Raises Forbidden."""
    _demand_publisher(by)
    _hold(article)
    _check_covered(article, by)
    article.state, article.published_number, article.changed_at = "retired", None, at
    db.session.execute(_editions_of(article))
    db.session.flush()
    _audit("article.retire", article, by, at)


def keep_article(article: Article, *, until: date | None, by: Actor, at: datetime) -> None:
    """Say that it is still true, and when to look again. Raises Forbidden."""
    if not by.may(Permission.WRITE_ARTICLES):
        raise Forbidden
    _hold(article)
    article.review_on = until
    db.session.flush()
    _audit("article.keep", article, by, at, {"until": until.isoformat() if until else None})


def _hold(article: Article) -> None:
    db.session.refresh(article, with_for_update=True)


def _demand_publisher(by: Actor) -> None:
    if not by.may(Permission.PUBLISH_ARTICLES):
        raise Forbidden


def _check_covered(article: Article, by: Actor) -> None:
    """Whoever works for some of the chosen clients only would cut the others off."""
    if not set(article.tenant_ids or ()) <= by.tenants:
        raise Forbidden(_l("This was written for clients of whom you are not granted all."))


def _readers(one: Article | Draft) -> tuple[str, str | None, list[int]]:
    return one.audience, one.tier, sorted(one.tenant_ids or ())


def _check(draft: Draft, by: Actor) -> None:
    if not by.may(Permission.WRITE_ARTICLES):
        raise Forbidden
    wrong = [*_wrong_audience(draft, by), *_wrong_texts(draft), *_wrong_steps(draft)]
    if wrong:
        raise InvalidMany(wrong)


def _wrong_audience(draft: Draft, by: Actor) -> Iterator[tuple[str, Any]]:
    if draft.kind not in KINDS:
        yield "kind", _l("This kind of article is not known.")
    if draft.audience not in AUDIENCES:
        yield "audience", _l("Choose who reads it.")
    if draft.audience == "chosen" and not draft.tenant_ids:
        yield "tenants", _l("Choose at least one client.")
    if not set(draft.tenant_ids) <= by.tenants:
        yield "tenants", _l("This client is not known.")
    if draft.audience == "tier" and draft.tier not in TIERS:
        yield "tier", _l("Choose from which tier on.")
    elif draft.audience == "tier" and not may_read_tier(by.tier, draft.tier):
        yield "tier", _l("You could not read it yourself.")
    if draft.slug and not is_slug(draft.slug):
        yield "slug", _l("Use small letters, digits and single hyphens, at most 64.")


def _wrong_texts(draft: Draft) -> Iterator[tuple[str, Any]]:
    if not any(draft.texts.get(one, {}).get("title", "").strip() for one in LANGUAGES):
        yield "title_id", _l("Give it a title in one language at least.")
    for language in LANGUAGES:
        texts = draft.texts.get(language, {})
        for part, text in texts.items():
            most = LONGEST_TITLE if part == "title" else LONGEST_PART
            if part not in PARTS or len(text) > most:
                yield f"{part}_{language}", _l("This text is too long.")
            if any(ord(one) < 32 and one not in "\r\n\t" for one in text):
                yield f"{part}_{language}", _l("Use plain text without control characters.")
        if any(text.strip() for part, text in texts.items() if part != "title") and not texts.get("title"):
            yield f"title_{language}", _l("A text needs a title in its language.")
    if len(draft.what_changed) > LONGEST_NOTE:
        yield "what_changed", _l("Write one line of at most 200 characters.")


def _wrong_steps(draft: Draft) -> Iterator[tuple[str, Any]]:
    if draft.kind == "runbook" and not draft.steps:
        yield "steps_id", _l("A runbook has at least one step.")
    if len(draft.steps) > MOST_STEPS:
        yield "steps_id", _l("A runbook has at most 60 steps.")
    if any(len(one.id) > LONGEST_STEP or len(one.en) > LONGEST_STEP for one in draft.steps):
        yield "steps_id", _l("A step has at most 300 characters.")
    unknown = unknown_checks(draft.steps)
    if unknown:
        yield "steps_id", _l("The portal cannot see this by itself: %(names)s.", names=", ".join(unknown))


def _named(draft: Draft, by: Actor, at: datetime) -> Article:
    """A new row under the first address that is free. Raises Invalid where the one that was asked for is taken."""
    # Two people who write about one thing at once get one address each.
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext("slugs of articles"))))
    for slug in _slugs(draft):
        article = Article(
            slug=slug,
            kind=draft.kind,
            created_by=by.name[:120],
            created_at=at,
            changed_at=at,
            state="draft",
            version_number=0,
            audience=draft.audience,
        )
        _address(article, draft)
        try:
            with db.session.begin_nested():
                db.session.add(article)
                db.session.flush()
        except IntegrityError as clash:
            if broken_constraint(clash) != "uq_articles_slug":
                raise
        else:
            return article
    raise Invalid("slug", _l("This address is taken."))


def _slugs(draft: Draft) -> Iterator[str]:
    """Addresses to try in turn; what one may not see has taken some of them."""
    titles = [draft.texts.get(one, {}).get("title", "") for one in ("en", "id")]
    usual = draft.slug or next((slug for slug in map(slug_of, titles) if slug), "article")
    if draft.slug or draft.audience != "chosen":
        like = select(Article.slug).where(Article.slug.startswith(usual, autoescape=True))
        taken = set(db.session.scalars(like))
        numbered = (f"{usual}-{number}" for number in range(2, 10_000))
        each = (usual,) if draft.slug else (usual, *islice(numbered, len(taken)))
        yield from islice((one for one in each if one not in taken), 1)
    if not draft.slug:
        # By chance for what is chosen: a number would tell others that somebody had the same title.
        yield from (f"{usual[:55].rstrip('-')}-{token_hex(4)}" for _try in range(3))


def _address(article: Article, draft: Draft) -> None:
    """For whom it is, and where it belongs."""
    article.audience = draft.audience
    article.tier = draft.tier if draft.audience == "tier" else None
    article.tenant_ids = sorted(set(draft.tenant_ids)) if draft.audience == "chosen" else []
    article.category_id, article.review_on = draft.category_id, draft.review_on


def _whole(texts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Every part in every language, without spare space."""
    return {
        language: {
            part: texts.get(language, {}).get(part, "").replace("\r\n", "\n").strip() for part in PARTS
        }
        for language in LANGUAGES
    }


def _said(draft: Draft) -> tuple[dict[str, dict[str, str]], list[dict[str, str]]]:
    texts = _whole(draft.texts)
    if draft.kind != "known_error":
        texts = {one: {**parts, **dict.fromkeys(ONLY_KNOWN_ERRORS, "")} for one, parts in texts.items()}
    steps = draft.steps if draft.kind == "runbook" else ()
    return texts, [{"id": one.id, "en": one.en, "check": one.check} for one in steps]


def _write(article: Article, draft: Draft, *, by: Actor, at: datetime) -> ArticleVersion:
    texts, steps = _said(draft)
    article.version_number += 1
    article.title_id, article.title_en = (texts[one]["title"] for one in LANGUAGES)
    version = ArticleVersion(
        article_id=article.id,
        number=article.version_number,
        texts=texts,
        steps=steps,
        what_changed=" ".join(draft.what_changed.split()),
        written_by_user_id=by.id,
        written_by_name=by.name[:120],
        written_at=at,
    )
    db.session.add(version)
    db.session.flush()
    return version


def _edition(article: Article, version: ArticleVersion, language: str, at: datetime) -> ArticleEdition:
    steps = [Step(**one).words(language) for one in version.steps]
    return ArticleEdition(
        article_id=article.id,
        language=language,
        slug=article.slug,
        kind=article.kind,
        steps=steps,
        version_number=version.number,
        published_at=at,
        **version.texts[language],
        **_shown_to(article),
    )


def _shown_to(article: Article) -> dict[str, Any]:
    return {
        "audience": article.audience,
        "tier": article.tier,
        "tenant_ids": list(article.tenant_ids),
        "category_id": article.category_id,
    }


def _spread(article: Article) -> None:
    """Editions are read without their article: what was decided of readers has to stand in each."""
    db.session.flush()
    for edition in db.session.scalars(select(ArticleEdition).where(ArticleEdition.article_id == article.id)):
        for name, value in _shown_to(article).items():
            setattr(edition, name, value)
    db.session.flush()


def _editions_of(article: Article) -> Any:
    gone = delete(ArticleEdition).where(ArticleEdition.article_id == article.id)
    return gone.execution_options(synchronize_session="fetch")


def _audit(
    action: str, article: Article, by: Actor, at: datetime, detail: dict[str, Any] | None = None
) -> None:
    """What people wrote stays in the versions: the audit log can't be erased."""
    shown = {"version": article.version_number, "audience": article.audience, "clients": article.tenant_ids}
    audit.record(
        action,
        tenant_id=None,
        by=by,
        object=f"article {article.slug}",
        at=at,
        detail={**shown, **(detail or {})},
    )
