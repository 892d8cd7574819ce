"""Who is told of a warning or a miss, and in which words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import select

from contracts.clock.clock import Verdict
from contracts.clock.history import Reading
from contracts.timers.models import SideTimer, TimerMark
from msp.mail.addresses import address_of
from msp.mail.readers import find_reader
from msp.mail.services import queue_mail
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole
from tenants.people.queries import list_granted, list_leads, list_members
from tenants.people.sharing import reads_all
from tenants.tenancy.models import Tenant
from tenants.tickets.models import HandOver, Ticket


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody to tell, and as what: `assignee`, `lead`, or one of the client's `admins`."""

    user_id: int
    name: str
    address: str
    role: str


def list_receivers(ticket: Ticket, roles: Iterable[str]) -> list[Receiver]:
    """Whom the terms' words mean, each person once; a ticket that nobody holds is the lead's."""
    found: dict[int, Receiver] = {}
    for role in roles:
        for one in _of_role(ticket, role):
            found.setdefault(one.user_id, one)
    return list(found.values())


def _of_role(ticket: Ticket, role: str) -> list[Receiver]:
    if role == "assignee":
        held = [one for one in list_granted(ticket.tenant_id) if one.user_id == ticket.assignee_user_id]
        return [Receiver(one.user_id, one.name, one.email, role) for one in held] or _of_role(ticket, "lead")
    if role == "lead":
        return [Receiver(one.user_id, one.name, one.email, role) for one in list_leads(ticket.tenant_id)]
    people = [one for one in list_members(ticket.tenant_id) if one.role == MemberRole.CLIENT_ADMIN]
    told = [one for one in people if one.user_id == ticket.requester_user_id or reads_all(one)]
    return [Receiver(one.user_id, one.name, one.email, "admins") for one in told]


@dataclass(frozen=True, slots=True)
class Notice:
    """What there is to tell of a clock; `key` names it, so that nobody is told twice."""

    key: str
    template: str
    clock: str
    percent: int
    target_seconds: int
    verdict: Verdict
    is_stopped: bool
    missed_at: datetime | None


def notice_of(mark: TimerMark, reading: Reading) -> Notice:
    """Of a warning or a miss of the ticket's own clocks."""
    return Notice(
        key=f"timer:{mark.id}",
        template="timer_missed" if mark.mark == "missed" else "timer_warned",
        clock=mark.clock,
        percent=mark.percent,
        target_seconds=reading.target.seconds if reading.target else 0,
        verdict=reading.verdict,
        is_stopped=reading.stopped_at is not None,
        missed_at=mark.at,
    )


def notice_beside(timer: SideTimer, verdict: Verdict, percent: int = 0) -> Notice:
    """Of a warning at a percentage beside them, or of a miss."""
    return Notice(
        key=f"side timer:{timer.id}:{percent}" if percent else f"side timer:{timer.id}",
        template="timer_warned" if percent else "timer_missed",
        clock=timer.clock,
        percent=percent,
        target_seconds=timer.target_seconds,
        verdict=verdict,
        is_stopped=timer.stopped_at is not None,
        missed_at=timer.missed_at,
    )


def tell(
    ticket: Ticket, notice: Notice, receivers: Sequence[Receiver], passed: HandOver | None = None
) -> None:
    """Queue a mail for each receiver, in the receiver's language."""
    for one in receivers:
        _queue(ticket, notice, one, None if one.role == "admins" else passed)


def _queue(ticket: Ticket, notice: Notice, receiver: Receiver, passed: HandOver | None) -> None:
    tenant = db.session.scalars(select(Tenant).where(Tenant.id == ticket.tenant_id)).one()
    reader = find_reader(receiver.user_id)
    page = "portal.show_ticket" if receiver.role == "admins" else "desk.show_ticket"
    context = {
        "ticket": ticket,
        "notice": notice,
        "passed": passed,
        "role": receiver.role,
        "zone": reader.time_zone or tenant.time_zone,
        "now": time.now(),
        "current_tenant": tenant,
        "provider_name": current_app.extensions["settings"].provider_name,
        "name": receiver.name,
        "action_url": address_of(page, code=ticket.code),
    }
    queue_mail(
        ticket.tenant_id,
        to=receiver.address,
        template=notice.template,
        language=reader.language or tenant.language,
        context=context,
        unwanted=reader.unwanted,
        key=f"{notice.key}:{receiver.user_id}",
        thread=f"ticket-{ticket.code}",
    )
