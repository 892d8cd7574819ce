"""Words as PostgreSQL looks for them: as they are written, and as both languages bend them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import cast, func
from sqlalchemy.dialects.postgresql import JSONB, REGCONFIG

CONFIGS = ("simple", "indonesian", "english")
ALL, ANY = " & ", " | "


def asked_for(words: Sequence[str], join: str) -> Any:
    """The query for all words, or for any; it is enough that one configuration fits."""
    asked: Any = _query(CONFIGS[0], join, words)
    for config in CONFIGS[1:]:
        asked = asked.op("||")(_query(config, join, words))
    return asked


def _query(config: str, join: str, words: Sequence[str]) -> Any:
    return func.to_tsquery(cast(config, REGCONFIG), join.join(words))


def words_in(texts: Any) -> Any:
    """The words of the texts that a column of JSON holds, as they are looked for; made anew for each row."""
    strings = cast(["string"], JSONB)
    found: Any = func.jsonb_to_tsvector(cast(CONFIGS[0], REGCONFIG), texts, strings)
    for config in CONFIGS[1:]:
        found = found.op("||")(func.jsonb_to_tsvector(cast(config, REGCONFIG), texts, strings))
    return found
