"""Finding plans, what became of them, and policies. Rows of tenants outside the scope are not there."""

from collections.abc import Collection, Sequence
from datetime import datetime, time
from typing import Any

from sqlalchemy import case, func, select

from msp.campaigns.models import Campaign, CampaignTenant, Release
from msp.upkeep.models import (
    MaintenanceOccurrence,
    MaintenancePlan,
    MaintenancePlanAsset,
    PatchPolicy,
    PatchProposal,
)
from msp.windows.rules import Recurring
from tenants.assets.models import Asset
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.errors import NotFound
from tenants.foundation.scope import narrowed
from tenants.tenancy.queries import as_uuid
from tenants.tickets.models import Ticket
from tenants.tickets.queries import visible_to


def clock_of(starts_at: str) -> time:
    """A stored wall-clock time."""
    hour, minute = starts_at.split(":")
    return time(int(hour), int(minute))


def recurring(row: MaintenancePlan | PatchPolicy) -> Recurring:
    """The rule of a plan or a policy as the rules take it; a policy's days have no length."""
    minutes = row.minutes if isinstance(row, MaintenancePlan) else 1
    return Recurring(row.rule, row.first_on, clock_of(row.starts_at), minutes, row.time_zone)


def find_plan(public_id: str) -> MaintenancePlan:
    """A plan by its public id. Raises NotFound."""
    asked = select(MaintenancePlan).where(MaintenancePlan.public_id == as_uuid(public_id))
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_plans(tenant_ids: Collection[int], *, ended: bool = False) -> list[MaintenancePlan]:
    """Plans of these clients by client and title; those that have ended only when asked for."""
    asked = select(MaintenancePlan).where(among(MaintenancePlan.tenant_id, tenant_ids))
    if not ended:
        asked = asked.where(MaintenancePlan.ended_at.is_(None))
    return list(
        db.session.scalars(
            asked.order_by(MaintenancePlan.tenant_id, MaintenancePlan.title, MaintenancePlan.id)
        )
    )


def assets_of(plan: MaintenancePlan) -> list[Asset]:
    """The assets that a plan is about, by name."""
    asked = (
        select(Asset)
        .join(
            MaintenancePlanAsset,
            (MaintenancePlanAsset.tenant_id == Asset.tenant_id) & (MaintenancePlanAsset.asset_id == Asset.id),
        )
        .where(
            MaintenancePlanAsset.tenant_id == plan.tenant_id,
            MaintenancePlanAsset.plan_id == plan.id,
            Asset.tenant_id == plan.tenant_id,
        )
    )
    return list(db.session.scalars(asked.order_by(Asset.name, Asset.id)))


def list_occurrences(
    plan: MaintenancePlan, *, by: Actor, before: datetime | None = None, limit: int = 25
) -> list[tuple[MaintenanceOccurrence, str | None]]:
    """What became of a plan's times, newest first, with the code of a ticket that one may see.

    One more than `limit`.
    """
    asked = (
        select(MaintenanceOccurrence, case((visible_to(by), Ticket.code)))
        .outerjoin(
            Ticket,
            (Ticket.tenant_id == MaintenanceOccurrence.tenant_id)
            & (Ticket.id == MaintenanceOccurrence.ticket_id),
        )
        .where(
            MaintenanceOccurrence.tenant_id == plan.tenant_id,
            MaintenanceOccurrence.plan_id == plan.id,
        )
    )
    if before is not None:
        asked = asked.where(MaintenanceOccurrence.begins_at < before)
    page = asked.order_by(MaintenanceOccurrence.begins_at.desc()).limit(limit + 1)
    return [(row[0], row[1]) for row in db.session.execute(page)]


def _visible() -> Any:
    """Policies for a client in scope."""
    return PatchPolicy.tenant_ids.overlap(sorted(narrowed()))


def find_policy(public_id: str) -> PatchPolicy:
    """A policy by its public id, if it is for a client in scope. Raises NotFound."""
    asked = select(PatchPolicy).where(PatchPolicy.public_id == as_uuid(public_id), _visible())
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_policies() -> list[PatchPolicy]:
    """Policies for clients in scope, by name."""
    return list(
        db.session.scalars(
            select(PatchPolicy).where(_visible()).order_by(PatchPolicy.name, PatchPolicy.id).limit(200)
        )
    )


def list_proposals(
    policy: PatchPolicy, *, before: int | None = None, limit: int = 25
) -> list[tuple[PatchProposal, Campaign, Release]]:
    """What a policy proposed, newest first, one more than `limit`; only campaigns that concern the scope."""
    asked = (
        select(PatchProposal, Campaign, Release)
        .join(Campaign, Campaign.id == PatchProposal.campaign_id)
        .join(Release, Release.id == PatchProposal.release_id)
        .where(
            PatchProposal.policy_id == policy.id,
            Campaign.tenant_ids.overlap(sorted(narrowed())),
        )
    )
    if before is not None:
        asked = asked.where(PatchProposal.id < before)
    page = asked.order_by(PatchProposal.id.desc()).limit(limit + 1)
    return [(row[0], row[1], row[2]) for row in db.session.execute(page)]


def count_proposals(policy_ids: Sequence[int]) -> dict[int, int]:
    """How many campaigns each policy has proposed."""
    if not policy_ids:
        return {}
    grouped = select(PatchProposal.policy_id, func.count()).where(PatchProposal.policy_id.in_(policy_ids))
    rows = db.session.execute(grouped.group_by(PatchProposal.policy_id))
    return {row[0]: row[1] for row in rows}


def campaigns_of(parts: Collection[str]) -> dict[str, str]:
    """The campaigns' public ids by those of clients' parts in them."""
    if not parts:
        return {}
    asked = (
        select(CampaignTenant.public_id, Campaign.public_id)
        .join(Campaign, Campaign.id == CampaignTenant.campaign_id)
        .where(CampaignTenant.public_id.in_([as_uuid(one) for one in parts]))
    )
    return {str(row[0]): str(row[1]) for row in db.session.execute(asked)}
