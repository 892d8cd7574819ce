"""What people decide about a campaign, from the approval to its end. The tick in `evaluation.py` does the rest."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import update

from msp.campaigns import plans, rules
from msp.campaigns.again import draft_rollback, retry_actions
from msp.campaigns.asking import REMIND_BEFORE
from msp.campaigns.doorbell import ask_evaluation
from msp.campaigns.drafts import add_assets, draft_campaign, remove_assets, submit_campaign, wish
from msp.campaigns.events import ClientAsked
from msp.campaigns.gates import Gate
from msp.campaigns.models import Action, Campaign, WaveLane
from msp.campaigns.queries import list_parts, list_waves
from msp.campaigns.releases import find_release_by_id
from msp.campaigns.rules import Transition
from msp.campaigns.steps import (
    LONGEST_REASON,
    all_clients_only,
    audit_campaign,
    author_only,
    decide,
    lock,
    moved,
    reason_of,
)
from msp.campaigns.writes import write
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.foundation.events import record

__all__ = [
    "abort_campaign",
    "add_assets",
    "approve_campaign",
    "decide",
    "draft_campaign",
    "draft_rollback",
    "pause_campaign",
    "reject_campaign",
    "remove_assets",
    "resume_campaign",
    "retry_actions",
    "start_campaign",
    "submit_campaign",
    "wish",
    "withdraw_campaign",
]


def withdraw_campaign(campaign: Campaign, *, by: Actor, at: datetime) -> None:
    """The author takes a draft or a submission back."""
    lock(campaign, Transition.WITHDRAW)
    author_only(campaign, by)
    campaign.ended_at = at
    moved(campaign, Transition.WITHDRAW, by, at, {})


def approve_campaign(campaign: Campaign, *, seen: str, by: Actor, at: datetime) -> None:
    """A second person approves exactly the plan with the hash they saw. Raises Conflict, Forbidden."""
    lock(campaign, Transition.APPROVE)
    _second_person_only(campaign, by)
    if seen != campaign.plan_sha256 or plans.plan_hash(campaign.plan or {}) != campaign.plan_sha256:
        raise Conflict(_l("The plan is not the one that you saw. Look at it again."))
    _decide(campaign, by, at)
    _ask_clients(campaign, by, at)
    moved(campaign, Transition.APPROVE, by, at, {"plan": seen})
    ask_evaluation(campaign, at=at + rules.APPROVAL_HOLDS - REMIND_BEFORE)


def _ask_clients(campaign: Campaign, by: Actor, at: datetime) -> None:
    """From now on each client sees what is planned for it, and is asked whether it may come."""
    for part in list_parts(campaign.id):
        part.asked_at = at
        if part.consent == "asked":
            record(ClientAsked(tenant_id=part.tenant_id, at=at, by=by, part_id=part.id))
    db.session.flush()


def reject_campaign(campaign: Campaign, *, reason: str, by: Actor, at: datetime) -> None:
    """A second person refuses the plan and says why."""
    lock(campaign, Transition.REJECT)
    _second_person_only(campaign, by)
    words = reason_of(reason)
    _decide(campaign, by, at)
    campaign.ended_at = at
    moved(campaign, Transition.REJECT, by, at, {"reason": words})


def _second_person_only(campaign: Campaign, by: Actor) -> None:
    if not rules.may_decide(author_id=campaign.created_by_id, person_id=by.id):
        raise Conflict(_l("Another person than the author has to decide."))
    all_clients_only(campaign, by)


def _decide(campaign: Campaign, by: Actor, at: datetime) -> None:
    campaign.decided_by, campaign.decided_by_id, campaign.decided_at = by.name, by.id, at


def start_campaign(campaign: Campaign, *, by: Actor, at: datetime, start_at: datetime | None = None) -> None:
    """Schedule an approved campaign, for now unless a later moment is given."""
    lock(campaign, Transition.START)
    all_clients_only(campaign, by)
    if find_release_by_id(campaign.release_id).withdrawn_at is not None:
        raise Conflict(_l("This release was withdrawn."))
    if not any(part.lets_in for part in list_parts(campaign.id)):
        words = _l("No client has consented yet. The campaign can start once one has.")
        raise Conflict(words, field="start_at")
    campaign.start_at = max(at, start_at or at)
    _announce(campaign)
    moved(campaign, Transition.START, by, at, {"start_at": campaign.start_at.isoformat()})
    ask_evaluation(campaign, at=campaign.start_at)


def _announce(campaign: Campaign) -> None:
    """From now on the clients see what is planned for them, and when it begins."""
    write(
        update(WaveLane)
        .where(WaveLane.campaign_id == campaign.id, WaveLane.state == "planned")
        .values(state="waiting", planned_at=campaign.start_at, rev=WaveLane.rev + 1)
    )
    seconds = plans.timing_of(campaign.plan or {}).campaign_seconds
    for part in list_parts(campaign.id):
        part.begins_at = campaign.start_at
        part.deadline_at = (campaign.start_at or part.asked_at or campaign.created_at) + timedelta(
            seconds=seconds
        )


def pause_campaign(campaign: Campaign, *, reason: str, by: Actor, at: datetime) -> None:
    """Offer nothing new from the commit of this on. Every staff member may, whatever tenants they are granted."""
    lock(campaign, Transition.PAUSE)
    campaign.pause_cause, campaign.pause_reason = "operator", reason.strip()[:LONGEST_REASON] or None
    moved(campaign, Transition.PAUSE, by, at, {"reason": campaign.pause_reason})
    ask_evaluation(campaign, at=at)


def resume_campaign(campaign: Campaign, *, reason: str, by: Actor, at: datetime) -> bool:
    """Let a paused campaign go on; lanes that failed or could not decide are waived.

    After an automatic stop for failures the first person only asks, and another one does it. True once it runs.
    """
    lock(campaign, Transition.RESUME)
    all_clients_only(campaign, by)
    words = reason_of(reason)
    if rules.needs_second_person(campaign.pause_cause) and campaign.resume_asked_by_id in (None, by.id):
        _ask_resume(campaign, words, by, at)
        return False
    detail = {"reason": words, "cause": campaign.pause_cause, "asked_by": campaign.resume_asked_by}
    _waive_lanes(campaign, at)
    _renew_deadlines(campaign, at)
    campaign.pause_cause = campaign.pause_reason = None
    campaign.resume_asked_by = campaign.resume_asked_by_id = campaign.resume_reason = None
    moved(campaign, Transition.RESUME, by, at, detail)
    ask_evaluation(campaign, at=at)
    return True


def _ask_resume(campaign: Campaign, words: str, by: Actor, at: datetime) -> None:
    campaign.resume_asked_by, campaign.resume_asked_by_id, campaign.resume_reason = by.name, by.id, words
    decide(
        campaign, at=at, actor=by.name, kind="resume", inputs={"reason": words}, result="second person needed"
    )
    audit_campaign(campaign, "campaign.ask_resume", by, at, {"reason": words})


def _waive_lanes(campaign: Campaign, at: datetime) -> None:
    write(
        update(WaveLane)
        .where(
            WaveLane.campaign_id == campaign.id,
            WaveLane.state.in_(("failed", "inconclusive")),
        )
        .values(state="open", reason="waived", is_waived=True, ended_at=None, rev=WaveLane.rev + 1)
    )
    # Waves in which nobody took part, and what piled up over all lanes, were looked at too.
    write(
        update(WaveLane)
        .where(
            WaveLane.campaign_id == campaign.id, WaveLane.state == "skipped", WaveLane.opened_at.is_not(None)
        )
        .values(is_waived=True)
    )
    write(
        update(WaveLane)
        .where(WaveLane.campaign_id == campaign.id, WaveLane.state == "passed")
        .values(is_waived=True)
    )


def _renew_deadlines(campaign: Campaign, at: datetime) -> None:
    """Time spent standing still counts neither against assets that were offered nothing nor against their lanes."""
    seconds = plans.timing_of(campaign.plan or {}).start_seconds
    write(
        update(Action)
        .where(Action.campaign_id == campaign.id, Action.phase == "eligible")
        .values(deadline_at=at + timedelta(seconds=seconds))
    )
    for wave in list_waves(campaign.id):
        write(
            update(WaveLane)
            .where(WaveLane.wave_id == wave.id, WaveLane.state.in_(rules.ACTIVE_LANES))
            .values(deadline_at=at + timedelta(seconds=Gate.of(wave.gate).lane_seconds))
        )


def abort_campaign(campaign: Campaign, *, reason: str, by: Actor, at: datetime) -> None:
    """End a campaign for good: nothing more is offered, what runs is asked to stop."""
    lock(campaign, Transition.ABORT)
    all_clients_only(campaign, by)
    words = reason_of(reason)
    campaign.pause_cause = campaign.pause_reason = None
    moved(campaign, Transition.ABORT, by, at, {"reason": words})
    ask_evaluation(campaign, at=at)
