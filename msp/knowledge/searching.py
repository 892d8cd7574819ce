"""Looking for articles by words, in both languages, within what the reader may read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from sqlalchemy import case, cast, desc, func, select
from sqlalchemy.dialects.postgresql import REGCONFIG, distinct_on

from msp.knowledge.models import ArticleAsset, ArticleEdition
from msp.knowledge.queries import Reader, readable_edition
from msp.knowledge.rendering import END, FOUND, render_snippet
from msp.knowledge.rules import words_of
from tenants.foundation.db import db

CONFIGS = ("simple", "indonesian", "english")
MOST = 40
_SHOWN = f"StartSel={FOUND}, StopSel={END}, MaxWords=28, MinWords=12, MaxFragments=1"


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found: the text to show, the passage that fits, and why it is offered."""

    edition: ArticleEdition
    snippet: Markup
    why: str = "words"


def search(phrase: str, reader: Reader | None, language: str, *, limit: int = 20) -> list[Hit]:
    """What fits a phrase, best first: with all of its words, else with some of them. Empty where nothing does."""
    words = words_of(phrase)
    if not words:
        return []
    return _ask(" & ", words, reader, language)[:limit] or _ask(" | ", words, reader, language)[:limit]


def offer(phrase: str, reader: Reader, language: str, *, limit: int = 4) -> list[Hit]:
    """What might answer a request that is being typed: with any of its words, best first. Runbooks are no answers."""
    words = words_of(phrase)
    found = _ask(" | ", words, reader, language) if words else []
    return [one for one in found if one.edition.kind != "runbook"][:limit]


def _ask(join: str, words: Sequence[str], reader: Reader | None, language: str) -> list[Hit]:
    """Each configuration asks for all words or for any; one configuration is enough."""
    asked: Any = _query(CONFIGS[0], join, words)
    for config in CONFIGS[1:]:
        asked = asked.op("||")(_query(config, join, words))
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


def _query(config: str, join: str, words: Sequence[str]) -> Any:
    return func.to_tsquery(cast(config, REGCONFIG), join.join(words))


def _config() -> Any:
    """How the language of a text bends its words."""
    own = (ArticleEdition.language == "id", cast("indonesian", REGCONFIG))
    return case(own, else_=cast("english", REGCONFIG))


def _plain() -> Any:
    return func.concat_ws(" ", ArticleEdition.symptom, ArticleEdition.workaround, ArticleEdition.body)


def list_for_asset(tenant_id: int, asset_id: int | None, reader: Reader, language: str) -> list[Hit]:
    """What is known of an asset: its known errors first."""
    if asset_id is None:
        return []
    tied = select(ArticleAsset.article_id).where(
        ArticleAsset.tenant_id == tenant_id, ArticleAsset.asset_id == asset_id
    )
    return _best(ArticleEdition.article_id.in_(tied), reader, language, "asset")


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
