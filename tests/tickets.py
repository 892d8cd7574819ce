"""Tickets for tests: opened through the services, as everybody else does it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole
from tenants.tenancy.models import Tenant
from tenants.tickets import services
from tenants.tickets.models import Ticket

MONDAY = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # 10:00 in Jakarta


def later(**span: Any) -> datetime:
    """A moment after MONDAY."""
    return MONDAY + timedelta(**span)


def person(cast: Any, name: str, role: MemberRole, *tenants: str) -> Actor:
    """An Actor without a look into the database."""
    return Actor.person(
        user_id=cast.users[name],
        name=name,
        role=role,
        tenants=frozenset(cast.tenants[one] for one in tenants),
        reads_company=role == MemberRole.CLIENT_ADMIN,
    )


def bob(cast: Any) -> Actor:
    return person(cast, "Bob", MemberRole.CLIENT_USER, "acme")


def alice(cast: Any) -> Actor:
    return person(cast, "Alice", MemberRole.CLIENT_ADMIN, "acme")


def tina(cast: Any) -> Actor:
    return person(cast, "Tina", MemberRole.L1, "acme")


def leo(cast: Any) -> Actor:
    return person(cast, "Leo", MemberRole.L2, "acme", "globex", "provider")


def request(cast: Any, who: str = "Bob", **changes: Any) -> services.Request:
    """What Bob usually asks for."""
    usual: dict[str, Any] = {
        "subject": "Printer on fire",
        "body": "It burns since this morning.",
        "impact": "medium",
        "urgency": "high",
        "requester": services.Requester(who, f"{who.lower()}@example.test", cast.users[who]),
    }
    return services.Request(**{**usual, **changes})


def open_in_scope(
    cast: Any, by: Actor, *, slug: str = "acme", at: datetime = MONDAY, **changes: Any
) -> Ticket:
    """A ticket opened by somebody in the scope in force; flushed, not committed."""
    tenant = db.session.scalars(select(Tenant).where(Tenant.id == cast.tenants[slug])).one()
    who = changes.pop("who", "Mallory" if slug == "globex" else "Bob")
    return services.open_ticket(tenant, request(cast, who, **changes), by=by, at=at)


def opened(app: Any, cast: Any, *, slug: str = "acme", at: datetime = MONDAY, **changes: Any) -> str:
    """The code of a committed ticket."""
    from tests import personas

    who = changes.get("who", "Mallory" if slug == "globex" else "Bob")
    with personas.within(app, cast, who) as by:
        ticket = open_in_scope(cast, by, slug=slug, at=at, **changes)
        db.session.commit()
        return ticket.code
