"""What clients are asked beyond the first time, and what they said, put into the ledger. Part of a tick.

A client that postponed is asked again on its day; who has still not decided shortly before the time for it ends is
reminded. Each once: the row remembers when, and a new day or a new end of the time counts anew.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import and_, func, or_, select, true

from msp.campaigns import rules
from msp.campaigns.events import ClientAsked
from msp.campaigns.models import Campaign, CampaignTenant
from msp.campaigns.parts import waits_for_word
from msp.campaigns.plans import Timing
from msp.campaigns.steps import decide
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.events import record

PORTAL = Actor.system("campaigns")
REMIND_BEFORE = timedelta(days=2)
# Of the whole time for a decision, the reminder leaves at least the last third where that is shorter.
LEAST_SHARE = 3
Moment = Callable[[CampaignTenant], datetime | None]


def attend(campaign: Campaign, timing: Timing, at: datetime) -> datetime | None:
    """Note what clients decided, ask and remind those whose time it is; returns when the next one's time comes."""
    ends_at = decides_until(campaign, timing)
    parts = _list_unsettled(campaign, ends_at, at)
    for part in parts:
        if part.rev != part.noted_rev:
            _note(campaign, part, at)
    if campaign.state not in rules.ASKING:
        return None
    for part in parts:
        _ask(campaign, part, ends_at, at)
    dues: list[Moment] = [ask_again_at, partial(remind_at, ends_at=ends_at)]
    coming = (due(part) for part in parts for due in dues if part.consent in rules.UNDECIDED)
    return min((one for one in coming if one is not None and one > at), default=None)


def _list_unsettled(campaign: Campaign, ends_at: datetime | None, at: datetime) -> list[CampaignTenant]:
    """Parts that the ledger lags behind, and undecided ones: all of them where looks are rare, else those due now."""
    part = CampaignTenant
    due = [and_(part.postponed_until <= at, func.coalesce(part.asked_again_at < part.postponed_until, True))]
    if campaign.state in ("approved", "scheduled"):
        due = [true()]
    elif ends_at is not None and at >= ends_at - REMIND_BEFORE:
        due.append(func.coalesce(part.reminded_at < ends_at - REMIND_BEFORE, True))
    is_open = and_(part.consent.in_(rules.UNDECIDED), part.ended_at.is_(None), or_(*due))
    asked = select(part).where(part.campaign_id == campaign.id, or_(part.rev != part.noted_rev, is_open))
    return list(db.session.scalars(asked.order_by(part.tenant_id)))


def decides_until(campaign: Campaign, timing: Timing) -> datetime | None:
    """When the time for a decision ends: with the campaign's wait for clients, or with an approval not acted upon."""
    if campaign.state == "approved":
        return campaign.decided_at and campaign.decided_at + rules.APPROVAL_HOLDS
    waits = timedelta(seconds=timing.campaign_seconds)
    return campaign.deadline_at or (campaign.start_at and campaign.start_at + waits)


def ask_again_at(part: CampaignTenant) -> datetime | None:
    """When a client that postponed is asked again; None where it has been, or did not."""
    until = part.postponed_until
    if until is None or (part.asked_again_at is not None and part.asked_again_at >= until):
        return None
    return until


def remind_at(part: CampaignTenant, ends_at: datetime | None) -> datetime | None:
    """When a client that has not decided is reminded of the end of its time; None where it has been."""
    if ends_at is None or part.asked_at is None:
        return None
    due = ends_at - min(REMIND_BEFORE, (ends_at - part.asked_at) / LEAST_SHARE)
    return None if part.reminded_at is not None and part.reminded_at >= due else due


def _ask(campaign: Campaign, part: CampaignTenant, ends_at: datetime | None, at: datetime) -> None:
    if not waits_for_word(part, at) or ends_at is None or at >= ends_at:
        return
    again, remind = ask_again_at(part), remind_at(part, ends_at)
    if remind is not None and remind <= at:
        part.reminded_at = at
    if again is not None and again <= at:
        part.asked_again_at = at
        _tell(campaign, part, "asked again", {"until": again.isoformat()}, at)
    elif part.reminded_at == at:
        _tell(campaign, part, "reminded", {"ends_at": ends_at.isoformat()}, at)


def _tell(campaign: Campaign, part: CampaignTenant, why: str, inputs: dict[str, str], at: datetime) -> None:
    decide(
        campaign, at=at, actor="portal", kind="asking", inputs=inputs, result=why, tenant_id=part.tenant_id
    )
    record(ClientAsked(tenant_id=part.tenant_id, at=at, by=PORTAL, part_id=part.id, why=why))


def _note(campaign: Campaign, part: CampaignTenant, at: datetime) -> None:
    """Put a client's decision into the ledger; clients cannot write there themselves."""
    part.noted_rev = part.rev
    decide(
        campaign,
        at=part.decided_at or at,
        actor=part.decided_by or "portal",
        kind="consent",
        inputs={"reason": part.reason} if part.reason else {},
        result=part.consent,
        tenant_id=part.tenant_id,
    )
