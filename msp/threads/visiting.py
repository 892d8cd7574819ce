"""What follows from visits: invitations by mail, their beginning when the time comes, their end with the ticket."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, update

from msp.background.jobs import job
from msp.mail.addresses import address_of
from msp.mail.enclosures import named
from msp.mail.readers import find_reader
from msp.mail.services import queue_mail
from msp.threads.invitations import KIND, KIND_OFF, find_parts, technician_address
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import Claimed, request_work
from tenants.people.models import StaffMember
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets.events import TicketStateChanged, VisitCancelled, VisitChanged, VisitPlanned
from tenants.tickets.history import hold
from tenants.tickets.models import Ticket
from tenants.tickets.visit_models import Visit
from tenants.tickets.visits import begin_visit, cancel_visit, coming_visit

PORTAL = Actor.system("Portal")
BATCH = 200
RETRY = timedelta(minutes=5)
log = structlog.get_logger()
_WHAT = {VisitPlanned: "planned", VisitChanged: "moved", VisitCancelled: "cancelled"}


def invite(event: VisitPlanned) -> None:
    """Reaction: technician and requester are told, with an invitation for their calendars."""
    asked = {
        "visit": event.visit_id,
        "sequence": event.sequence,
        "left": event.left_user_id,
        "what": _WHAT[type(event)],
    }
    request_work("invite_to_visit", tenant_id=event.tenant_id, arguments=asked, queue="mail")


@dataclass(frozen=True, slots=True)
class _Receiver:
    address: str
    user_id: int | None
    name: str
    staff: bool
    what: str
    encloses: str = KIND


@job("invite_to_visit", queue="mail")
def invite_to_visit(work: Claimed) -> None:
    """Queue the mails about one change of a visit; what a later change has overtaken is told with that one."""
    asked = work.arguments
    visit, ticket = find_parts(asked["visit"])
    if asked["left"] is not None:
        _queue(visit, ticket, asked["sequence"], _left(asked["left"]))
    if visit.sequence == asked["sequence"]:
        for one in _receivers(visit, ticket, asked["what"]):
            _queue(visit, ticket, asked["sequence"], one)


def _left(user_id: int) -> _Receiver | None:
    address = technician_address(user_id)
    name = db.session.scalar(select(StaffMember.name).where(StaffMember.user_id == user_id))
    return _Receiver(address, user_id, name or "", True, "handed_on", KIND_OFF) if address else None


def _receivers(visit: Visit, ticket: Ticket, what: str) -> Iterator[_Receiver]:
    technician = technician_address(visit.technician_user_id)
    if technician:
        yield _Receiver(technician, visit.technician_user_id, visit.technician_name or "", True, what)
    if ticket.requester_email and ticket.requester_email != technician:
        yield _Receiver(ticket.requester_email, ticket.requester_user_id, ticket.requester_name, False, what)


def _queue(visit: Visit, ticket: Ticket, sequence: int, to: _Receiver | None) -> None:
    if to is None:
        return
    tenant, reader = find_tenant_by_id(ticket.tenant_id), find_reader(to.user_id)
    page = "desk.show_ticket" if to.staff else "portal.show_ticket"
    context = {
        "ticket": ticket,
        "visit": visit,
        "what": to.what,
        "staff": to.staff,
        "name": to.name,
        "zone": reader.time_zone or tenant.time_zone,
        "current_tenant": tenant,
        "provider_name": current_app.extensions["settings"].provider_name,
        # Without an account there is nothing to open.
        "action_url": address_of(page, code=ticket.code) if to.user_id is not None else "",
    }
    queue_mail(
        ticket.tenant_id,
        to=to.address,
        template="visit",
        language=reader.language or tenant.language,
        context=context,
        unwanted=reader.unwanted,
        key=f"visit:{visit.id}:{sequence}:{'left' if to.encloses == KIND_OFF else to.staff}",
        thread=f"ticket-{ticket.code}",
        encloses=named(to.encloses, visit.id),
    )


def call_off(event: TicketStateChanged) -> None:
    """Reaction: nobody travels to a ticket that is resolved, closed or cancelled."""
    request_work("call_off_visit", tenant_id=event.tenant_id, arguments={"ticket": event.ticket_id})


@job("call_off_visit")
def call_off_visit(work: Claimed) -> None:
    """Cancel what is still ahead; nothing where the ticket is open again, or was never visited."""
    ticket = db.session.scalars(select(Ticket).where(Ticket.id == work.arguments["ticket"])).one()
    hold(ticket)
    visit = coming_visit(ticket)
    if visit is not None and _is_needless(visit, ticket):
        with force_locale(find_tenant_by_id(ticket.tenant_id).language):
            why = _("The matter is settled: the visit is not needed any more.")
        cancel_visit(ticket, visit, why=why, by=PORTAL, at=time.now())


def _is_needless(visit: Visit, ticket: Ticket) -> bool:
    """Whoever is there already, and resolved it on the spot, still writes a report."""
    return ticket.is_over or (ticket.state == "resolved" and visit.state == "planned")


def sweep_due_visits() -> int:
    """Periodic: what begins now. Each visit in its own transaction; returns how many begun."""
    due = select(Visit.tenant_id, Visit.id).where(Visit.look_at <= time.now())
    with enter(sweeper()):
        found = db.session.execute(due.order_by(Visit.look_at).limit(BATCH)).all()
    return sum(_begin(tenant_id, visit_id) for tenant_id, visit_id in found)


def _begin(tenant_id: int, visit_id: int) -> bool:
    """One bad visit never stops the sweep."""
    try:
        with enter(of_tenant(tenant_id)):
            begun = _begin_due(visit_id, time.now())
            db.session.commit()
    except Exception as error:
        log.exception("visit not begun", tenant=tenant_id, visit=visit_id, error=type(error).__name__)
        _look_later(tenant_id, visit_id)
        return False
    return begun


def _begin_due(visit_id: int, at: datetime) -> bool:
    """Whether its time has come and nobody was faster: it may have been moved or cancelled meanwhile."""
    visit, ticket = find_parts(visit_id)
    hold(ticket)
    db.session.refresh(visit)
    if visit.look_at is None or visit.look_at > at:
        return False
    begin_visit(ticket, visit, by=PORTAL, at=at)
    return True


def _look_later(tenant_id: int, visit_id: int) -> None:
    with enter(of_tenant(tenant_id)):
        mine = (Visit.tenant_id == tenant_id, Visit.id == visit_id, Visit.look_at.is_not(None))
        db.session.execute(update(Visit).where(*mine).values(look_at=time.now() + RETRY))
        db.session.commit()
