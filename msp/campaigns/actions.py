"""What an asset's own requests do to its actions: offer, fetch, feedback, verification. Runs in the agent's scope."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from msp.campaigns import befores, doorbell, phases, proofs, rooms
from msp.campaigns.models import Action, ActionEvent, Campaign, CampaignTenant, Release, WaveLane
from msp.campaigns.phases import Report, Step
from msp.campaigns.plans import Timing
from msp.campaigns.rules import ACTIVE_LANES, LET_IN
from msp.campaigns.writes import write
from msp.windows.queries import is_frozen_everywhere
from msp.windows.rules import room_at
from tenants.assets.models import Asset, InstalledSoftware
from tenants.foundation.db import db

log = structlog.get_logger()
MOST_EVENTS = 1000
MOST_UNATTRIBUTED = 100
LONGEST_DETAIL = 500


@dataclass(frozen=True, slots=True)
class Feedback:
    """A feedback document that was understood: what it says, in which words, and when by the device's clock."""

    claimed: str
    report: Report
    details: tuple[str, ...]
    device_time: str | None
    body: dict[str, Any]

    @property
    def digest(self) -> bytes:
        """The same report is the same digest, whenever the device sends it."""
        one = self.report
        said = [one.channel, one.execution, one.finished, one.code, *self.details]
        return hashlib.sha256(json.dumps(said).encode()).digest()


def offer(asset_id: int, action_id: int, campaign_id: int, at: datetime) -> bool:
    """Offer an eligible action if, at this very moment, everything allows it; True once it is offered.

    The campaign's row is held against a pause, the asset's against a second offer; a campaign that is being
    evaluated just now is left for the next poll.
    """
    running = select(Campaign.state).where(Campaign.id == campaign_id)
    if db.session.scalar(running.with_for_update(read=True, skip_locked=True)) != "running":
        return False
    asset_state = select(Asset.state).where(Asset.id == asset_id).with_for_update()
    if db.session.scalar(asset_state) != "active":
        return False
    if not _may_begin(asset_id, action_id, at):
        return False
    try:
        with db.session.begin_nested():
            offered = write(
                update(Action)
                .where(Action.id == action_id, Action.asset_id == asset_id, Action.phase == "eligible")
                .where(Action.ready_at <= at)
                .values(phase="offered", offered_at=at, offers=Action.offers + 1, rev=Action.rev + 1)
            )
    except IntegrityError:
        return False
    return offered == 1


def may_fetch(asset_id: int, action_id: int, at: datetime) -> bool:
    """Whether an offer that nobody has fetched yet would be handed out now; the tick takes it back later if not."""
    return _may_begin(asset_id, action_id, at, holds=False)


def _may_begin(asset_id: int, action_id: int, at: datetime, *, holds: bool = True) -> bool:
    """Whether its lane is open, its client consents and the window has room, now.

    `holds`: until the offer is committed nobody may change that.
    """
    asked = (
        select(WaveLane.room, WaveLane.timing)
        .join(Action, and_(Action.tenant_id == WaveLane.tenant_id, Action.lane_id == WaveLane.id))
        .join(
            CampaignTenant,
            and_(
                CampaignTenant.tenant_id == WaveLane.tenant_id,
                CampaignTenant.campaign_id == WaveLane.campaign_id,
            ),
        )
        .where(
            Action.id == action_id,
            Action.asset_id == asset_id,
            WaveLane.state == "open",
            CampaignTenant.consent.in_(LET_IN),
        )
    )
    if holds:
        asked = asked.with_for_update(read=True, of=(WaveLane, CampaignTenant))
    lane = db.session.execute(asked).one_or_none()
    if lane is None or is_frozen_everywhere(at):
        return False
    return rooms.has_room(lane.room, at, Timing(**lane.timing).reserve_seconds)


def begin_until(action: Action, at: datetime) -> datetime | None:
    """By when the asset has to begin so that it can end inside the window; None where no window limits it."""
    lane = db.session.execute(
        select(WaveLane.room, WaveLane.timing).where(
            WaveLane.tenant_id == action.tenant_id, WaveLane.id == action.lane_id
        )
    ).one()
    reserve = timedelta(seconds=Timing(**lane.timing).reserve_seconds)
    spans = rooms.read_spans(lane.room)
    span = room_at(spans, action.offered_at or at, reserve) or room_at(spans, at, reserve)
    return None if span is None or span[1] > at + rooms.NO_LIMIT else span[1] - reserve


def downgrade_from(action: Action) -> str | None:
    """The version that a rollback brings the asset down from."""
    return db.session.scalar(
        select(CampaignTenant.downgrade_from).where(
            CampaignTenant.tenant_id == action.tenant_id, CampaignTenant.campaign_id == action.campaign_id
        )
    )


def fetch(asset_id: int, action_id: int, at: datetime) -> Action | None:
    """The action that the asset may carry out now, noted as fetched; None if there is none with this id."""
    action = find_own(asset_id, action_id)
    if action is None or action.phase not in ("offered", "running", "rebooting"):
        return None
    if action.retrieved_at is None:
        running = select(Campaign.state).where(Campaign.id == action.campaign_id)
        if db.session.scalar(running.with_for_update(read=True)) != "running":
            return None
        if not _may_begin(asset_id, action_id, at):
            return None
        fetched = (
            update(Action)
            .where(Action.id == action_id, Action.phase == "offered", Action.retrieved_at.is_(None))
            .values(retrieved_at=at, version_before=befores.version_before(action), rev=Action.rev + 1)
        )
        write(fetched)
        db.session.refresh(action)
    return action if action.phase in ("offered", "running", "rebooting") else None


def find_own(asset_id: int, action_id: int, *, lock: bool = False) -> Action | None:
    """The asset's action with this id, or None."""
    if not 0 < action_id < 2**31:
        return None
    asked = select(Action).where(Action.id == action_id, Action.asset_id == asset_id)
    return db.session.scalar(asked.with_for_update() if lock else asked)


def take_feedback(tenant_id: int, asset_id: int, action_id: int | None, said: Feedback, at: datetime) -> None:
    """Record a report and let it do what it does; well-formed feedback is never refused."""
    action = find_own(asset_id, action_id, lock=True) if action_id is not None else None
    if action is None:
        _record_unattributed(tenant_id, asset_id, said, at)
        return
    step = phases.step(action.phase, action.phase_before, said.report, deferrals=action.deferrals)
    is_terminal = phases.is_terminal(said.report) and not step.defers
    if not _record(action, said, step, is_terminal, at):
        return
    if step.accepted:
        _apply(action, said, step, at)
    elif is_terminal and said.report.finished == "failure" and action.outcome in phases.AMENDABLE:
        action.has_late_failure = True
    if is_terminal:
        db.session.flush()
        verify(action, at)
        doorbell.ring(action.campaign_id, {tenant_id})


def _record(action: Action, said: Feedback, step: Step, is_terminal: bool, at: datetime) -> bool:
    """Keep the event; False for a terminal report that is known. Beyond the limit only terminal ones are kept."""
    if action.event_count >= MOST_EVENTS and not is_terminal:
        return True
    event = insert(ActionEvent).values(
        tenant_id=action.tenant_id,
        action_id=action.id,
        asset_id=action.asset_id,
        source="device",
        channel=said.report.channel,
        execution=said.report.execution,
        finished=said.report.finished,
        code=said.report.code,
        received_at=at,
        device_time=said.device_time,
        digest=said.digest,
        is_terminal=is_terminal,
        body=said.body,
        accepted=step.accepted,
        reason=step.reason,
    )
    kept = db.session.execute(event.on_conflict_do_nothing().returning(ActionEvent.id)).scalar_one_or_none()
    if kept is not None:
        action.event_count += 1
    return kept is not None


def _record_unattributed(tenant_id: int, asset_id: int, said: Feedback, at: datetime) -> None:
    """Feedback about an action that is not the asset's: kept, up to a number a day, and told to people."""
    log.warning(
        "feedback about no action of this asset", tenant=tenant_id, asset=asset_id, said=said.claimed[:40]
    )
    lately = select(func.count()).where(
        ActionEvent.asset_id == asset_id,
        ActionEvent.action_id.is_(None),
        ActionEvent.received_at > at - timedelta(days=1),
    )
    if (db.session.scalar(lately) or 0) >= MOST_UNATTRIBUTED:
        return
    db.session.add(
        ActionEvent(
            tenant_id=tenant_id,
            action_id=None,
            asset_id=asset_id,
            source="device",
            channel=said.report.channel,
            execution=said.report.execution,
            finished=said.report.finished,
            code=said.report.code,
            received_at=at,
            device_time=said.device_time,
            digest=said.digest,
            body={**said.body, "claimed": said.claimed[:64]},
            accepted=False,
            reason="unattributed",
        )
    )


def _apply(action: Action, said: Feedback, step: Step, at: datetime) -> None:
    timing = _timing(action)
    before = action.phase
    action.phase = step.phase
    action.rev += 1
    action.sub_state = said.report.execution
    action.detail = (said.details[-1][:LONGEST_DETAIL] or None) if said.details else action.detail
    action.is_ambiguous = action.is_ambiguous or step.is_ambiguous
    action.deferrals += step.defers
    action.cannot_stop = action.cannot_stop or step.cannot_stop
    if step.starts and action.started_at is None:
        action.started_at = at
        if action.retrieved_at is None:
            action.retrieved_at, action.version_before = at, befores.version_before(action)
        action.hard_deadline_at = at + timedelta(seconds=timing.hard_seconds)
        action.boot_id_before = db.session.scalar(
            select(Asset.boot_id).where(Asset.tenant_id == action.tenant_id, Asset.id == action.asset_id)
        )
    if step.outcome is not None:
        _close(action, step.outcome, phases.reason_of(said.report), at)
    elif step.phase == "verifying" and before != "verifying":
        action.reported_at = at
        action.deadline_at = at + timedelta(seconds=timing.verify_seconds)
    elif step.phase in phases.STARTED:
        action.deadline_at = at + timedelta(seconds=timing.step_seconds)


def _timing(action: Action) -> Timing:
    asked = select(WaveLane.timing).where(
        WaveLane.tenant_id == action.tenant_id, WaveLane.id == action.lane_id
    )
    return Timing(**(db.session.scalar(asked) or {}))


def _close(action: Action, outcome: str, reason: str | None, at: datetime) -> None:
    action.phase, action.outcome, action.closed_at = "closed", outcome, at
    action.reason_code = reason
    action.deadline_at = action.hard_deadline_at = None


def verify(action: Action, at: datetime) -> None:
    """Close a reported success whose asset has told, since the start, what proves the release to be in place."""
    if action.phase != "verifying":
        return
    begun = action.started_at or action.retrieved_at or action.offered_at
    asset = db.session.execute(
        select(Asset.installed_release, Asset.facts, Asset.facts_at, Asset.boot_id, Asset.software_at).where(
            Asset.tenant_id == action.tenant_id, Asset.id == action.asset_id
        )
    ).one()
    if begun is None or asset.facts_at is None or asset.facts_at <= begun:
        return
    release = db.session.execute(
        select(Release.kind, Release.spec).where(Release.id == action.release_id)
    ).one()
    if asset.installed_release != _label(action):
        return
    if not proofs.has_rebooted(release.spec.get("reboot"), action.boot_id_before, asset.boot_id):
        return
    is_inventory_new = asset.software_at is not None and asset.software_at > begun
    if release.kind == "deb" and is_inventory_new and not _has_packages(action, release.spec["packages"]):
        return
    action.verified_at = at
    action.reboot_pending = proofs.is_reboot_pending(release.kind, asset.facts)
    _close(action, "success", None, at)


def _has_packages(action: Action, wanted: list[dict[str, Any]]) -> bool:
    kind = select(CampaignTenant.kind).where(
        CampaignTenant.tenant_id == action.tenant_id, CampaignTenant.campaign_id == action.campaign_id
    )
    rows = db.session.execute(
        select(InstalledSoftware.name, InstalledSoftware.version).where(
            InstalledSoftware.tenant_id == action.tenant_id,
            InstalledSoftware.asset_id == action.asset_id,
            InstalledSoftware.name.in_([proofs.plain_name(one["name"]) for one in wanted]),
        )
    )
    installed: dict[str, list[str]] = {}
    for name, version in rows:
        installed.setdefault(name, []).append(version)
    return proofs.has_packages(wanted, installed, exactly=db.session.scalar(kind) == "rollback")


def _label(action: Action) -> str:
    lane = db.session.execute(
        select(WaveLane.release_name, WaveLane.release_version).where(
            WaveLane.tenant_id == action.tenant_id, WaveLane.id == action.lane_id
        )
    ).one()
    return f"{lane.release_name}/{lane.release_version}"


def facts_arrived(tenant_id: int, asset_id: int, at: datetime, *, boot_before: str | None = None) -> None:
    """Look whether new facts verify what the asset reported before them.

    `boot_before` is the boot id that was known until now: another one counts as a boot of what is being rolled out.
    """
    if boot_before is not None:
        _count_boot(tenant_id, asset_id, boot_before)
    waiting = select(Action).where(Action.asset_id == asset_id, Action.phase == "verifying")
    for action in db.session.scalars(waiting.with_for_update()):
        verify(action, at)
        if action.phase == "closed":
            doorbell.ring(action.campaign_id, {tenant_id})


def _count_boot(tenant_id: int, asset_id: int, before: str) -> None:
    now = db.session.scalar(select(Asset.boot_id).where(Asset.tenant_id == tenant_id, Asset.id == asset_id))
    if now is None or now == before:
        return
    watched = select(WaveLane.campaign_id).where(
        WaveLane.tenant_id == tenant_id, WaveLane.state.in_(ACTIVE_LANES)
    )
    write(
        update(Action)
        .where(Action.tenant_id == tenant_id, Action.asset_id == asset_id, Action.is_last)
        .where(Action.campaign_id.in_(watched), Action.boot_id_before.is_not(None))
        .values(boots=Action.boots + 1, rev=Action.rev + 1)
    )


def releases_given(asset_id: int) -> list[int]:
    """The releases that the asset has fetched, the last one first."""
    fetched = select(Action.release_id).where(Action.asset_id == asset_id, Action.retrieved_at.is_not(None))
    return list(dict.fromkeys(db.session.scalars(fetched.order_by(Action.id.desc()).limit(20))))


def take_noop(action: Action, said: Feedback, at: datetime) -> None:
    """The asset says that it holds the release already: so it does, if its facts name it, else that is a claim."""
    installed = db.session.scalar(select(Asset.installed_release).where(Asset.id == action.asset_id))
    if action.phase != "offered" or installed != _label(action):
        take_feedback(action.tenant_id, action.asset_id, action.id, said, at)
        return
    step = Step("closed", "noop")
    if _record(action, said, step, True, at):
        action.rev += 1
        _close(action, "noop", None, at)
        doorbell.ring(action.campaign_id, {action.tenant_id})


def note_reboot(action: Action) -> None:
    """The asset starts again on its way; what it tells afterwards goes on from there."""
    if action.phase == "running":
        action.phase = "rebooting"
        action.rev += 1


def keep_log(action: Action, lines: list[str], at: datetime) -> None:
    """Keep a device's own log beside the action's events; it changes nothing."""
    if action.event_count >= MOST_EVENTS:
        return
    digest = hashlib.sha256(json.dumps(["log", *lines]).encode()).digest()
    action.event_count += 1
    db.session.add(
        ActionEvent(
            tenant_id=action.tenant_id,
            action_id=action.id,
            asset_id=action.asset_id,
            source="device",
            channel="log",
            received_at=at,
            digest=digest,
            body={"details": lines},
        )
    )
