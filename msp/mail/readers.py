"""How people read: language, time zone and which mails they want, as they chose; reached through the gate."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import func, select

from msp.mail.models import UnwantedNotice
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people.models import User


class Reader(NamedTuple):
    """What somebody chose; None where that is left to the client's own."""

    language: str | None = None
    time_zone: str | None = None
    unwanted: frozenset[str] = frozenset()


def list_readers(user_ids: Iterable[int | None]) -> dict[int | None, Reader]:
    """What each of these people chose, in one statement; somebody without an account chose nothing."""
    asked = set(user_ids)
    found: dict[int | None, Reader] = dict.fromkeys(asked, Reader())
    known = [one for one in asked if one is not None]
    if known:
        with enter(gate()):
            rows = select(User.id, User.language, User.time_zone, _unwanted()).where(User.id.in_(known))
            found |= {row.id: Reader(row[1], row[2], frozenset(row[3])) for row in db.session.execute(rows)}
    return found


def _unwanted() -> Any:
    """The kinds of mails that a person does not want, as an array."""
    kinds = select(func.array_agg(UnwantedNotice.notice)).where(UnwantedNotice.user_id == User.id)
    return func.coalesce(kinds.correlate(User).scalar_subquery(), [])


def find_reader(user_id: int | None) -> Reader:
    """What one person chose."""
    return list_readers([user_id])[user_id]
