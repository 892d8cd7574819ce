"""`Idempotency-Key`: a request that is sent again, or twice at once, creates once.

The key's row is written in the transaction of the creation. A twin waits for that row, then finds the answer in it;
when the first one fails, nothing remains and the twin goes ahead.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from flask import Response, make_response, request
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from msp.api.models import IdempotentAnswer
from msp.web.access import principal
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.scope import enter, gate

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
LONGEST_KEY = 200
View = TypeVar("View", bound=Callable[..., Any])


def creates(view: View) -> View:
    """Mark a view that changes something: it may be repeated by key, and what it did is committed here."""

    @wraps(view)
    def once(*args: Any, **kwargs: Any) -> Response:
        key = _key()
        if key is not None and not _claim(key):
            return _kept(key)
        answer = make_response(view(*args, **kwargs))
        if key is not None:
            _keep(key, answer)
        db.session.commit()
        return answer

    once._creates = True  # type: ignore[attr-defined]
    return once  # type: ignore[return-value]


def _key() -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Invalid(HEADER, _l("A key has 1 to 200 printable characters."))
    return key


def _digest() -> bytes:
    body = json.dumps(request.get_json(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{request.method} {request.path}\n{body}".encode()).digest()


def _claim(key: str) -> bool:
    """Write the key's row; waits for a twin that is under way. False when the key is taken."""
    now = time.now()
    values = {"request_digest": _digest(), "status": None, "body": None, "created_at": now}
    who = principal()
    asked = insert(IdempotentAnswer).values(user_id=who.user_id, token_id=who.token_id, key=key, **values)
    claimed = asked.on_conflict_do_update(
        index_elements=["token_id", "key"], set_=values, where=IdempotentAnswer.created_at < now - KEPT
    ).returning(IdempotentAnswer.id)
    return db.session.execute(claimed).scalar_one_or_none() is not None


def _find(key: str) -> IdempotentAnswer:
    found = select(IdempotentAnswer).where(
        IdempotentAnswer.token_id == principal().token_id, IdempotentAnswer.key == key
    )
    return db.session.scalars(found).one()


def _kept(key: str) -> Response:
    stored = _find(key)
    if stored.request_digest != _digest():
        raise Invalid(HEADER, _l("This key was used for another request."))
    return Response(stored.body, status=stored.status or 201, content_type="application/json")


def _keep(key: str, answer: Response) -> None:
    row = _find(key)
    row.status, row.body = answer.status_code, answer.get_data(as_text=True)


def forget_old_answers() -> None:
    """Drop answers that are older than a day; periodic."""
    with enter(gate()):
        old = delete(IdempotentAnswer).where(IdempotentAnswer.created_at < time.now() - KEPT)
        db.session.execute(old.execution_options(synchronize_session=False))
        db.session.commit()
