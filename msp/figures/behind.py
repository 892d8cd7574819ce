"""The tickets behind a number of opened ones, and what a page of tickets shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select, tuple_

from contracts.clock.zones import ZONE_NAMES
from msp.figures.asking import Address, place_of
from msp.figures.load import DAYS, HOURS
from msp.figures.names import NONE, language
from msp.figures.pictures import hour_words, weekday
from msp.figures.resolved import Behind
from msp.web.periods import Period, asked_period
from tenants.foundation.db import among, db
from tenants.foundation.errors import NotFound
from tenants.tickets.categories import read_tree
from tenants.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Found:
    """Tickets behind a number, one more than shown; `back` is the page with the number, as endpoint and arguments."""

    rows: Sequence[Behind]
    title: str
    period: Period
    back: tuple[str, Address]
    back_words: Any


def tickets_of(rows: Sequence[Behind]) -> Mapping[tuple[int, int], Ticket]:
    """The tickets themselves: one statement."""
    if not rows:
        return {}
    found = db.session.scalars(select(Ticket).where(among(Ticket.id, [one.ticket_id for one in rows])))
    return {(one.tenant_id, one.id): one for one in found}


def asked_opened(after: Sequence[Any] | None, limit: int) -> Found:
    """The opened tickets that the address asks for: of an hour of the week, or of a category. Raises NotFound."""
    period = asked_period()
    if "hour" in request.args:
        conditions, title = _hour()
        back = ("figures.show_load", {**place_of(period), **_kept("team")})
        words = _("Load by hour")
    else:
        conditions, title = _category()
        back = ("figures.show_trends", _kept("tenant"))
        words = _("Trends by category")
    return Found(list_opened(period, conditions, after=after, limit=limit), title, period, back, words)


def _kept(name: str) -> Address:
    return {name: request.args[name]} if request.args.get(name) else {}


def list_opened(
    period: Period, conditions: Sequence[ColumnElement[bool]], *, after: Sequence[Any] | None, limit: int
) -> list[Behind]:
    """Tickets opened in the period that fit, the latest first, one more than `limit`."""
    found = select(Ticket.tenant_id, Ticket.id, Ticket.opened_at, Ticket.id).where(
        Ticket.opened_at >= period.begin, Ticket.opened_at < period.end, *conditions
    )
    if period.tenant_id is not None:
        found = found.where(Ticket.tenant_id == period.tenant_id)
    if after is not None:
        found = found.where(tuple_(Ticket.opened_at, Ticket.id) < tuple_(*after))
    ordered = found.order_by(Ticket.opened_at.desc(), Ticket.id.desc()).limit(limit + 1)
    return [Behind(*row) for row in db.session.execute(ordered)]


def _hour() -> tuple[list[ColumnElement[bool]], str]:
    day, hour, zone = (request.args.get(name, "") for name in ("weekday", "hour", "zone"))
    if day not in map(str, DAYS) or hour not in map(str, HOURS) or zone not in ZONE_NAMES:
        raise NotFound
    at = func.timezone(zone, Ticket.opened_at)
    fits = [func.extract("isodow", at) == int(day) + 1, func.extract("hour", at) == int(hour)]
    title = _(
        "Opened on %(day)s, %(hour)s (%(zone)s)",
        day=weekday(int(day)),
        hour=hour_words(int(hour)),
        zone=ZoneInfo(zone).key,
    )
    return fits, title


def _category() -> tuple[list[ColumnElement[bool]], str]:
    word = request.args.get("category", "")
    if word == NONE:
        return [Ticket.category_id.is_(None)], _("Opened without a category")
    tree = read_tree()
    place = tree.named(word)
    if place is None:
        raise NotFound
    own = request.args.get("own") == "1"
    ids = [place.category.id] if own else tree.below(place.category.id)
    return [Ticket.category_id.in_(ids)], _("Opened about %(category)s", category=place.path(language()))
