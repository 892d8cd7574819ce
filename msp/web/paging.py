"""Keyset pages: a cursor names the last row seen, so a deep page costs the same as the first."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from flask import request
from flask_babel import lazy_gettext as _l

from tenants.foundation.errors import Invalid

Row = TypeVar("Row")
PAGE = 25
LARGEST = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of one page and the cursor of the next, None on the last."""

    items: Sequence[Row]
    next: str | None


def encode(key: Sequence[Any]) -> str:
    """A cursor from the sort key of a row: ints, texts, None and moments."""
    plain = [{"t": one.isoformat()} if isinstance(one, datetime) else one for one in key]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode(cursor: str) -> list[Any]:
    """The sort key in a cursor. Raises Invalid naming `after`."""
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(plain, list):
            raise TypeError
        return [datetime.fromisoformat(one["t"]) if isinstance(one, dict) else one for one in plain]
    except (ValueError, TypeError, KeyError, binascii.Error) as wrong:
        raise Invalid("after", _l("This page's address is not valid. Start from the first page.")) from wrong


def asked(*kinds: type | tuple[type, ...]) -> tuple[list[Any] | None, int]:
    """The cursor and the limit that the request asks for; `kinds` are the types of the sort key. Raises Invalid."""
    limit = request.args.get("limit", str(PAGE))
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= LARGEST:
        raise Invalid("limit", _l("Ask for 1 to 200 rows."))
    cursor = request.args.get("after")
    key = decode(cursor) if cursor else None
    if key is not None and not _fits(key, kinds):
        raise Invalid("after", _l("This page's address is not valid. Start from the first page."))
    return key, int(limit)


def _fits(key: list[Any], kinds: Sequence[type | tuple[type, ...]]) -> bool:
    if len(key) != len(kinds):
        return False
    small = all(not isinstance(one, int) or abs(one) < 2**63 for one in key)
    return small and all(isinstance(one, kind) for one, kind in zip(key, kinds, strict=True))


def cut(rows: Sequence[Row], limit: int, key: Callable[[Row], Sequence[Any]]) -> Page[Row]:
    """A page from `limit + 1` rows: the extra one only tells that there is more."""
    shown = rows[:limit]
    return Page(shown, encode(key(shown[-1])) if len(rows) > limit and shown else None)
