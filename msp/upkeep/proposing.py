"""What comes of a policy on its days: submitted campaigns for people to decide on, one per release and day."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import structlog
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from msp.campaigns.drafts import propose_campaign
from msp.campaigns.models import Campaign, Release
from msp.campaigns.queries import list_parts
from msp.upkeep.models import PatchPolicy, PatchProposal
from msp.upkeep.needs import list_fitting, list_needing
from msp.upkeep.policies import AT_ONCE
from msp.upkeep.queries import recurring
from msp.upkeep.rules import day_of, latest, look_again
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.errors import Invalid
from tenants.foundation.scope import Role, Scope, enter, sweeper
from tenants.tenancy.models import Tenant

BATCH = 50
RETRY = timedelta(minutes=5)
LONGEST_TITLE = 120
log = structlog.get_logger()


def sweep_due_policies() -> int:
    """Periodic: propose what is due. Each policy in its own transaction; returns how many campaigns were proposed."""
    now = time.now()
    due = select(PatchPolicy.id, PatchPolicy.tenant_ids).where(PatchPolicy.look_at <= now)
    with enter(sweeper()):
        found = db.session.execute(due.order_by(PatchPolicy.look_at).limit(BATCH)).all()
    return sum(_look(policy_id, tenant_ids) for policy_id, tenant_ids in found)


def _look(policy_id: int, tenant_ids: Sequence[int]) -> int:
    """One bad policy never stops the sweep."""
    scope = Scope(Role.WORKER, frozenset(tenant_ids))
    try:
        with enter(scope):
            proposed = propose_due(policy_id, at=time.now())
            db.session.commit()
    except Exception as error:
        log.exception("policy proposed nothing", policy=policy_id, error=type(error).__name__)
        with enter(scope):
            later = update(PatchPolicy).where(PatchPolicy.id == policy_id, PatchPolicy.look_at.is_not(None))
            db.session.execute(later.values(look_at=time.now() + RETRY))
            db.session.commit()
        return 0
    return proposed


def propose_due(policy_id: int, *, at: datetime) -> int:
    """Propose a campaign for each release that fits and is lacking; returns how many. Nothing ever starts by itself."""
    asked = select(PatchPolicy).where(PatchPolicy.id == policy_id, PatchPolicy.look_at <= at)
    policy = db.session.scalar(asked.with_for_update(skip_locked=True))
    if policy is None:
        return 0
    rule = recurring(policy)
    day = latest(rule, settled_until=policy.settled_until, at=at)
    proposed = 0
    if day is not None:
        occurs_on = day_of(day, policy.time_zone)
        served = _served(policy)
        proposed = sum(
            _propose(policy, one, occurs_on, served, at) is not None for one in list_fitting(policy, at)
        )
        policy.settled_until = day
    policy.look_at = look_again(rule, settled_until=policy.settled_until, lead=AT_ONCE)
    db.session.flush()
    return proposed


def _served(policy: PatchPolicy) -> list[int]:
    """The policy's clients that are served at present."""
    active = select(Tenant.id).where(among(Tenant.id, policy.tenant_ids), Tenant.state == "active")
    return list(db.session.scalars(active.order_by(Tenant.id)))


def _propose(
    policy: PatchPolicy, release: Release, occurs_on: date, tenant_ids: Sequence[int], at: datetime
) -> Campaign | None:
    """The campaign, unless nobody needs the release or this day's campaign for it exists; the unique key decides."""
    assets = list_needing(policy, release, tenant_ids)
    if not assets:
        return None
    try:
        with db.session.begin_nested():
            proposal = _claim(policy, release, occurs_on, at)
            if proposal is None:
                return None
            campaign = propose_campaign(
                title=_title(release),
                release=release,
                assets=assets,
                by=Actor.system(f"policy {policy.name}"),
                at=at,
            )
    except Invalid as unfit:
        log.warning("release not proposed", policy=policy.id, release=release.label, field=unfit.field)
        return None
    # Assets on which the release can't run fell out when the plan was frozen.
    proposal.campaign_id = campaign.id
    proposal.asset_count = sum(part.asset_count for part in list_parts(campaign.id))
    db.session.flush()
    return campaign


def _claim(policy: PatchPolicy, release: Release, occurs_on: date, at: datetime) -> PatchProposal | None:
    once = insert(PatchProposal).values(
        policy_id=policy.id, release_id=release.id, occurs_on=occurs_on, asset_count=0, proposed_at=at
    )
    return db.session.scalar(once.on_conflict_do_nothing().returning(PatchProposal))


def _title(release: Release) -> str:
    with force_locale(current_app.extensions["settings"].language):
        return _("Update %(name)s to %(version)s", name=release.name, version=release.version)[:LONGEST_TITLE]
