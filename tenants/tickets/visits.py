"""Visits on site: planned, moved, begun, done, cancelled. While one is ahead, its ticket waits for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, InvalidMany, NotFound
from tenants.people.models import StaffMember
from tenants.tenancy.models import Site
from tenants.tickets import rules
from tenants.tickets.assignments import list_engineers
from tenants.tickets.events import VisitCancelled, VisitChanged, VisitDone, VisitPlanned
from tenants.tickets.history import check_rev, hold, note, who_is
from tenants.tickets.models import Ticket
from tenants.tickets.moving import move
from tenants.tickets.visit_models import COMING, OUTCOMES, Visit

LONGEST_VISIT = timedelta(days=7)
FARTHEST = timedelta(days=400)
LONGEST_DONE = 5000
MOST_PARTS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """When, where and who; a site's own address counts where none is typed."""

    begins_at: datetime
    ends_at: datetime
    technician_user_id: int | None = None
    site_id: int | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What was replaced, with the serial numbers as far as they are known."""

    what: str
    old_serial: str = ""
    new_serial: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a visit."""

    done: str
    outcome: str
    parts: Sequence[Part] = field(default=())


def plan_visit(
    ticket: Ticket,
    plan: Plan,
    *,
    by: Actor,
    at: datetime,
    rev: int | None = None,
    calendar_key: str | None = None,
) -> Visit:
    """Plan a visit; the ticket waits for it until it begins.

    Raises InvalidMany naming fields, Conflict where one is planned already or the ticket is not open, Forbidden.
    """
    _hold(ticket, by, rev)
    if not rules.is_open(ticket.state):
        raise Conflict(_l("Only open tickets are visited."))
    if coming_visit(ticket) is not None:
        raise Conflict(_l("A visit is planned already. Move it or cancel it."))
    person, address = _check(ticket, plan, at)
    visit = Visit(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        state="planned",
        calendar_key=calendar_key,
        planned_by=by.name[:120],
        planned_at=at,
        sequence=0,
        parts=[],
        done="",
    )
    _write(visit, plan, person, address, at)
    db.session.add(visit)
    _tell(ticket, visit, "visit_planned", VisitPlanned, by=by, at=at)
    _wait(ticket, visit, by=by, at=at)
    return visit


def move_visit(
    ticket: Ticket, visit: Visit, plan: Plan, *, by: Actor, at: datetime, rev: int | None = None
) -> None:
    """Another time, place or technician; the same again changes nothing. Raises InvalidMany, Conflict, Forbidden."""
    _hold_coming(ticket, visit, by, rev)
    if not rules.is_open(ticket.state):
        raise Conflict(_l("Only open tickets are visited."))
    if visit.state != "planned":
        raise Conflict(_l("This visit has begun: it cannot be moved any more."))
    person, address = _check(ticket, plan, at)
    before = visit.technician_user_id
    same = (visit.begins_at, visit.ends_at, before, visit.site_id, visit.address)
    if same == (plan.begins_at, plan.ends_at, plan.technician_user_id, plan.site_id, address):
        return
    _write(visit, plan, person, address, at)
    visit.sequence += 1
    left = before if before != visit.technician_user_id else None
    _tell(ticket, visit, "visit_planned", VisitChanged, by=by, at=at, moved=True, left_user_id=left)
    _wait(ticket, visit, by=by, at=at)


def begin_visit(ticket: Ticket, visit: Visit, *, by: Actor, at: datetime, rev: int | None = None) -> None:
    """The technician is there, or the time has come: the ticket waits no more. Twice is once. Raises Conflict."""
    _hold_coming(ticket, visit, by, rev)
    if visit.state == "under_way":
        return
    visit.state, visit.look_at = "under_way", None
    db.session.flush()
    note(ticket, "visit_planned", by=by, at=at, begun=True, technician=visit.technician_name)
    _resume(ticket, by=by, at=at)


def finish_visit(
    ticket: Ticket, visit: Visit, report: Report, *, by: Actor, at: datetime, rev: int | None = None
) -> None:
    """Write down what came of it. Raises InvalidMany naming fields, Conflict, Forbidden."""
    _hold_coming(ticket, visit, by, rev)
    _check_report(report)
    visit.state, visit.over_at, visit.look_at = "done", at, None
    visit.done, visit.outcome = report.done.replace("\r\n", "\n").strip(), report.outcome
    visit.parts = [
        {"what": one.what.strip(), "old_serial": one.old_serial.strip(), "new_serial": one.new_serial.strip()}
        for one in report.parts
    ]
    _tell(ticket, visit, "visit_done", VisitDone, by=by, at=at, outcome=report.outcome)
    _resume(ticket, by=by, at=at)


def cancel_visit(
    ticket: Ticket, visit: Visit, *, why: str, by: Actor, at: datetime, rev: int | None = None
) -> None:
    """Nobody goes there. Raises InvalidMany without a reason, Conflict, Forbidden."""
    _hold_coming(ticket, visit, by, rev)
    words = why.replace("\r\n", "\n").strip()
    if not words or len(words) > LONGEST_DONE or "\x00" in words:
        raise InvalidMany([("why", _l("Say why nobody comes: the client reads it."))])
    visit.state, visit.over_at, visit.look_at, visit.done = "cancelled", at, None, words
    visit.sequence += 1
    _tell(ticket, visit, "visit_cancelled", VisitCancelled, by=by, at=at)
    _resume(ticket, by=by, at=at)


def coming_visit(ticket: Ticket) -> Visit | None:
    """The ticket's visit that is still to be done."""
    return db.session.scalars(_of(ticket).where(Visit.state.in_(COMING))).one_or_none()


def list_visits(ticket: Ticket) -> Sequence[Visit]:
    """A ticket's visits, the latest first."""
    return db.session.scalars(_of(ticket).order_by(Visit.id.desc())).all()


def find_visit(ticket: Ticket, public_id: str) -> Visit:
    """A visit of a ticket. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError:
        raise NotFound from None
    found: Visit | None = db.session.scalar(_of(ticket).where(Visit.public_id == key))
    if found is None:
        raise NotFound
    return found


def list_clashes(visit: Visit) -> Sequence[Visit]:
    """Other visits of the same technician that overlap this one, as far as the asker's scope reaches."""
    if visit.technician_user_id is None:
        return ()
    other = select(Visit).where(
        Visit.technician_user_id == visit.technician_user_id,
        Visit.state.in_(COMING),
        Visit.begins_at < visit.ends_at,
        Visit.ends_at > visit.begins_at,
        Visit.public_id != visit.public_id,
    )
    return db.session.scalars(other.order_by(Visit.begins_at, Visit.id)).all()


def _of(ticket: Ticket) -> Any:
    return select(Visit).where(Visit.tenant_id == ticket.tenant_id, Visit.ticket_id == ticket.id)


def _hold(ticket: Ticket, by: Actor, rev: int | None) -> None:
    hold(ticket)
    check_rev(ticket, rev)
    if who_is(by) == "requester":
        raise Forbidden


def _hold_coming(ticket: Ticket, visit: Visit, by: Actor, rev: int | None) -> None:
    _hold(ticket, by, rev)
    db.session.refresh(visit)
    if visit.state not in COMING:
        raise Conflict(_l("This visit is over: it was done or cancelled."))


def _check(ticket: Ticket, plan: Plan, at: datetime) -> tuple[StaffMember | None, str]:
    """Who goes and where. Raises InvalidMany."""
    wrong: list[tuple[str, Any]] = []
    if plan.ends_at <= at or plan.begins_at > at + FARTHEST:
        wrong.append(("on", _l("Choose a day from today on, within the next 400 days.")))
    if not timedelta() < plan.ends_at - plan.begins_at <= LONGEST_VISIT:
        wrong.append(("minutes", _l("A visit lasts from one minute to seven days.")))
    address = plan.address.strip() or _site_address(ticket, plan.site_id)
    if not 1 <= len(address) <= 300 or "\x00" in address:
        wrong.append(("address", _l("Choose a site with an address, or type one of at most 300 characters.")))
    person = None
    if plan.technician_user_id is not None:
        known = {one.user_id: one for one in list_engineers(ticket.tenant_id, ticket.tier)}
        person = known.get(plan.technician_user_id)
        if person is None:
            wrong.append(
                (
                    "technician",
                    _l("Choose somebody who works for this client in %(tier)s.", tier=ticket.tier),
                )
            )
    if wrong:
        raise InvalidMany(wrong)
    return person, address


def _site_address(ticket: Ticket, site_id: int | None) -> str:
    if site_id is None:
        return ""
    found = db.session.execute(
        select(Site.name, Site.address).where(Site.tenant_id == ticket.tenant_id, Site.id == site_id)
    ).one_or_none()
    return "" if found is None else ", ".join(filter(None, (found.name, found.address.strip())))[:300]


def _check_report(report: Report) -> None:
    wrong: list[tuple[str, Any]] = []
    if not 1 <= len(report.done.strip()) <= LONGEST_DONE or "\x00" in report.done:
        wrong.append(("done", _l("Say what was done, in at most 5,000 characters.")))
    if report.outcome not in OUTCOMES:
        wrong.append(("outcome", _l("Choose what came of it.")))
    texts = [text for one in report.parts for text in (one.what, one.old_serial, one.new_serial)]
    unfit = any(len(text) > 120 or not text.isprintable() for text in texts)
    if len(report.parts) > MOST_PARTS or unfit or not all(one.what.strip() for one in report.parts):
        wrong.append(
            ("parts", _l("Name each part in at most 120 characters; serial numbers alone say nothing."))
        )
    if wrong:
        raise InvalidMany(wrong)


def _write(visit: Visit, plan: Plan, person: StaffMember | None, address: str, at: datetime) -> None:
    visit.begins_at, visit.ends_at, visit.look_at = plan.begins_at, plan.ends_at, plan.begins_at
    visit.site_id, visit.address, visit.changed_at = plan.site_id, address, at
    visit.technician_user_id = plan.technician_user_id
    visit.technician_name = person.name if person else None


def _wait(ticket: Ticket, visit: Visit, *, by: Actor, at: datetime) -> None:
    if not rules.is_open(ticket.state):
        raise Conflict(_l("Only open tickets are visited."))
    if visit.begins_at <= at or (ticket.state, ticket.waiting_reason) == ("waiting", "visit"):
        return
    if ticket.state == "new":
        move(ticket, "in_progress", by=by, at=at, reason=None, replay=False)
    move(ticket, "waiting", by=by, at=at, reason="visit", replay=False)


def _resume(ticket: Ticket, *, by: Actor, at: datetime) -> None:
    if (ticket.state, ticket.waiting_reason) == ("waiting", "visit"):
        move(ticket, "in_progress", by=by, at=at, reason=None, replay=False)


def _tell(
    ticket: Ticket,
    visit: Visit,
    line: str,
    happening: type[VisitPlanned],
    *,
    by: Actor,
    at: datetime,
    left_user_id: int | None = None,
    **more: Any,
) -> None:
    db.session.flush()
    seq = note(
        ticket,
        line,
        by=by,
        at=at,
        begins_at=visit.begins_at.isoformat(),
        ends_at=visit.ends_at.isoformat(),
        technician=visit.technician_name,
        **more,
    )
    event = happening(
        tenant_id=ticket.tenant_id,
        at=at,
        by=by,
        ticket_id=ticket.id,
        seq=seq,
        visit_id=visit.id,
        sequence=visit.sequence,
        left_user_id=left_user_id,
    )
    events.record(event)
