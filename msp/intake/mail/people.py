"""Who writes: from an address to a person, a client and a side of a ticket."""

from dataclasses import dataclass, replace

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select

from msp.intake.mail.models import IncomingMail
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole, Permission
from tenants.foundation.scope import enter, gate
from tenants.people.models import Membership, StaffMember
from tenants.people.principals import by_user_id
from tenants.people.queries import list_members
from tenants.people.sharing import reads_all
from tenants.tenancy.models import Tenant
from tenants.tickets.models import Message, Ticket
from tenants.tickets.services import Requester
from tenants.tickets.watching import list_watchers


@dataclass(frozen=True, slots=True)
class Sender:
    """An address, and the clients where somebody with it is a member."""

    address: str
    tenants: tuple[int, ...] = ()


def known_people(address: str) -> Sender:
    """Where an address is at home."""
    with enter(gate()):
        asked = (
            select(Membership.tenant_id)
            .join(Tenant, Tenant.id == Membership.tenant_id)
            .where(
                func.lower(Membership.email) == address,
                Membership.state == "active",
                Tenant.state != "offboarded",
            )
        )
        return Sender(address, tuple(sorted(db.session.scalars(asked))))


def participants(ticket: Ticket) -> dict[str, str]:
    """Addresses that take part in a ticket, with their side: `requester` or `staff`. In the ticket's scope.

    The requester and the watchers, while their accounts are members', and whoever holds the ticket.
    """
    found: dict[str, str] = {}
    if ticket.requester_user_id is not None:
        member = _member(ticket.tenant_id, Membership.user_id == ticket.requester_user_id)
        if member is not None:
            found[member.email.lower()] = "requester"
    elif ticket.requester_email:
        found[ticket.requester_email.lower()] = "requester"
    if ticket.assignee_user_id is not None:
        asked = select(StaffMember.email).where(
            StaffMember.user_id == ticket.assignee_user_id, StaffMember.state == "active"
        )
        address = db.session.scalar(asked)
        found |= {address.lower(): "staff"} if address else {}
    return _watchers(ticket) | found


def _watchers(ticket: Ticket) -> dict[str, str]:
    """Addresses outside the provider that were confirmed as watching."""
    confirmed = [one for one in list_watchers(ticket) if one.confirmed_at is not None and one.side != "staff"]
    members = {one.user_id: one.email.lower() for one in list_members(ticket.tenant_id)}
    addresses = (members.get(one.user_id) if one.user_id else one.email for one in confirmed)
    return {address: "requester" for address in addresses if address}


def _member(tenant_id: int, condition: ColumnElement[bool]) -> Membership | None:
    asked = select(Membership).where(
        Membership.tenant_id == tenant_id,
        Membership.state == "active",
        condition,
    )
    return db.session.scalars(asked.limit(1)).one_or_none()


def requester_of(tenant_id: int, address: str, name: str) -> Requester:
    """Who asks: the member with this address, or somebody known by it only. In the tenant's scope."""
    member = _member(tenant_id, func.lower(Membership.email) == address)
    if member is not None:
        return Requester(member.name, member.email, member.user_id)
    return Requester(" ".join(name.split())[:120] or address[:120] or _("Unknown sender"), address or None)


def actor_of(tenant_id: int, address: str, name: str) -> Actor:
    """Who acts when a requester's mail is put on a ticket. In the tenant's scope."""
    who = requester_of(tenant_id, address, name)
    member = _member(tenant_id, Membership.user_id == who.user_id) if who.user_id is not None else None
    if member is None:
        return Actor(ActorKind.USER, who.name, tenants=frozenset({tenant_id}), via="mail")
    return Actor.person(
        user_id=member.user_id,
        name=member.name,
        role=MemberRole(member.role),
        tenants=frozenset({tenant_id}),
        reads_company=reads_all(member),
        via="mail",
    )


def address_of_author(message: Message) -> str | None:
    """The address from which a message came by mail; None for any other. In the ticket's scope."""
    number = (message.request_key or "").removeprefix("mail:")
    if message.via != "mail" or not number.isdigit():
        return None
    asked = select(IncomingMail.sender).where(
        IncomingMail.id == int(number), IncomingMail.for_tenant_id == message.tenant_id
    )
    return db.session.scalar(asked)


def staff_actor(tenant_id: int, address: str) -> Actor | None:
    """One of the provider's people by address, who may work on this client's tickets; else None."""
    with enter(gate()):
        asked = select(StaffMember.user_id).where(
            func.lower(StaffMember.email) == address, StaffMember.state == "active"
        )
        user_id = db.session.scalar(asked)
        found = by_user_id(user_id) if user_id is not None else None
    who = found.actor if found else None
    if who is None or tenant_id not in who.tenants or not who.may(Permission.WORK_TICKETS):
        return None
    return replace(who, via="mail")
