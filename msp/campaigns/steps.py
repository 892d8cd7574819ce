"""What every act on a campaign has in common: the lock, who may, the decision in the ledger and the audit entry."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from msp.campaigns import rules
from msp.campaigns.models import Campaign, Decision, WaveLane
from msp.campaigns.rules import Transition
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid

LONGEST_REASON = 1000


def decide(
    campaign: Campaign,
    *,
    at: datetime,
    actor: str,
    kind: str,
    inputs: Mapping[str, Any],
    result: str,
    lane: WaveLane | None = None,
    tenant_id: int | None = None,
) -> None:
    """Write a decision with its numbers into the campaign's ledger."""
    db.session.add(
        Decision(
            campaign_id=campaign.id,
            tenant_id=lane.tenant_id if lane else tenant_id,
            wave=lane.ordinal if lane else None,
            at=at,
            actor=actor,
            kind=kind,
            inputs=dict(inputs),
            result=result,
        )
    )


def lock(campaign: Campaign, transition: Transition | str) -> None:
    """Lock the row and see that its state, as it is now, allows this. Raises Conflict."""
    lock_in(campaign, rules.FROM[transition] if isinstance(transition, Transition) else {transition})


def lock_in(campaign: Campaign, states: Collection[str]) -> None:
    """Lock the row and see that it is in one of these states now. Raises Conflict."""
    db.session.refresh(campaign, with_for_update=True)
    if campaign.state not in states:
        allowed = rules.allowed_transitions(campaign.state)
        raise Conflict(_l("The campaign's state does not allow this any more."), allowed=allowed)


def reason_of(reason: str) -> str:
    """The reason in words. Raises Invalid for none, and for one of more than 1000 characters."""
    words = reason.strip()
    if not words:
        raise Invalid("reason", _l("Say why."))
    if len(words) > LONGEST_REASON:
        raise Invalid("reason", _l("Say it in at most 1000 characters."))
    return words


def author_only(campaign: Campaign, by: Actor) -> None:
    if by.id != campaign.created_by_id:
        raise Conflict(_l("Only its author can change a draft."))


def all_clients_only(campaign: Campaign, by: Actor) -> None:
    if not rules.covers(by.tenants, campaign.tenant_ids):
        raise Forbidden


def moved(
    campaign: Campaign, transition: Transition, by: Actor, at: datetime, detail: dict[str, Any]
) -> None:
    """The state after a person's act, with its decision and its audit entry."""
    before, campaign.state = campaign.state, rules.TO[transition]
    campaign.rev += 1
    decide(campaign, at=at, actor=by.name, kind=transition, inputs=detail, result=campaign.state)
    audit_campaign(
        campaign, f"campaign.{transition}", by, at, {**detail, "from": before, "to": campaign.state}
    )
    db.session.flush()


def audit_campaign(campaign: Campaign, action: str, by: Actor, at: datetime, detail: dict[str, Any]) -> None:
    object_ = f"campaign:{campaign.public_id}"
    audit.record(action, tenant_id=None, by=by, object=object_, at=at, detail=detail)
