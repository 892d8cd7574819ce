"""Mails of clients that have left: nobody needs them beside the tickets that were made of them."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select

from msp.intake.mail.models import IncomingMail
from tenants.audit import services as audit
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.tenancy.models import Tenant

SYSTEM = Actor.system("offboarding")
# Somebody may write to a mailbox of theirs that is still there: people have time to look at it.
UNDECIDED_FOR = timedelta(days=30)


def erase_mails_of_the_gone() -> int:
    """Periodic: erase the mails of clients that were marked as gone; how many. Their bytes follow within two days."""
    at = time.now()
    with enter(gate()):
        theirs = select(IncomingMail.id).where(IncomingMail.for_tenant_id == Tenant.id, _is_over(at))
        gone = select(Tenant.id).where(Tenant.state == "offboarded", theirs.exists()).order_by(Tenant.id)
        found = list(db.session.scalars(gone))
    return sum(_erase(tenant_id, at) for tenant_id in found)


def _is_over(at: datetime) -> ColumnElement[bool]:
    decided = IncomingMail.state.in_(("done", "dropped"))
    return or_(decided, and_(~decided, IncomingMail.received_at < at - UNDECIDED_FOR))


def _erase(tenant_id: int, at: datetime) -> int:
    with enter(of_tenant(tenant_id)):
        erased = delete(IncomingMail).where(IncomingMail.for_tenant_id == tenant_id, _is_over(at))
        count = len(db.session.scalars(erased.returning(IncomingMail.id)).all())
        if count:
            audit.record(
                "mail.erase",
                tenant_id=tenant_id,
                by=SYSTEM,
                object="mails",
                at=at,
                detail={"count": count},
            )
        db.session.commit()
        return count
