"""How people read: language, time zone and which mails they want, as they chose; reached through the gate."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import JSONB

from msp.mail.choices import ASKED_FOR, without
from msp.mail.models import UnwantedNotice
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people.models import User


class Reader(NamedTuple):
    """What somebody chose; None where that is left to the client's own."""

    language: str | None = None
    time_zone: str | None = None
    unwanted: frozenset[str] = ASKED_FOR


def list_readers(user_ids: Iterable[int | None]) -> dict[int | None, Reader]:
    """What each of these people chose, in one statement; somebody without an account chose nothing."""
    asked = set(user_ids)
    found: dict[int | None, Reader] = dict.fromkeys(asked, Reader())
    known = [one for one in asked if one is not None]
    if known:
        with enter(gate()):
            rows = select(User.id, User.language, User.time_zone, _chosen()).where(User.id.in_(known))
            found |= {row.id: Reader(row[1], row[2], without(row[3])) for row in db.session.execute(rows)}
    return found


def _chosen() -> Any:
    """The kinds of mails that a person decided on, each with whether it is wanted."""
    kinds = func.jsonb_object_agg(UnwantedNotice.notice, UnwantedNotice.is_wanted)
    chosen = select(kinds).where(UnwantedNotice.user_id == User.id)
    return func.coalesce(chosen.correlate(User).scalar_subquery(), cast({}, JSONB))


def find_reader(user_id: int | None) -> Reader:
    """What one person chose."""
    return list_readers([user_id])[user_id]
