"""What waits for the end of a transaction: audit rows before the commit, doorbells after it.

An entry belongs to the savepoint in which it was added: rolled back with it, handed to the outer one when it is
released. `after_commit` also fires when a savepoint is released and may not run SQL, hence this one place.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from tenants.foundation.db import db

Handler = Callable[[Session, list[Any]], None]
_before: dict[str, Handler] = {}
_after: dict[str, Handler] = {}


def before_commit(topic: str, handler: Handler) -> None:
    """Handle what was added under the topic just before the outermost commit; may run SQL."""
    _before[topic] = handler


def after_commit(topic: str, handler: Handler) -> None:
    """Handle what was added under the topic once the outermost commit succeeded; may not run SQL."""
    _after[topic] = handler


def add(topic: str, entry: Any) -> None:
    """Let an entry wait for the end of the transaction in force."""
    session = db.session()
    if not session.in_transaction():
        session.begin()
    _waiting(session).append((topic, session.get_nested_transaction(), entry))


def _waiting(session: Session) -> list[tuple[str, Any, Any]]:
    waiting: list[tuple[str, Any, Any]] = session.info.setdefault("waiting", [])
    return waiting


def _by_topic(session: Session) -> dict[str, list[Any]]:
    topics: dict[str, list[Any]] = defaultdict(list)
    for topic, _, entry in _waiting(session):
        topics[topic].append(entry)
    return topics


def _on_before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    for topic, entries in _by_topic(session).items():
        if topic in _before:
            _before[topic](session, entries)


def _on_after_commit(session: Session) -> None:
    nested = session.get_nested_transaction()
    if nested is not None:
        outer = nested.parent if nested.parent and nested.parent.nested else None
        session.info["waiting"] = [
            (topic, outer if owner is nested else owner, entry) for topic, owner, entry in _waiting(session)
        ]
        return
    topics = _by_topic(session)
    session.info["waiting"] = []
    for topic, entries in topics.items():
        if topic in _after:
            _after[topic](session, entries)


def _on_rollback(session: Session, previous: SessionTransaction) -> None:
    outermost = not previous.nested
    session.info["waiting"] = (
        [] if outermost else [one for one in _waiting(session) if one[1] is not previous]
    )


event.listen(Session, "before_commit", _on_before_commit)
event.listen(Session, "after_commit", _on_after_commit)
event.listen(Session, "after_soft_rollback", _on_rollback)
