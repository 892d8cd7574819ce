"""Looking for articles by words, in both languages, within what the reader may read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup
from sqlalchemy import Integer, case, cast, desc, func, select
from sqlalchemy.dialects.postgresql import REGCONFIG, distinct_on

from msp.knowledge.matching import ALL, ANY, asked_for
from msp.knowledge.models import ArticleAsset, ArticleEdition, ArticleTicket
from msp.knowledge.queries import Reader, readable_edition
from msp.knowledge.rendering import END, FOUND, render_snippet
from msp.knowledge.rules import words_of
from tenants.foundation.db import among, db
from tenants.tickets.models import Ticket
from tenants.tickets.relation_models import TicketLink

MOST = 40
_SHOWN = f"StartSel={FOUND}, StopSel={END}, MaxWords=28, MinWords=12, MaxFragments=1"


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found: the text to show, the passage that fits, and why it is offered."""

    edition: ArticleEdition
    snippet: Markup
    why: str = "words"


class Found(NamedTuple):
    """What a search found, and whether it was in vain: that no text has all of its words."""

    hits: list[Hit]
    is_miss: bool


def search(phrase: str, reader: Reader | None, language: str, *, limit: int = 20) -> Found:
    """What fits a phrase, best first: with all of its words, else with some of them, which is a miss all the same.

    A phrase without a word that says anything finds nothing and misses nothing.
    """
    words = words_of(phrase)
    if not words:
        return Found([], False)
    whole = search_whole(phrase, reader, language, limit=limit)
    return Found(whole or _ask(ANY, words, reader, language)[:limit], not whole)


def search_whole(phrase: str, reader: Reader | None, language: str, *, limit: int = 20) -> list[Hit]:
    """What has all words of a phrase, best first."""
    words = words_of(phrase)
    return _ask(ALL, words, reader, language)[:limit] if words else []


def is_answered(phrase: str, reader: Reader | None) -> bool:
    """Whether some text that answers requests has more than half of a phrase's words; one without words asks nothing.

    Nobody writes a request in the words of an article: asking for all of them would call nearly each one unanswered.
    """
    words = words_of(phrase)
    held = [cast(ArticleEdition.search.op("@@")(asked_for([one], ALL)), Integer) for one in words]
    fits = sum(held[1:], held[0]) * 2 > len(words) if words else None
    if fits is None:
        return True
    some = select(ArticleEdition.id).where(fits, ArticleEdition.kind != "runbook", readable_edition(reader))
    return db.session.scalar(some.limit(1)) is not None


def offer(phrase: str, reader: Reader, language: str, *, limit: int = 4) -> list[Hit]:
    """What might answer a request that is being typed: with any of its words, best first. Runbooks are no answers."""
    words = words_of(phrase)
    found = _ask(ANY, words, reader, language) if words else []
    return [one for one in found if one.edition.kind != "runbook"][:limit]


def _ask(join: str, words: Sequence[str], reader: Reader | None, language: str) -> list[Hit]:
    asked = asked_for(words, join)
    rank = func.ts_rank_cd(ArticleEdition.search, asked, 1)
    is_own = ArticleEdition.language == language
    snippet = func.ts_headline(_config(), _plain(), asked, _SHOWN)
    found = (
        select(ArticleEdition, snippet)
        .where(ArticleEdition.search.op("@@")(asked), readable_edition(reader))
        .order_by(desc(rank), desc(is_own), ArticleEdition.article_id)
        .limit(MOST)
    )
    rows = [(row[0], row[1]) for row in db.session.execute(found)]
    own = {edition.article_id for edition, _snippet in rows if edition.language == language}
    return [
        Hit(edition, render_snippet(words_found))
        for edition, words_found in rows
        if edition.language == language or edition.article_id not in own
    ]


def _config() -> Any:
    """How the language of a text bends its words."""
    own = (ArticleEdition.language == "id", cast("indonesian", REGCONFIG))
    return case(own, else_=cast("english", REGCONFIG))


def _plain() -> Any:
    return func.concat_ws(" ", ArticleEdition.symptom, ArticleEdition.workaround, ArticleEdition.body)


def list_for_assets(tenant_id: int, asset_ids: Collection[int], reader: Reader, language: str) -> list[Hit]:
    """The known errors of some assets of one client."""
    if not asset_ids:
        return []
    tied = select(ArticleAsset.article_id).where(
        ArticleAsset.tenant_id == tenant_id, among(ArticleAsset.asset_id, asset_ids)
    )
    return _best(ArticleEdition.article_id.in_(tied), reader, language, "asset")


def list_for_problems(ticket: Ticket, reader: Reader, language: str) -> list[Hit]:
    """The known errors of the problems that a ticket is said to come from."""
    problems = select(TicketLink.other_id).where(
        TicketLink.tenant_id == ticket.tenant_id,
        TicketLink.ticket_id == ticket.id,
        TicketLink.kind == "problem",
    )
    known = select(ArticleTicket.article_id).where(
        ArticleTicket.tenant_id == ticket.tenant_id,
        ArticleTicket.ticket_id.in_(problems),
        ArticleTicket.how == "problem",
    )
    return _best(ArticleEdition.article_id.in_(known), reader, language, "problem")


def list_for_category(category_id: int | None, reader: Reader, language: str) -> list[Hit]:
    """What was written for a category."""
    if category_id is None:
        return []
    return _best(ArticleEdition.category_id == category_id, reader, language, "category")


def _best(condition: Any, reader: Reader, language: str, why: str) -> list[Hit]:
    own = desc(ArticleEdition.language == language)
    asked = (
        select(ArticleEdition)
        .where(condition, readable_edition(reader))
        .ext(distinct_on(ArticleEdition.article_id))
        .order_by(ArticleEdition.article_id, own)
        .limit(MOST)
    )
    found = sorted(db.session.scalars(asked), key=lambda one: (one.kind != "known_error", one.title))
    return [Hit(one, render_snippet(one.workaround[:200] or one.body[:200]), why) for one in found]
