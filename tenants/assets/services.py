"""Verbs on assets: people's here, the agents' reports in `reports.py`."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from tenants.assets import rules
from tenants.assets.models import Asset
from tenants.assets.reports import record_facts, record_seen, record_software
from tenants.assets.rules import Entered
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, InvalidMany
from tenants.tenancy.clashes import naming_clashes

__all__ = [
    "add_asset",
    "edit_asset",
    "record_facts",
    "record_seen",
    "record_software",
    "retire_asset",
    "tag_asset",
    "unretire_asset",
]
STALE = _l("Somebody else changed this asset meanwhile. Look at the new values and try again.")
CLASHES: dict[str, tuple[str, Any]] = {
    "uq_assets_serial": ("serial", _l("Another asset of this client has this serial number.")),
    "uq_assets_controller": ("controller_id", _l("Another asset of this client has this agent id.")),
    "fk_assets_tenant_id_site_id": ("site", _l("Choose one of this client's sites.")),
}


def add_asset(tenant_id: int, entered: Entered, *, by: Actor, at: datetime) -> Asset:
    """Enter a new asset. Raises Invalid naming each field at fault."""
    refuse(rules.problems(entered))
    asset = Asset(
        tenant_id=tenant_id,
        name=entered.name,
        kind=entered.kind,
        site_id=entered.site_id,
        serial=entered.serial or None,
        tags=list(entered.tags),
        notes=entered.notes,
        remote_url=entered.remote_url or None,
        controller_id=entered.controller_id or None,
        created_at=at,
    )
    with naming_clashes(CLASHES):
        db.session.add(asset)
    _audit(asset, "asset.added", by=by, at=at, name=asset.name, kind=asset.kind)
    return asset


def edit_asset(asset: Asset, entered: Entered, *, rev: int, by: Actor, at: datetime) -> None:
    """Change what people entered; an agent id once given stays. Raises Invalid, or Conflict when the page was stale."""
    refuse([*rules.problems(entered), *_moved(asset, entered)])
    _lock(asset, rev)
    changed = changes(asset, entered)
    _write(asset, changed)
    _audit(asset, "asset.edited", by=by, at=at, **changed)


def changes(asset: Asset, entered: Entered) -> dict[str, Any]:
    """The columns in which an asset differs from what is entered now."""
    new = {
        "name": entered.name,
        "kind": entered.kind,
        "site_id": entered.site_id,
        "serial": entered.serial or None,
        "tags": list(entered.tags),
        "notes": entered.notes,
        "controller_id": entered.controller_id or asset.controller_id,
        "remote_url": asset.remote_url if entered.remote_url is None else entered.remote_url or None,
    }
    return {field: value for field, value in new.items() if getattr(asset, field) != value}


def retire_asset(asset: Asset, *, by: Actor, at: datetime) -> None:
    """Take an asset out of service: hidden from the client, never updated, its history kept. Raises Conflict."""
    _lock(asset, None)
    if asset.state == "retired":
        raise Conflict(_l("This asset is retired already."), allowed=["unretire"])
    _write(asset, {"state": "retired", "retired_at": at})
    _audit(asset, "asset.retired", by=by, at=at)


def unretire_asset(asset: Asset, *, by: Actor, at: datetime) -> None:
    """Put a retired asset back into service. Raises Conflict, or Invalid when its serial number went to another."""
    _lock(asset, None)
    if asset.state != "retired":
        raise Conflict(_l("This asset is not retired."), allowed=["retire"])
    _write(asset, {"state": "active", "retired_at": None})
    _audit(asset, "asset.unretired", by=by, at=at)


def tag_asset(asset: Asset, tags: Iterable[str], *, by: Actor, at: datetime) -> None:
    """Set an asset's tags. Raises Invalid."""
    wanted = tuple(dict.fromkeys(tags))
    refuse(rules.problems(Entered(name=asset.name, kind=asset.kind, tags=wanted)))
    if list(wanted) == asset.tags:
        return
    _write(asset, {"tags": list(wanted)})
    _audit(asset, "asset.tagged", by=by, at=at, tags=asset.tags)


def refuse(problems: Iterable[tuple[str, Any]]) -> None:
    """Raise InvalidMany if there is any problem."""
    found = list(problems)
    if found:
        raise InvalidMany(found)


def _moved(asset: Asset, entered: Entered) -> Iterable[tuple[str, Any]]:
    if asset.controller_id and entered.controller_id and entered.controller_id != asset.controller_id:
        yield "controller_id", _l("The agent id of an asset never changes.")


def _lock(asset: Asset, rev: int | None) -> None:
    db.session.refresh(asset, with_for_update=True)
    if rev is not None and asset.rev != rev:
        raise Conflict(STALE)


def _write(asset: Asset, values: Mapping[str, Any]) -> None:
    with naming_clashes(CLASHES):
        for field, value in values.items():
            setattr(asset, field, value)
        asset.rev += 1


def _audit(asset: Asset, action: str, *, by: Actor, at: datetime, **detail: Any) -> None:
    audit.record(
        action, tenant_id=asset.tenant_id, by=by, object=f"asset:{asset.public_id}", at=at, detail=detail
    )


def unknown_site() -> Invalid:
    """The refusal of a site that is not this client's."""
    return Invalid(*CLASHES["fk_assets_tenant_id_site_id"])
