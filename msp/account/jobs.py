"""Background work of accounts: each handler runs in the scope of one tenant and looks up accounts through the gate."""

from typing import Any

import structlog
from sqlalchemy import select

from msp.account import mails
from msp.background.jobs import job
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter, gate, of_tenant
from tenants.foundation.work import Claimed, request_work
from tenants.people import limits, requests, sessions
from tenants.people.events import AccountChanged, LinkIssued, PersonInvited, RightsChanged
from tenants.tenancy.queries import list_all_tenants
from tenants.tickets.assignments import free_misheld
from tenants.tickets.models import OPEN_STATES, Ticket

PORTAL = Actor.system("Portal")
log = structlog.get_logger()


@job("account.begin_password_reset", queue="mail")
def begin_password_reset(work: Claimed) -> None:
    """Issue the link if the address has an account; doing it twice only makes the first link useless."""
    with enter(gate()):
        requests.begin_password_reset(work.arguments["email"], at=time.now())
        db.session.commit()


@job("account.mail_invitation", queue="mail")
def mail_invitation(work: Claimed) -> None:
    """Send an invitation, unless it was revoked or accepted in the meantime."""
    mails.send_invitation(work.tenant_id, work.arguments["invitation"])


@job("account.mail_link", queue="mail")
def mail_link(work: Claimed) -> None:
    """Send a one-time link, unless it is spent by now."""
    mails.send_link(work.tenant_id, work.arguments["link"])


@job("account.mail_notice", queue="mail")
def mail_notice(work: Claimed) -> None:
    """Tell the owner of an account what changed."""
    mails.send_notice(work.tenant_id, **work.arguments)


def _ask(kind: str, event: Any, **arguments: Any) -> None:
    request_work(kind, tenant_id=event.tenant_id, arguments=arguments, queue="mail")


def send_invitation(event: PersonInvited) -> None:
    """Reaction: mail the invitation."""
    _ask("account.mail_invitation", event, invitation=event.invitation_id)


def send_link(event: LinkIssued) -> None:
    """Reaction: mail the link."""
    _ask("account.mail_link", event, link=event.link_id)


def send_notice(event: AccountChanged) -> None:
    """Reaction: mail the notice."""
    _ask("account.mail_notice", event, user=event.user_id, email=event.email, what=event.what)


def hand_on(event: RightsChanged) -> None:
    """Reaction: what somebody holds and may not hold any more goes back to the queues."""
    request_work(
        "account.hand_on_tickets",
        tenant_id=event.tenant_id,
        arguments={"user": event.user_id, "tenants": list(event.tenants)},
    )


def _all_of(work: Claimed) -> Scope:
    return Scope(Role.WORKER, frozenset({work.tenant_id, *work.arguments["tenants"]}))


@job("account.hand_on_tickets", scope=_all_of)
def hand_on_tickets(work: Claimed) -> None:
    """Nobody holds an open ticket without grant and tier, so that it is shown to all who may take it."""
    held = select(Ticket.tenant_id).where(
        Ticket.assignee_user_id == work.arguments["user"], Ticket.state.in_(OPEN_STATES)
    )
    for tenant_id in db.session.scalars(held.distinct().order_by(Ticket.tenant_id)).all():
        free_misheld(tenant_id, by=PORTAL, at=time.now())


def sweep_misheld_tickets() -> int:
    """Periodic: free what was given to somebody at the very moment in which they lost the right to it."""
    with enter(gate()):
        tenants = [one.id for one in list_all_tenants()]
    return sum(map(_free, tenants))


def _free(tenant_id: int) -> int:
    """One bad client never stops the sweep."""
    try:
        with enter(of_tenant(tenant_id)):
            freed = free_misheld(tenant_id, by=PORTAL, at=time.now())
            db.session.commit()
    except Exception as error:
        log.exception("tickets not freed", tenant=tenant_id, error=type(error).__name__)
        return 0
    return freed


def forget_expired() -> None:
    """Periodic: drop old counts of tries and sessions that ended a month ago."""
    with enter(gate()):
        limits.forget_old(at=time.now())
        sessions.forget_ended(at=time.now())
        db.session.commit()
