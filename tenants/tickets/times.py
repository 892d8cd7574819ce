"""Time worked on tickets: entered by whoever worked, corrected by the same person, never rewritten."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.errors import Conflict, Forbidden, InvalidMany, NotFound
from tenants.tickets.history import who_is
from tenants.tickets.models import Ticket, TimeEntry

LONGEST_TEXT = 300
MOST_MINUTES = 1440
EARLIEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Worked:
    """What is entered: minutes on a day, and what was done, as the client will read it."""

    minutes: int
    on: date
    what: str
    is_billable: bool = False


def record_time(ticket: Ticket, worked: Worked, *, today: date, by: Actor, at: datetime) -> TimeEntry:
    """Enter one's own time. `today` is the client's; Raises InvalidMany naming fields, Forbidden for clients."""
    if who_is(by) != "staff" or by.id is None:
        raise Forbidden
    _check(worked, today, least=1)
    entry = _write(ticket.tenant_id, ticket.id, worked, by=by, at=at)
    _note("ticket.time_recorded", ticket, entry, by=by, at=at)
    return entry


def correct_time(
    ticket: Ticket,
    entry: TimeEntry,
    worked: Worked,
    *,
    because: str,
    today: date,
    by: Actor,
    at: datetime,
) -> TimeEntry:
    """Replace one's own entry by another; 0 minutes strike it out. The first one stays to be read.

    Raises Forbidden for others' entries, InvalidMany naming fields, Conflict where it was corrected meanwhile.
    """
    if by.id is None or entry.person_user_id != by.id:
        raise Forbidden(_l("Only whoever worked can correct this."))
    _check(worked, today, least=0, because=because)
    replaced = (
        update(TimeEntry)
        .where(TimeEntry.tenant_id == entry.tenant_id, TimeEntry.id == entry.id)
        .where(TimeEntry.replaced_at.is_(None))
        .values(replaced_at=at)
    )
    if db.session.scalar(replaced.returning(TimeEntry.id)) is None:
        raise Conflict(_l("This entry was corrected already. Look at the latest one first."))
    made = _write(
        entry.tenant_id, ticket.id, worked, by=by, at=at, corrects_id=entry.id, because=_line(because)
    )
    _note("ticket.time_corrected", ticket, made, by=by, at=at, before=entry.minutes)
    return made


def _check(worked: Worked, today: date, *, least: int, because: str | None = None) -> None:
    wrong: list[tuple[str, Any]] = []
    if not least <= worked.minutes <= MOST_MINUTES:
        wrong.append(("minutes", _l("Give at least one minute and at most a day.")))
    if not today - EARLIEST <= worked.on <= today:
        wrong.append(("on", _l("Choose a day of the last 400 days, not one to come.")))
    texts = {"what": worked.what} if because is None else {"what": worked.what, "because": because}
    wrong += [
        (field, _l("Write one line of at most 300 characters."))
        for field, text in texts.items()
        if not 1 <= len(_line(text)) <= LONGEST_TEXT or not _line(text).isprintable()
    ]
    if wrong:
        raise InvalidMany(wrong)


def _line(words: str) -> str:
    return " ".join(words.split())


def _write(
    tenant_id: int, ticket_id: int, worked: Worked, *, by: Actor, at: datetime, **more: Any
) -> TimeEntry:
    entry = TimeEntry(
        tenant_id=tenant_id,
        ticket_id=ticket_id,
        worked_on=worked.on,
        minutes=worked.minutes,
        what=_line(worked.what),
        is_billable=worked.is_billable,
        person_user_id=by.id,
        person_name=by.name[:120],
        entered_at=at,
        **more,
    )
    db.session.add(entry)
    db.session.flush()
    return entry


def _note(action: str, ticket: Ticket, entry: TimeEntry, *, by: Actor, at: datetime, **more: Any) -> None:
    """What people wrote stays in the entry: the audit log can't be erased."""
    audit.record(
        action,
        tenant_id=ticket.tenant_id,
        by=by,
        object=f"ticket {ticket.code}",
        at=at,
        detail={
            "minutes": entry.minutes,
            "on": entry.worked_on.isoformat(),
            "billable": entry.is_billable,
            **more,
        },
    )


def find_time(ticket: Ticket, public_id: str) -> TimeEntry:
    """An entry of a ticket. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError:
        raise NotFound from None
    found: TimeEntry | None = db.session.scalar(_of(ticket).where(TimeEntry.public_id == key))
    if found is None:
        raise NotFound
    return found


def list_time(ticket: Ticket) -> Sequence[TimeEntry]:
    """Every entry of a ticket, corrected ones too, by day."""
    return db.session.scalars(_of(ticket).order_by(TimeEntry.worked_on, TimeEntry.id)).all()


def _of(ticket: Ticket) -> Any:
    return select(TimeEntry).where(TimeEntry.tenant_id == ticket.tenant_id, TimeEntry.ticket_id == ticket.id)


@dataclass(frozen=True, slots=True)
class MonthOfTime:
    """Minutes worked in a month; `month` is its first day."""

    month: date
    minutes: int
    billable_minutes: int


def worked_json() -> Any:
    """What is in force of a ticket's time, as a column beside the ticket; see `months_of`."""
    one = func.json_build_array(TimeEntry.worked_on, TimeEntry.minutes, TimeEntry.is_billable)
    worked = select(func.json_agg(aggregate_order_by(one, TimeEntry.worked_on))).where(
        TimeEntry.tenant_id == Ticket.tenant_id,
        TimeEntry.ticket_id == Ticket.id,
        TimeEntry.replaced_at.is_(None),
        TimeEntry.minutes > 0,
    )
    return worked.correlate(Ticket).scalar_subquery()


def months_of(worked: Iterable[Sequence[Any]]) -> tuple[MonthOfTime, ...]:
    """What was worked on a ticket, month by month."""
    months = groupby(worked, key=lambda one: date.fromisoformat(one[0]).replace(day=1))
    return tuple(_month_of(month, list(entries)) for month, entries in months)


def _month_of(month: date, entries: Sequence[Sequence[Any]]) -> MonthOfTime:
    minutes = sum(one[1] for one in entries)
    return MonthOfTime(month, minutes, sum(one[1] for one in entries if one[2]))


@dataclass(frozen=True, slots=True)
class TimeLine:
    """An entry in force with the ticket that it is on."""

    ticket: str
    on: date
    minutes: int
    person: str
    what: str
    is_billable: bool


def list_time_between(
    tenant_id: int, first: date, before: date, *, version_ids: Collection[int]
) -> list[TimeLine]:
    """What was worked from one day up to another on tickets that these versions of a contract measure, by day."""
    columns = (
        Ticket.code,
        TimeEntry.worked_on,
        TimeEntry.minutes,
        TimeEntry.person_name,
        TimeEntry.what,
        TimeEntry.is_billable,
    )
    worked = (
        select(*columns)
        .outerjoin(Ticket, (Ticket.tenant_id == TimeEntry.tenant_id) & (Ticket.id == TimeEntry.ticket_id))
        .where(
            TimeEntry.tenant_id == tenant_id,
            TimeEntry.replaced_at.is_(None),
            TimeEntry.minutes > 0,
            TimeEntry.worked_on >= first,
            TimeEntry.worked_on < before,
            among(Ticket.contract_version_id, version_ids),
        )
        .order_by(TimeEntry.worked_on, TimeEntry.id)
    )
    return [TimeLine(*row) for row in db.session.execute(worked)]
