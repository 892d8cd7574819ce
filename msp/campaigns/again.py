"""What people do about machines that ended badly: try once more, or bring them back to an earlier version."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, cast, or_, select
from sqlalchemy.dialects.postgresql import insert

from msp.campaigns import attempts, plans, rooms, rules
from msp.campaigns.doorbell import ask_evaluation
from msp.campaigns.models import Action, Campaign, CampaignMember, Release
from msp.campaigns.pacing import Limits
from msp.campaigns.queries import list_lanes
from msp.campaigns.releases import downgrade_grant, find_release_by_id
from msp.campaigns.steps import all_clients_only, audit_campaign, decide, lock_in, reason_of
from msp.campaigns.writes import write
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.foundation.scope import narrowed

ROLLBACK_FROM = frozenset({"running", "paused", "aborted", "completed", "completed_with_failures"})
# Going back is the safe direction: fewer waves and a short soak, under the same gates.
ROLLBACK_PERCENTS = (5, 100)
ROLLBACK_SOAK = 60


def retry_actions(
    campaign: Campaign, *, reason: str, by: Actor, at: datetime, chosen: Collection[int] | None = None
) -> int:
    """Let every machine that ended badly in a lane that is not over try once more; returns how many.

    `chosen`: ids of the actions that are meant; one that ended well or counts no more is refused with all of them.
    Raises Conflict, Forbidden, Invalid.
    """
    lock_in(campaign, rules.RETRY_FROM)
    all_clients_only(campaign, by)
    words = reason_of(reason)
    timing = plans.timing_of(campaign.plan or {})
    deadlines = {
        lane.id: rooms.deadline_in(lane, at + timedelta(seconds=timing.start_seconds))
        for lane in list_lanes(campaign.id)
        if lane.opened_at is not None and lane.state not in ("passed", "skipped")
    }
    count = attempts.retry_by_hand(campaign.id, deadlines, at, chosen=chosen) if deadlines else 0
    if chosen is not None and count != len(set(chosen)):
        raise Invalid("actions", _l("Choose actions that ended badly, in waves that are not over."))
    if not count:
        raise Conflict(_l("There is no machine to try again in a wave that is not over."))
    inputs = {"reason": words, "actions": count}
    decide(campaign, at=at, actor=by.name, kind="retry", inputs=inputs, result="retried")
    audit_campaign(campaign, "campaign.retry", by, at, inputs)
    ask_evaluation(campaign, at=at)
    return count


def draft_rollback(campaign: Campaign, *, release: Release, by: Actor, at: datetime) -> Campaign:
    """A new campaign that brings the machines that this one touched to an earlier version of the same release.

    It passes the same submission, approval, consent and gates. Raises Conflict, Forbidden, Invalid.
    """
    if by.id is None:
        raise Forbidden
    if campaign.state not in ROLLBACK_FROM or campaign.kind != "rollout":
        raise Conflict(_l("Only a campaign that has begun can be rolled back, and a rollback cannot."))
    all_clients_only(campaign, by)
    replaced = find_release_by_id(campaign.release_id)
    if release.name != replaced.name or release.id == replaced.id or release.withdrawn_at is not None:
        raise Invalid("release", _l("Choose another version of the same release that was not withdrawn."))
    back = Campaign(
        kind="rollback",
        rollback_of_id=campaign.id,
        title=_title(campaign.title),
        release_id=release.id,
        created_by=by.name,
        created_by_id=by.id,
        created_at=at,
        wishes=_wishes(campaign, replaced),
    )
    db.session.add(back)
    db.session.flush()
    _add_touched(campaign, back)
    detail = {"title": back.title, "release": release.label, "rollback_of": str(campaign.public_id)}
    audit_campaign(back, "campaign.draft", by, at, detail)
    return back


def _title(title: str) -> str:
    return f"↩ {title}"[:120]


def _wishes(campaign: Campaign, replaced: Release) -> dict[str, object]:
    wished = dict(campaign.wishes)
    gates = [{**gate, "soak_seconds": min(gate["soak_seconds"], ROLLBACK_SOAK)} for gate in wished["gates"]]
    return {
        **wished,
        "percents": list(ROLLBACK_PERCENTS),
        "gates": gates,
        "limits": asdict(Limits()),
        "downgrade_from": downgrade_grant(replaced),
    }


def _add_touched(campaign: Campaign, back: Campaign) -> None:
    """Machines that fetched the release: what they hold now may be it, or half of it."""
    touched = (
        select(Action.tenant_id, Action.asset_id, cast(back.id, BigInteger))
        .where(
            Action.campaign_id == campaign.id,
            among(Action.tenant_id, narrowed()),
            or_(Action.retrieved_at.is_not(None), Action.started_at.is_not(None)),
        )
        .distinct()
    )
    columns = ["tenant_id", "asset_id", "campaign_id"]
    write(insert(CampaignMember).from_select(columns, touched).on_conflict_do_nothing())


def earlier_releases(release: Release) -> list[Release]:
    """Other versions of the same release that can be rolled back to, the newest first."""
    same = select(Release).where(
        Release.name == release.name, Release.id != release.id, Release.withdrawn_at.is_(None)
    )
    return list(db.session.scalars(same.order_by(Release.id.desc())))
