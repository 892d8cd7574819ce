"""A device that turned up by itself is a machine that people know already: it joins that asset instead of a new one."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from msp.agents import enrolment
from msp.agents.models import AgentCredential, DeviceKey
from msp.campaigns.capabilities import MENDER
from msp.campaigns.writes import write
from tenants.assets.models import Asset
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.tenancy.queries import as_uuid

MOST_CHOICES = 1000


def list_joinable(waiting: Asset) -> list[Asset]:
    """The client's assets that a waiting device may turn out to be, by name: in use, and with no such device yet."""
    asked = select(Asset).where(*_joinable(waiting)).order_by(Asset.name, Asset.id)
    return list(db.session.scalars(asked.limit(MOST_CHOICES)))


def _joinable(waiting: Asset) -> tuple[Any, ...]:
    mine = Asset.tenant_id == waiting.tenant_id, Asset.id != waiting.id, Asset.state == "active"
    live = select(AgentCredential.id).where(
        AgentCredential.tenant_id == Asset.tenant_id,
        AgentCredential.asset_id == Asset.id,
        AgentCredential.kind == "device",
        AgentCredential.revoked_at.is_(None),
    )
    pinned = select(DeviceKey.id).where(
        DeviceKey.tenant_id == Asset.tenant_id, DeviceKey.asset_id == Asset.id, DeviceKey.state != "refused"
    )
    return *mine, ~live.exists(), ~pinned.exists()


def join_asset(waiting: Asset, public_id: str, *, by: Actor, at: datetime) -> Asset:
    """Admit a waiting device as an asset that is known already, which is returned; its own entry is retired.

    Raises Conflict when it does not wait any more, Invalid for an asset that it cannot be.
    """
    db.session.refresh(waiting, with_for_update=True)
    if waiting.state != "quarantined" or waiting.quarantined_for != "device":
        raise Conflict(_l("This device does not wait to be admitted any more."))
    chosen = select(Asset).where(*_joinable(waiting), Asset.public_id == as_uuid(public_id))
    known = db.session.scalar(chosen.with_for_update(of=Asset))
    if known is None:
        raise Invalid("asset", _l("Choose one of this client's assets that no such device belongs to yet."))
    name, waiting.state, waiting.quarantined_for, waiting.retired_at = waiting.name, "retired", None, at
    waiting.rev += 1
    _give_wire_id(waiting, known)
    _move_keys(waiting, known, by, at)
    if not enrolment.count_live(known):
        enrolment.note_client(known, MENDER)
    for asset in (waiting, known):
        audit.record(
            "asset.join",
            tenant_id=asset.tenant_id,
            by=by,
            object=f"asset:{asset.public_id}",
            at=at,
            detail={"device": name, "asset": known.name},
        )
    db.session.flush()
    return known


def _give_wire_id(waiting: Asset, known: Asset) -> None:
    """An asset that no agent has called for takes over the device's id; one that has an id keeps it for good."""
    if known.controller_id is not None:
        return
    taken, waiting.controller_id = waiting.controller_id, None
    db.session.flush()
    known.controller_id = taken


def _move_keys(waiting: Asset, known: Asset, by: Actor, at: datetime) -> None:
    """The key that waits is pinned to the asset; every key of the identity goes with it, so that none is unknown."""
    mine = DeviceKey.tenant_id == waiting.tenant_id, DeviceKey.asset_id == waiting.id
    decided = {"state": "accepted", "decided_by": by.name, "decided_at": at}
    write(update(DeviceKey).where(*mine, DeviceKey.state == "pending").values(**decided))
    write(update(DeviceKey).where(*mine).values(asset_id=known.id))
