"""What a client's administrator says to a campaign at their company: it opens or closes their lanes, nothing else."""

import uuid
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from msp.campaigns.doorbell import ring
from msp.campaigns.models import CampaignTenant
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound

LONGEST_REASON = 1000
LONGEST_WAIT = timedelta(days=90)


def find_part(public_id: str) -> CampaignTenant:
    """A client's part in a campaign that it was asked about. Raises NotFound."""
    try:
        key = uuid.UUID(public_id)
    except ValueError as wrong:
        raise NotFound from wrong
    asked = select(CampaignTenant).where(
        CampaignTenant.public_id == key, CampaignTenant.asked_at.is_not(None)
    )
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def consent(part: CampaignTenant, *, by: Actor, at: datetime) -> None:
    """Let the campaign in, from now on and inside the client's windows. Raises Conflict."""
    _decide(part, "consented", by, at, reason="")


def postpone(part: CampaignTenant, *, until: datetime, reason: str, by: Actor, at: datetime) -> None:
    """Not now: nothing more begins, and the client is asked again at that time. Raises Conflict, Invalid."""
    if not at < until <= at + LONGEST_WAIT:
        raise Invalid("until", _l("Choose a day within the next 90 days."))
    _decide(part, "postponed", by, at, reason=reason, until=until)


def decline(part: CampaignTenant, *, reason: str, by: Actor, at: datetime) -> None:
    """Keep the campaign out for good. Raises Conflict, Invalid."""
    if not reason.strip():
        raise Invalid("reason", _l("Say why."))
    _decide(part, "declined", by, at, reason=reason)


def _decide(
    part: CampaignTenant,
    consent_: str,
    by: Actor,
    at: datetime,
    *,
    reason: str,
    until: datetime | None = None,
) -> None:
    words = reason.strip()
    if len(words) > LONGEST_REASON:
        raise Invalid("reason", _l("Say it in at most 1000 characters."))
    db.session.refresh(part, with_for_update=True)
    if part.ended_at is not None or part.consent in ("declined", "not_needed"):
        raise Conflict(_l("There is nothing to decide about this maintenance any more."))
    before, part.consent = part.consent, consent_
    part.decided_by, part.decided_by_id, part.decided_at = by.name, by.id, at
    part.reason, part.postponed_until = words or None, until
    part.rev += 1
    detail = {"title": part.title, "from": before, "to": consent_, "reason": words}
    if until is not None:
        detail["until"] = until.isoformat()
    object_ = f"campaign_part:{part.public_id}"
    audit.record(
        f"campaign.{consent_}", tenant_id=part.tenant_id, by=by, object=object_, at=at, detail=detail
    )
    db.session.flush()
    ring(part.campaign_id, {part.tenant_id})
