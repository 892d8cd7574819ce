"""Asking for an evaluation: a moment on the campaign's row, which the sweeper finds, and a ring to be quicker."""

from collections.abc import Collection
from datetime import datetime

from msp.campaigns.models import Campaign
from tenants.foundation import time
from tenants.foundation.scope import narrowed
from tenants.foundation.work import request_work

KIND = "evaluate_campaign"
QUEUE = "campaigns"


def ask_evaluation(campaign: Campaign, *, at: datetime) -> None:
    """Have the campaign looked at by then; the row alone is enough, the ring only saves a second."""
    earlier = campaign.next_eval_at is None or at < campaign.next_eval_at
    campaign.next_eval_at = at if earlier else campaign.next_eval_at
    if at <= time.now():
        ring(campaign.id, narrowed() & set(campaign.tenant_ids))


def ring(campaign_id: int, tenant_ids: Collection[int]) -> None:
    """Ask for work on one of these tenants' rows; a waiting ring absorbs this one."""
    for tenant_id in sorted(tenant_ids)[:1]:
        request_work(
            KIND,
            tenant_id=tenant_id,
            arguments={"campaign": campaign_id},
            queue=QUEUE,
            key=str(campaign_id),
        )
