"""Which releases fit a policy, and which assets do not have them yet."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from msp.campaigns.models import Action, Campaign, Release
from msp.campaigns.rules import ENDED, SEVERITIES
from msp.upkeep.models import PatchPolicy, PatchProposal
from msp.upkeep.rules import grave_enough
from msp.upkeep.versions import Version
from tenants.assets.models import Asset, InstalledSoftware
from tenants.foundation.db import among, db

HAS_IT = ("success", "noop")


def list_fitting(policy: PatchPolicy, at: datetime) -> list[Release]:
    """Releases that are grave and old enough, the newest of each name; none on which people have yet to decide.

    What a person rejected is not proposed again by the same policy.
    """
    born = func.coalesce(Release.published_at, Release.created_at)
    fitting = select(Release).where(
        Release.withdrawn_at.is_(None),
        Release.severity.in_(grave_enough(SEVERITIES, policy.severity)),
        born <= at - timedelta(days=policy.least_age_days),
    )
    newest: dict[str, Release] = {}
    for release in db.session.scalars(fitting.order_by(Release.id)):
        newest[release.name] = release
    settled = _undecided(policy)
    return [release for release in newest.values() if release.id not in settled]


def _undecided(policy: PatchPolicy) -> set[int]:
    """Releases whose campaign of this policy is still under way, or was rejected."""
    mine = (
        select(PatchProposal.release_id)
        .join(Campaign, Campaign.id == PatchProposal.campaign_id)
        .where(
            PatchProposal.policy_id == policy.id,
            or_(Campaign.state.not_in(sorted(ENDED)), Campaign.state == "rejected"),
        )
    )
    return set(db.session.scalars(mine))


def list_needing(policy: PatchPolicy, release: Release, tenant_ids: Sequence[int]) -> list[Any]:
    """Public ids of the policy's assets, of these clients, that do not have the release or a later one."""
    chosen = _selected(policy, tenant_ids).where(
        ~_installed_by_us(release),
        or_(
            Asset.installed_release.is_(None),
            Asset.installed_release.not_in(_labels_from(release)),
        ),
    )
    rows = db.session.execute(chosen.order_by(Asset.tenant_id, Asset.id)).all()
    if release.kind == "deb":
        lacking = _lacking_packages(policy, release, tenant_ids)
        rows = [row for row in rows if (row.tenant_id, row.id) in lacking]
    return [row.public_id for row in rows]


def _selected(policy: PatchPolicy, tenant_ids: Sequence[int]) -> Any:
    """The assets that a policy is about: active, with an agent, of its kind and with its tag."""
    chosen = select(Asset.tenant_id, Asset.id, Asset.public_id).where(
        among(Asset.tenant_id, tenant_ids), Asset.state == "active", Asset.controller_id.is_not(None)
    )
    if policy.asset_kind:
        chosen = chosen.where(Asset.kind == policy.asset_kind)
    if policy.tag:
        chosen = chosen.where(Asset.tags.contains([policy.tag]))
    return chosen


def _later(release: Release) -> Any:
    """This release and those of the same name that were added after it."""
    return and_(Release.name == release.name, Release.id >= release.id)


def _installed_by_us(release: Release) -> Any:
    done = select(Action.id).where(
        Action.tenant_id == Asset.tenant_id,
        Action.asset_id == Asset.id,
        Action.is_last,
        Action.outcome.in_(HAS_IT),
        Action.release_id.in_(select(Release.id).where(_later(release)).scalar_subquery()),
    )
    return done.correlate(Asset).exists()


def _labels_from(release: Release) -> list[str]:
    return [one.label for one in db.session.scalars(select(Release).where(_later(release)))]


def _lacking_packages(
    policy: PatchPolicy, release: Release, tenant_ids: Sequence[int]
) -> set[tuple[int, int]]:
    """Assets on which one of the release's packages is installed in an older version."""
    wanted = {one["name"]: Version(one["version"]) for one in release.spec.get("packages", ())}
    chosen = _selected(policy, tenant_ids).subquery()
    installed = (
        select(
            InstalledSoftware.tenant_id,
            InstalledSoftware.asset_id,
            InstalledSoftware.name,
            InstalledSoftware.version,
        )
        .join(
            chosen,
            and_(
                chosen.c.tenant_id == InstalledSoftware.tenant_id,
                chosen.c.id == InstalledSoftware.asset_id,
            ),
        )
        .where(
            among(InstalledSoftware.tenant_id, tenant_ids),
            InstalledSoftware.name.in_(sorted(wanted)),
        )
    )
    found: dict[tuple[int, int], bool] = defaultdict(bool)
    for tenant_id, asset_id, name, version in db.session.execute(installed):
        found[tenant_id, asset_id] |= Version(version) < wanted[name]
    return {place for place, lacks in found.items() if lacks}
