"""Taking a release back: what runs with it stands still until people have looked."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from msp.campaigns.models import Campaign, Release
from msp.campaigns.services import pause_campaign
from msp.campaigns.steps import reason_of
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict


def withdraw_release(release: Release, *, reason: str, by: Actor, at: datetime) -> int:
    """Let nothing more be installed from it; running campaigns are paused, and counted. Raises Conflict, Invalid."""
    db.session.refresh(release, with_for_update=True)
    if release.withdrawn_at is not None:
        raise Conflict(_l("This release was withdrawn already."))
    words = reason_of(reason)
    release.withdrawn_at, release.withdrawn_by, release.withdrawn_reason = at, by.name, words
    paused = 0
    running = select(Campaign).where(Campaign.release_id == release.id, Campaign.state == "running")
    for campaign in db.session.scalars(running.order_by(Campaign.id)):
        pause_campaign(campaign, reason=words, by=by, at=at)
        paused += 1
    audit.record(
        "release.withdraw",
        tenant_id=None,
        by=by,
        object=f"release:{release.public_id}",
        at=at,
        detail={"release": release.label, "reason": words, "campaigns": paused},
    )
    db.session.flush()
    return paused
