"""Putting a campaign together: release, assets, waves, and the plan that is frozen when it is submitted."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, and_, cast, column, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from msp.campaigns import plans
from msp.campaigns.capabilities import can_take
from msp.campaigns.gates import Gate, GlobalRule
from msp.campaigns.models import Campaign, CampaignMember, CampaignTenant, Release, Wave, WaveLane
from msp.campaigns.pacing import Limits
from msp.campaigns.plans import Member, Timing, UnfitPlan
from msp.campaigns.releases import artifacts_of, find_release_by_id
from msp.campaigns.rules import Transition
from msp.campaigns.steps import audit_campaign, author_only, lock, moved
from msp.campaigns.writes import write
from tenants.assets.models import Asset, InstalledSoftware
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden, Invalid
from tenants.foundation.scope import narrowed
from tenants.tenancy.models import Tenant

DEFAULT_PERCENTS = (5, 25, 100)


def draft_campaign(*, title: str, release: Release, by: Actor, at: datetime) -> Campaign:
    """Begin a campaign that rolls out a release. Raises Invalid, Forbidden for anything but a person."""
    if by.id is None:
        raise Forbidden
    return _draft(title, release, by, at)


def propose_campaign(
    *, title: str, release: Release, assets: Collection[Any], by: Actor, at: datetime
) -> Campaign:
    """The portal itself puts a campaign for these assets (public ids) before a person, submitted; it starts nothing.

    Raises Forbidden for people and agents, Invalid when no asset fits.
    """
    if by.kind is not ActorKind.SYSTEM:
        raise Forbidden
    campaign = _draft(title, release, by, at)
    add_assets(campaign, by=by, assets=assets)
    submit_campaign(campaign, by=by, at=at)
    return campaign


def _draft(title: str, release: Release, by: Actor, at: datetime) -> Campaign:
    words = " ".join(title.split())
    if not 1 <= len(words) <= 120:
        raise Invalid("title", _l("Give the campaign a title of at most 120 characters."))
    campaign = Campaign(
        title=words, release_id=release.id, created_by=by.name, created_by_id=by.id, created_at=at
    )
    db.session.add(campaign)
    db.session.flush()
    audit_campaign(campaign, "campaign.draft", by, at, {"title": words, "release": release.label})
    return campaign


def add_assets(
    campaign: Campaign,
    *,
    by: Actor,
    tenants: Collection[int] = (),
    kind: str = "",
    tag: str = "",
    software: str = "",
    version: str = "",
    assets: Collection[Any] = (),
) -> int:
    """Add active assets with an agent to a draft: of whole tenants, narrowed by what is given, or by public id.

    `software` is a package's name, `version` the beginning of its version.

    Returns how many were new. Raises Conflict, Forbidden; Invalid when nothing fits.
    """
    lock(campaign, "draft")
    author_only(campaign, by)
    chosen = _eligible().add_columns(cast(campaign.id, BigInteger))
    if software:
        chosen = chosen.where(_has_software(software, version))
    if assets:
        chosen = chosen.where(Asset.public_id.in_(list(assets)))
    else:
        chosen = chosen.where(Asset.tenant_id.in_(sorted(set(tenants) & narrowed())))
    if kind:
        chosen = chosen.where(Asset.kind == kind)
    if tag:
        chosen = chosen.where(Asset.tags.contains([tag]))
    asked = insert(CampaignMember).from_select(["tenant_id", "asset_id", "campaign_id"], chosen)
    return write(asked.on_conflict_do_nothing())


def _eligible() -> Any:
    """Assets that can take part: active, with an agent, and in scope also where the guard does not look."""
    return select(Asset.tenant_id, Asset.id).where(
        Asset.tenant_id.in_(sorted(narrowed())), Asset.state == "active", Asset.controller_id.is_not(None)
    )


def _has_software(name: str, version: str) -> Any:
    found = select(InstalledSoftware.id).where(
        InstalledSoftware.tenant_id == Asset.tenant_id,
        InstalledSoftware.asset_id == Asset.id,
        InstalledSoftware.name == name,
    )
    if version:
        found = found.where(InstalledSoftware.version.startswith(version, autoescape=True))
    return found.correlate(Asset).exists()


def remove_assets(campaign: Campaign, *, by: Actor, tenants: Collection[int]) -> int:
    """Take a draft's assets of these tenants out again; returns how many."""
    lock(campaign, "draft")
    author_only(campaign, by)
    return write(
        delete(CampaignMember).where(
            CampaignMember.campaign_id == campaign.id, CampaignMember.tenant_id.in_(list(tenants))
        )
    )


def wish(
    campaign: Campaign,
    *,
    by: Actor,
    percents: Sequence[int] = DEFAULT_PERCENTS,
    gates: Sequence[Gate] = (),
    timing: Timing | None = None,
    rule: GlobalRule | None = None,
    limits: Limits | None = None,
) -> None:
    """Set a draft's waves (cumulative percentages), gates, times, limits and the overall rule. Raises Invalid."""
    lock(campaign, "draft")
    author_only(campaign, by)
    try:
        plans.wave_sizes(100, percents)
    except UnfitPlan as unfit:
        raise Invalid("percents", _unfit(unfit)) from unfit
    # What a rollback undoes is no wish: it stays whatever the waves become.
    fixed = {name: campaign.wishes[name] for name in ("downgrade_from",) if name in campaign.wishes}
    campaign.wishes = fixed | {
        "percents": list(percents),
        "gates": [gate.stored() for gate in gates] or [Gate().stored()],
        "timing": asdict(timing or Timing()),
        "stop": asdict(rule or GlobalRule()),
        "limits": asdict(limits or Limits()),
    }
    db.session.flush()


def submit_campaign(campaign: Campaign, *, by: Actor, at: datetime) -> None:
    """Freeze the plan, hash it and put it before a second person. Raises Conflict, Forbidden, Invalid."""
    lock(campaign, Transition.SUBMIT)
    author_only(campaign, by)
    release = find_release_by_id(campaign.release_id)
    if release.withdrawn_at is not None:
        raise Invalid("release", _l("This release was withdrawn."))
    waves = _build_waves(campaign, release)
    campaign.plan_version += 1
    campaign.plan = plans.freeze(
        release=_release_in_plan(release),
        waves=waves,
        timing=Timing(**campaign.wishes.get("timing", {})),
        rule=GlobalRule(**campaign.wishes.get("stop", {})),
        limits=Limits(**campaign.wishes.get("limits", {})),
        version=campaign.plan_version,
    )
    campaign.plan_sha256 = plans.plan_hash(campaign.plan)
    campaign.tenant_ids = sorted({member.tenant_id for wave in waves for member in wave.members})
    campaign.submitted_at = at
    _put_waves(campaign, waves)
    _put_parts(campaign, release, waves)
    _put_lanes(campaign, release, at)
    sizes = [len(wave.members) for wave in waves]
    left_out = _count_members(campaign) - sum(sizes)
    inputs = {"plan": campaign.plan_sha256, "waves": sizes} | ({"left_out": left_out} if left_out else {})
    moved(campaign, Transition.SUBMIT, by, at, inputs)


def _count_members(campaign: Campaign) -> int:
    chosen = select(func.count()).where(CampaignMember.campaign_id == campaign.id)
    return db.session.scalar(chosen) or 0


def _build_waves(campaign: Campaign, release: Release) -> list[plans.PlannedWave]:
    rows = db.session.execute(
        select(CampaignMember.tenant_id, CampaignMember.asset_id, Asset.capabilities)
        .join(Asset, and_(Asset.tenant_id == CampaignMember.tenant_id, Asset.id == CampaignMember.asset_id))
        .where(
            CampaignMember.campaign_id == campaign.id,
            Asset.state == "active",
            Asset.controller_id.is_not(None),
            *_on_platform(release),
        )
    )
    names = [one.filename for one in artifacts_of(release.id)]
    members = [
        Member(tenant_id, asset_id)
        for tenant_id, asset_id, capabilities in rows
        if can_take(capabilities, release.kind, names)
    ]
    own = db.session.scalars(select(Tenant.id).where(Tenant.kind == "own")).all()
    ordered = plans.order_members(members, own_tenants=own, seed=str(campaign.public_id))
    percents = campaign.wishes.get("percents", DEFAULT_PERCENTS) if len(members) > 1 else (100,)
    gates = [Gate.of(stored) for stored in campaign.wishes.get("gates", ())] or [Gate()]
    try:
        return plans.build_waves(ordered, percents, gates)
    except UnfitPlan as unfit:
        field = "assets" if str(unfit) == "empty" else "percents"
        raise Invalid(field, _unfit(unfit)) from unfit


def _on_platform(release: Release) -> list[Any]:
    """What an asset has told about itself has to fit; one that has told nothing does not."""
    wanted = release.platform
    facts = {"os_id": wanted.get("systems"), "architecture": wanted.get("architectures")}
    return [Asset.facts[name].astext.in_(list(values)) for name, values in facts.items() if values]


def _unfit(unfit: UnfitPlan) -> Any:
    return {
        "empty": _l("Add at least one active asset with an agent."),
        "percents": _l("Waves are rising percentages that end with 100, such as 5, 25, 100."),
        "too many waves": _l("A campaign has at most 10 waves."),
        "one wave": _l("With more than one asset there are at least two waves."),
    }[str(unfit)]


def _release_in_plan(release: Release) -> dict[str, Any]:
    return {
        "id": release.id,
        "name": release.name,
        "version": release.version,
        "kind": release.kind,
        "severity": release.severity,
        "target_path": release.target_path,
        "spec": release.spec,
        "platform": release.platform,
        "checks_before": release.checks_before,
        "checks_after": release.checks_after,
        "files": {one.filename: one.sha256 for one in artifacts_of(release.id)},
    }


def _put_waves(campaign: Campaign, waves: Sequence[plans.PlannedWave]) -> None:
    for ordinal, wave in enumerate(waves, 1):
        db.session.add(
            Wave(
                campaign_id=campaign.id,
                ordinal=ordinal,
                name=wave.name,
                size=len(wave.members),
                gate=wave.gate.stored(),
            )
        )
        _put_members(campaign, ordinal, wave.members)
    db.session.flush()


def _put_members(campaign: Campaign, ordinal: int, members: Sequence[Member]) -> None:
    pairs = [
        cast([getattr(one, name) for one in members], ARRAY(BigInteger)) for name in ("tenant_id", "asset_id")
    ]
    columns = (column("tenant_id", BigInteger), column("asset_id", BigInteger))
    given = func.unnest(*pairs).table_valued(*columns, name="given").render_derived()
    write(
        update(CampaignMember)
        .where(
            CampaignMember.campaign_id == campaign.id,
            CampaignMember.tenant_id == given.c.tenant_id,
            CampaignMember.asset_id == given.c.asset_id,
        )
        .values(wave=ordinal)
    )


def _put_parts(campaign: Campaign, release: Release, waves: Sequence[plans.PlannedWave]) -> None:
    """A row per client, with what it may know; the provider's own machines need nobody's consent."""
    own = set(db.session.scalars(select(Tenant.id).where(Tenant.kind == "own")))
    counts = Counter(member.tenant_id for wave in waves for member in wave.members)
    for tenant_id, count in sorted(counts.items()):
        db.session.add(
            CampaignTenant(
                tenant_id=tenant_id,
                campaign_id=campaign.id,
                title=campaign.title,
                kind=campaign.kind,
                release_kind=release.kind,
                release_name=release.name,
                release_version=release.version,
                severity=release.severity,
                references=release.references,
                notes=release.notes,
                asset_count=count,
                consent="not_needed" if tenant_id in own else "asked",
                downgrade_from=campaign.wishes.get("downgrade_from"),
            )
        )
    db.session.flush()


def _put_lanes(campaign: Campaign, release: Release, at: datetime) -> None:
    waves = {
        wave.ordinal: wave for wave in db.session.scalars(select(Wave).where(Wave.campaign_id == campaign.id))
    }
    grouped = (
        select(CampaignMember.tenant_id, CampaignMember.wave, func.count())
        .where(CampaignMember.campaign_id == campaign.id, CampaignMember.wave.is_not(None))
        .group_by(CampaignMember.tenant_id, CampaignMember.wave)
    )
    for tenant_id, ordinal, count in db.session.execute(grouped).all():
        wave = waves[ordinal or 0]
        db.session.add(
            WaveLane(
                tenant_id=tenant_id,
                campaign_id=campaign.id,
                wave_id=wave.id,
                ordinal=wave.ordinal,
                title=campaign.title,
                release_name=release.name,
                release_version=release.version,
                planned_at=at,
                member_count=count,
                timing=(campaign.plan or {})["timing"],
            )
        )
    db.session.flush()
