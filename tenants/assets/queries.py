"""Finding assets: the doors, and the lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB

from tenants.assets.models import Asset, InstalledSoftware
from tenants.assets.rules import SILENT_AFTER, clean
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.tenancy.queries import as_uuid


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilter:
    """What a list shows; empty means no narrowing. `state` "" hides the retired, "all" shows every asset."""

    tenant_id: int | None = None
    site_id: int | None = None
    name: str = ""
    kind: str = ""
    state: str = ""
    q: str = ""
    tag: str = ""
    software: str = ""
    version: str = ""
    silent: bool = False


def find_asset(public_id: str) -> Asset:
    """The asset with this public id among the tenants in scope. Raises NotFound."""
    found = db.session.scalar(select(Asset).where(Asset.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def list_assets(
    chosen: AssetFilter, *, at: datetime, after: Sequence[Any] | None = None, limit: int = 25
) -> list[Asset]:
    """Assets by name, one more than `limit`; `after` is the name, tenant and id of the last one seen."""
    page = _narrowed(select(Asset), chosen, at)
    if after:
        page = page.where(tuple_(Asset.name, Asset.tenant_id, Asset.id) > tuple_(*after))
    return list(db.session.scalars(page.order_by(Asset.name, Asset.tenant_id, Asset.id).limit(limit + 1)))


def sort_key(asset: Asset) -> tuple[str, int, int]:
    """Where an asset stands in its list: the cursor of the next page."""
    return asset.name, asset.tenant_id, asset.id


def _narrowed(page: Select[tuple[Asset]], chosen: AssetFilter, at: datetime) -> Select[tuple[Asset]]:
    exact = {
        Asset.tenant_id: chosen.tenant_id,
        Asset.site_id: chosen.site_id,
        Asset.name: chosen.name,
        Asset.kind: chosen.kind,
    }
    for column, value in exact.items():
        if value:
            page = page.where(column == value)
    if chosen.state != "all":
        page = page.where(Asset.state == chosen.state if chosen.state else Asset.state != "retired")
    if words := clean(chosen.q, 120):
        page = page.where(_mentions(words))
    if tag := clean(chosen.tag, 40).lower():
        page = page.where(cast(Asset.tags, JSONB).contains([tag]))
    if software := clean(chosen.software, 200):
        page = page.where(_has(software, clean(chosen.version, 200)))
    return page.where(*_silent(at)) if chosen.silent else page


def _mentions(words: str) -> ColumnElement[bool]:
    columns = (Asset.name, Asset.serial, Asset.controller_id)
    return or_(*(column.icontains(words, autoescape=True) for column in columns))


def _has(software: str, version: str) -> ColumnElement[bool]:
    installed = select(InstalledSoftware.id).where(
        InstalledSoftware.tenant_id == Asset.tenant_id,
        InstalledSoftware.asset_id == Asset.id,
        InstalledSoftware.name == software,
    )
    return (installed.where(InstalledSoftware.version == version) if version else installed).exists()


def _silent(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Assets that should report and did not for a while; the same as `rules.is_asset_silent`."""
    heard = or_(Asset.last_seen_at.is_(None), Asset.last_seen_at < at - SILENT_AFTER)
    return Asset.state == "active", Asset.controller_id.is_not(None), heard


def count_silent(at: datetime) -> dict[int, int]:
    """Silent assets per tenant in scope: one grouped statement over those that report."""
    counted = select(Asset.tenant_id, func.count()).where(*_silent(at)).group_by(Asset.tenant_id)
    return {row[0]: row[1] for row in db.session.execute(counted)}


def list_software(
    asset: Asset, *, q: str = "", after: Sequence[Any] | None = None, limit: int = 100
) -> list[Any]:
    """Installed software of an asset by name, one more than `limit`."""
    page = select(InstalledSoftware).where(
        InstalledSoftware.tenant_id == asset.tenant_id, InstalledSoftware.asset_id == asset.id
    )
    if words := clean(q, 200):
        page = page.where(InstalledSoftware.name.icontains(words, autoescape=True))
    order = (InstalledSoftware.name, InstalledSoftware.architecture)
    if after:
        page = page.where(tuple_(*order) > tuple_(*after))
    return list(db.session.scalars(page.order_by(*order).limit(limit + 1)))


def names_of(pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Asset]:
    """Assets by tenant and id: the second select of lists that mention them."""
    if not pairs:
        return {}
    found = db.session.scalars(select(Asset).where(tuple_(Asset.tenant_id, Asset.id).in_(sorted(set(pairs)))))
    return {(asset.tenant_id, asset.id): asset for asset in found}


def list_choices(tenant_id: int, limit: int = 500) -> list[Asset]:
    """Assets of a client that a form may offer."""
    chosen = select(Asset).where(Asset.tenant_id == tenant_id, Asset.state != "retired")
    return list(db.session.scalars(chosen.order_by(Asset.name, Asset.id).limit(limit)))


def list_named(words: str, *, limit: int) -> list[Asset]:
    """Assets whose name begins with these words, as typed or in one case, or whose serial number they are.

    A range of names is read from the index under row security, where a pattern is not.
    """
    begun = [
        (Asset.name >= one) & (Asset.name < one + "\U0010ffff")
        for one in {words, words.lower(), words.upper()}
    ]
    found = select(Asset).where(or_(*begun, Asset.serial == words), Asset.state != "retired")
    return list(db.session.scalars(found.order_by(Asset.name, Asset.tenant_id, Asset.id).limit(limit)))


def list_matching(
    tenant_id: int, *, names: Sequence[str], serials: Sequence[str], controllers: Sequence[str]
) -> list[Asset]:
    """Assets that rows of an import may mean: alike in name, serial or agent id; retired ones by the last only."""
    living = Asset.state != "retired"
    alike = or_(
        living & Asset.name.in_(names),
        living & Asset.serial.in_(serials),
        Asset.controller_id.in_(controllers),
    )
    return list(
        db.session.scalars(select(Asset).where(Asset.tenant_id == tenant_id, alike).order_by(Asset.id))
    )


def ids_by_name(tenant_id: int, names: Sequence[str]) -> dict[str, list[int]]:
    """A client's assets of these names, retired ones left out; a name may belong to several."""
    asked = select(Asset.name, Asset.id).where(
        Asset.tenant_id == tenant_id, Asset.name.in_(names), Asset.state != "retired"
    )
    found: dict[str, list[int]] = {}
    for name, asset_id in db.session.execute(asked.order_by(Asset.id)):
        found.setdefault(name, []).append(asset_id)
    return found
