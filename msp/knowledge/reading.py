"""What readers leave behind: that they opened an article, whether it helped, and what they looked for in vain."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from msp.knowledge.models import ArticleDay, ArticleMiss, ArticleVote
from msp.knowledge.rules import phrase_of, words_of
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate, sweeper
from tenants.foundation.work import request_work
from tenants.people.requests import own_tenant_id

KEPT = timedelta(days=180)
# Days of figures are the provider's.
_ZONE = ZoneInfo("Asia/Jakarta")


def count_view(tenant_id: int, article_id: int, *, at: datetime) -> None:
    """One of a client's people opened an article."""
    _count(tenant_id, article_id, at, "views")


def count_deflection(tenant_id: int, article_id: int, *, by: Actor, at: datetime) -> None:
    """An article solved it before a ticket was opened; that is also the reader's word that it helped."""
    _count(tenant_id, article_id, at, "deflected")
    vote(tenant_id, article_id, helped=True, by=by, at=at)


def _count(tenant_id: int, article_id: int, at: datetime, column: str) -> None:
    day = at.astimezone(_ZONE).date()
    values = {"views": 0, "deflected": 0, column: 1}
    row = insert(ArticleDay).values(tenant_id=tenant_id, article_id=article_id, day=day, **values)
    more = {column: getattr(ArticleDay, column) + 1}
    db.session.execute(
        row.on_conflict_do_update(index_elements=["tenant_id", "article_id", "day"], set_=more)
    )


def vote(tenant_id: int, article_id: int, *, helped: bool, by: Actor, at: datetime) -> None:
    """Whether it helped: each reader says it once, and the first word counts."""
    row = insert(ArticleVote).values(
        tenant_id=tenant_id, article_id=article_id, user_id=by.id, helped=helped, at=at
    )
    db.session.execute(row.on_conflict_do_nothing())


def note_miss(tenant_id: int, typed: str, language: str, *, at: datetime, most: int | None = None) -> None:
    """Somebody looked for this in vain. Phrases without a word that says anything are not kept.

    Where a company has `most` phrases already, only those are counted up.
    """
    phrase = phrase_of(typed)
    if not words_of(phrase) or (most is not None and _is_full(tenant_id, phrase, language, most)):
        return
    row = insert(ArticleMiss).values(
        tenant_id=tenant_id, phrase=phrase, language=language, times=1, last_at=at
    )
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "phrase", "language"],
            set_={"times": ArticleMiss.times + 1, "last_at": at},
        )
    )


def _is_full(tenant_id: int, phrase: str, language: str, most: int) -> bool:
    own = select(func.count(), func.count().filter(_is(phrase, language))).where(
        ArticleMiss.tenant_id == tenant_id
    )
    count, known = db.session.execute(own).one()
    return count >= most and not known


def _is(phrase: str, language: str) -> ColumnElement[bool]:
    return and_(ArticleMiss.phrase == phrase, ArticleMiss.language == language)


def ask_to_count_miss(typed: str, language: str) -> None:
    """Have a search in vain counted that belongs to no client: of staff, or of somebody who is not signed in.

    It lies with the provider's own company, which neither of them may write for: a job does.
    """
    phrase = phrase_of(typed)
    if not words_of(phrase):
        return
    with enter(gate()):
        home = own_tenant_id()
        if home is not None:
            asked = {"phrase": phrase, "language": language}
            request_work("count_miss", tenant_id=home, arguments=asked)
            db.session.commit()


def forget_old_misses() -> None:
    """Periodic: drop phrases that nobody has looked for in 180 days."""
    with enter(sweeper()):
        old = delete(ArticleMiss).where(ArticleMiss.last_at < time.now() - KEPT)
        db.session.execute(old.execution_options(synchronize_session=False))
        db.session.commit()
