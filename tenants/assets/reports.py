"""What assets report about themselves. The asset is the one of the agent's credential, never of a request's body."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from tenants.assets.models import Asset, InstalledSoftware
from tenants.assets.rules import Package, distinct_packages, merged_facts, packages_digest
from tenants.foundation.db import db

SEEN_STEP = timedelta(seconds=30)


def record_seen(asset: Asset, at: datetime) -> None:
    """Note a sign of life; written at most every 30 seconds, so that a poll is usually read-only."""
    if asset.last_seen_at is None or at - asset.last_seen_at >= SEEN_STEP:
        asset.last_seen_at = at


def record_facts(asset: Asset, facts: Mapping[str, Any], at: datetime, *, mode: str = "merge") -> None:
    """Take over reported facts; `boot_id` and `installed_release` also become columns. Raises Invalid."""
    db.session.refresh(asset, with_for_update=True)
    asset.facts = merged_facts(asset.facts, facts, mode)
    asset.facts_at = asset.last_seen_at = at
    asset.boot_id = asset.facts.get("boot_id", "")[:80] or None
    asset.installed_release = asset.facts.get("installed_release", "")[:200] or None
    db.session.flush()


def record_software(asset: Asset, packages: Iterable[Any], at: datetime) -> bool:
    """Make the asset's list of software equal to the report; False when nothing had changed.

    `packages` are triples of name, version and architecture, each with what it could be upgraded to where that is
    known. Two statements, however long the list. Raises Invalid.
    """
    wanted = distinct_packages(packages)
    digest = packages_digest(wanted)
    db.session.refresh(asset, with_for_update=True)
    asset.software_at = asset.last_seen_at = at
    changed = digest != asset.software_digest
    if changed:
        asset.software_digest = digest
        _drop_missing(asset, wanted)
        _put(asset, wanted, at)
    db.session.flush()
    return changed


def _given(packages: list[Package]) -> Any:
    """The report as a table: three arrays, so that the statement's text does not depend on its length."""
    arrays = [
        cast(bindparam(None, [one[place] for one in packages], type_=ARRAY(Text)), ARRAY(Text))
        for place in range(4)
    ]
    names = [column(name, Text) for name in Package._fields]
    return func.unnest(*arrays).table_valued(*names, name="given").render_derived()


def _drop_missing(asset: Asset, packages: list[Package]) -> None:
    given = _given(packages)
    still_there = exists().where(
        given.c.name == InstalledSoftware.name, given.c.architecture == InstalledSoftware.architecture
    )
    db.session.execute(
        delete(InstalledSoftware)
        .where(and_(InstalledSoftware.tenant_id == asset.tenant_id, InstalledSoftware.asset_id == asset.id))
        .where(~still_there)
        .execution_options(synchronize_session=False)
    )


def _put(asset: Asset, packages: list[Package], at: datetime) -> None:
    given = _given(packages)
    rows = select(
        cast(asset.tenant_id, BigInteger),
        cast(asset.id, BigInteger),
        given.c.name,
        given.c.version,
        given.c.architecture,
        cast(at, InstalledSoftware.seen_at.type),
        func.nullif(given.c.upgradable_to, ""),
    )
    columns = ["tenant_id", "asset_id", "name", "version", "architecture", "seen_at", "upgradable_to"]
    asked = insert(InstalledSoftware).from_select(columns, rows)
    is_other = InstalledSoftware.version != asked.excluded.version
    newer = asked.on_conflict_do_update(
        index_elements=["tenant_id", "asset_id", "name", "architecture"],
        set_={
            "version": asked.excluded.version,
            "seen_at": case((is_other, asked.excluded.seen_at), else_=InstalledSoftware.seen_at),
            "upgradable_to": asked.excluded.upgradable_to,
        },
        where=or_(is_other, InstalledSoftware.upgradable_to.is_distinct_from(asked.excluded.upgradable_to)),
    )
    db.session.execute(newer)
