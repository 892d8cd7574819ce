"""What an asset held before a release was brought to it: for people who look at an outcome, or bring it back."""

from sqlalchemy import func, select

from msp.campaigns.models import Action, Release, WaveLane
from msp.campaigns.proofs import plain_name
from tenants.assets.models import Asset, InstalledSoftware
from tenants.foundation.db import among, db
from tenants.foundation.scope import narrowed

LONGEST = 200


def version_before(action: Action) -> str | None:
    """The version of the same release that the asset told of last, before the first attempt; None if it never told.

    Of packages it is theirs: the version of a single one, else each with its name.
    """
    if action.version_before is not None:
        return action.version_before
    release = db.session.execute(
        select(Release.kind, Release.spec).where(Release.id == action.release_id)
    ).one()
    if release.kind == "deb":
        return _of_packages(action, [plain_name(one["name"]) for one in release.spec["packages"]])
    return _of_label(action)


def _of_label(action: Action) -> str | None:
    row = db.session.execute(
        select(Asset.installed_release, WaveLane.release_name)
        .join(WaveLane, WaveLane.tenant_id == Asset.tenant_id)
        .where(
            Asset.tenant_id == action.tenant_id, Asset.id == action.asset_id, WaveLane.id == action.lane_id
        )
    ).one()
    for label in (row.installed_release or "").split(","):
        name, _, version = label.rpartition("/")
        if version and name == row.release_name:
            return version[:LONGEST]
    return None


def _of_packages(action: Action, names: list[str]) -> str | None:
    asked = select(InstalledSoftware.name, InstalledSoftware.version).where(
        InstalledSoftware.tenant_id == action.tenant_id,
        InstalledSoftware.asset_id == action.asset_id,
        InstalledSoftware.name.in_(names),
    )
    rows = db.session.execute(asked.order_by(InstalledSoftware.name, InstalledSoftware.version)).all()
    if len(names) == 1:
        return ", ".join(row.version for row in rows)[:LONGEST] or None
    return ", ".join(f"{row.name} {row.version}" for row in rows)[:LONGEST] or None


def is_known_release(tenant_id: int, name: str, version: str) -> bool:
    """Whether this release has been brought to any of the client's assets; of others machines are told nothing."""
    opened = select(WaveLane.id).where(
        WaveLane.tenant_id == tenant_id,
        WaveLane.release_name == name,
        WaveLane.release_version == version,
        WaveLane.opened_at.is_not(None),
    )
    return db.session.scalar(opened.limit(1)) is not None


def count_versions_before(campaign_id: int) -> list[tuple[str, int]]:
    """What the campaign's assets held before, and on how many, the most common first."""
    count = func.count()
    asked = (
        select(Action.version_before, count)
        .where(
            Action.campaign_id == campaign_id,
            among(Action.tenant_id, narrowed()),
            Action.is_last,
            Action.version_before.is_not(None),
        )
        .group_by(Action.version_before)
        .order_by(count.desc(), Action.version_before)
    )
    return [(version or "", number) for version, number in db.session.execute(asked)]
