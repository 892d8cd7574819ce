"""The visits of a week, by technician."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from flask import render_template, request
from sqlalchemy import and_, select

from msp.desk.blueprint import bp
from msp.web.access import actor, require
from msp.web.formats import zone_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import list_tenant_names
from tenants.tickets.models import Ticket
from tenants.tickets.visit_models import Visit

MOST = 500
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Line:
    """A visit with its ticket; `clashes` where the same technician has another at that time."""

    visit: Visit
    code: str
    subject: str
    clashes: bool


@bp.get("/visits")
@require(Permission.VIEW_DESK)
def list_visits() -> Any:
    """The week's visits, technician by technician."""
    zone = zone_of(None)
    today = time.now().astimezone(zone).date()
    monday = _monday(request.args.get("week", ""), today)
    only_mine = request.args.get("mine") == "1"
    begin = datetime.combine(monday, datetime.min.time(), zone)
    lines = _lines(begin, begin + WEEK, actor().id if only_mine else None)
    return render_template(
        "desk/list_visits.html",
        monday=monday,
        sunday=monday + timedelta(days=6),
        before=monday - WEEK,
        after=monday + WEEK,
        is_now=monday <= today < monday + WEEK,
        only_mine=only_mine,
        people=_by_person(lines),
        is_cut=len(lines) >= MOST,
        names={one.id: one.name for one in list_tenant_names()},
    )


def _by_person(lines: Sequence[Line]) -> list[tuple[str | None, list[Line]]]:
    def who(line: Line) -> tuple[int | None, str | None]:
        return line.visit.technician_user_id, line.visit.technician_name

    return [(person[1], list(mine)) for person, mine in groupby(lines, key=who)]


def _monday(asked: str, today: date) -> date:
    """The first day of the week that was asked for; a day that is none means this week."""
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        day = today
    if not 2000 <= day.year <= 2999:
        day = today
    return day - timedelta(days=day.weekday())


def _lines(begin: datetime, end: datetime, user_id: int | None) -> Sequence[Line]:
    """What overlaps a span, by technician and time; whoever is not named comes first."""
    own = and_(Ticket.tenant_id == Visit.tenant_id, Ticket.id == Visit.ticket_id)
    asked = (
        select(Visit, Ticket.code, Ticket.subject)
        .outerjoin(Ticket, own)
        .where(Visit.begins_at < end, Visit.ends_at > begin, Visit.state != "cancelled")
    )
    if user_id is not None:
        asked = asked.where(Visit.technician_user_id == user_id)
    ordered = asked.order_by(
        Visit.technician_name.asc().nulls_first(), Visit.technician_user_id, Visit.begins_at, Visit.id
    )
    rows = [(row[0], row[1] or "", row[2] or "") for row in db.session.execute(ordered.limit(MOST))]
    return [Line(visit, code, subject, _clashes(visit, rows)) for visit, code, subject in rows]


def _clashes(visit: Visit, rows: Sequence[tuple[Visit, str, str]]) -> bool:
    return visit.technician_user_id is not None and any(
        other is not visit
        and other.technician_user_id == visit.technician_user_id
        and other.begins_at < visit.ends_at
        and other.ends_at > visit.begins_at
        for other, _code, _subject in rows
    )
