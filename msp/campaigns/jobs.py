"""Background entry points of campaigns, and the sweep that rings for those whose time has come."""

from sqlalchemy import select

from msp.background.jobs import job
from msp.campaigns.doorbell import KIND, QUEUE, ring
from msp.campaigns.evaluation import evaluate
from msp.campaigns.models import Campaign
from msp.campaigns.sightings import is_silence_known
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter, of_tenant, sweeper
from tenants.foundation.work import Claimed
from tenants.tenancy.models import Tenant

BATCH = 100


class NotAMember(PermissionError):
    """A row of work asks for a campaign in which its tenant takes no part."""


def member_scope(claimed: Claimed) -> Scope:
    """The campaign's tenants, read from the campaign's own row by a worker that is granted no tenant at all.

    The row of work names only the campaign; it has to lie with one of those tenants, or with the provider's own.
    """
    with enter(Scope(Role.WORKER, frozenset())):
        asked = select(Campaign.tenant_ids).where(Campaign.id == claimed.arguments["campaign"])
        members = frozenset(db.session.scalar(asked) or ())
    if claimed.tenant_id not in members and claimed.tenant_id != own_tenant_id():
        raise NotAMember(f"work {claimed.id} names campaign {claimed.arguments['campaign']}")
    return Scope(Role.WORKER, members | {claimed.tenant_id})


def own_tenant_id() -> int:
    """The provider's own tenant, on whose rows the portal's own work lies."""
    with enter(sweeper()):
        return int(db.session.scalars(select(Tenant.id).where(Tenant.kind == "own")).one())


@job(KIND, queue=QUEUE, scope=member_scope)
def evaluate_campaign(claimed: Claimed) -> None:
    """One tick of one campaign."""
    at = time.now()
    evaluate(claimed.arguments["campaign"], at=at, is_silence_known=is_silence_known(at))


def ring_due_campaigns() -> None:
    """Ask for the evaluation of campaigns whose moment has passed; those that are asked for already are absorbed."""
    with enter(sweeper()):
        asked = select(Campaign.id).where(Campaign.next_eval_at <= time.now())
        due = db.session.scalars(asked.order_by(Campaign.next_eval_at).limit(BATCH)).all()
    if not due:
        return
    own = own_tenant_id()
    with enter(of_tenant(own)):
        for campaign_id in due:
            ring(campaign_id, {own})
        db.session.commit()
