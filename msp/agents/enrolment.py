"""Enrolling machines: a one-use token made by a person, traded once for a credential that only the machine knows."""

import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, tuple_, update

from msp.agents import rotation
from msp.agents.models import AgentCredential, DeviceKey, EnrolmentToken
from msp.campaigns.writes import write
from tenants.assets.models import Asset
from tenants.audit import services as audit
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.people.principals import digest

LIFE = timedelta(hours=1)
CONTROLLER_ID = re.compile(r"[A-Za-z0-9._:-]{1,256}")


def issue_token(asset: Asset, *, by: Actor, at: datetime, controller_id: str = "") -> str:
    """A one-use token for the asset, readable only now; gives the asset its wire id. Raises Invalid, Conflict."""
    if asset.state == "retired":
        raise Conflict(_l("A retired asset cannot be enrolled."))
    if asset.controller_id is None:
        asset.controller_id = _unused_controller_id(asset.tenant_id, controller_id or _slug(asset))
    token = secrets.token_urlsafe(32)
    db.session.add(
        EnrolmentToken(
            tenant_id=asset.tenant_id,
            asset_id=asset.id,
            controller_id=asset.controller_id,
            token_hash=digest(token),
            created_by=by.name,
            created_at=at,
            expires_at=at + LIFE,
        )
    )
    _audit("agent.issue_token", asset, by, at)
    db.session.flush()
    return token


def _slug(asset: Asset) -> str:
    plain = re.sub(r"[^A-Za-z0-9._:-]+", "-", asset.name).strip("-.")[:80]
    return plain or f"asset-{asset.id}"


def _unused_controller_id(tenant_id: int, wanted: str) -> str:
    if not CONTROLLER_ID.fullmatch(wanted) or wanted in (".", ".."):
        raise Invalid("controller_id", _l("Use letters, digits and . _ : - only."))
    taken = select(Asset.id).where(Asset.tenant_id == tenant_id, Asset.controller_id == wanted)
    if db.session.scalar(taken) is not None:
        raise Invalid("controller_id", _l("Another asset of this client has this id."))
    return wanted


def add_unknown_asset(
    *,
    tenant_id: int,
    name: str,
    kind: str,
    by: Actor,
    at: datetime,
    controller_id: str | None = None,
    turned_up_by: str | None = None,
) -> Asset:
    """An asset of which only a name is known yet: in quarantine, so that nothing is rolled out to it.

    `turned_up_by` says how, when it came without a person; then its wire id is given too.
    """
    words = " ".join(name.split())
    if not 1 <= len(words) <= 120:
        raise Invalid("name", _l("Give the asset a name of at most 120 characters."))
    asset = Asset(
        tenant_id=tenant_id,
        name=words,
        kind=kind,
        state="quarantined",
        quarantined_for=turned_up_by,
        controller_id=controller_id,
        created_at=at,
    )
    db.session.add(asset)
    db.session.flush()
    _audit("asset.add", asset, by, at)
    return asset


def enrol(*, token_id: int, asset_id: int, at: datetime, client: str | None = None) -> str:
    """Use the token up and hand out the asset's new credential; a third one ends the oldest. Raises NotFound."""
    used = write(
        update(EnrolmentToken)
        .where(
            EnrolmentToken.id == token_id, EnrolmentToken.used_at.is_(None), EnrolmentToken.expires_at > at
        )
        .values(used_at=at)
    )
    asset = db.session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
    if used != 1 or asset is None or asset.controller_id is None:
        raise NotFound
    token = rotation.add_token(asset, at)
    note_client(asset, client)
    _audit("agent.enrol", asset, Actor(ActorKind.AGENT, asset.name, asset.id, via="agent"), at)
    db.session.flush()
    return token


def note_client(asset: Asset, client: str | None) -> None:
    """Remember which client an asset runs, as it said itself; what people chose stays."""
    if client is not None and asset.capabilities.get("client") != client:
        asset.capabilities = {**asset.capabilities, "client": client}


def revoke_credentials(asset: Asset, *, by: Actor, at: datetime) -> int:
    """End every credential, key and unused token of an asset at once; returns how many credentials lived."""
    ended = write(
        update(AgentCredential)
        .where(AgentCredential.asset_id == asset.id, AgentCredential.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    write(
        update(EnrolmentToken)
        .where(EnrolmentToken.asset_id == asset.id, EnrolmentToken.used_at.is_(None))
        .values(used_at=at)
    )
    write(
        update(DeviceKey)
        .where(DeviceKey.asset_id == asset.id, DeviceKey.state != "refused")
        .values(state="refused", decided_by=by.name, decided_at=at)
    )
    _audit("agent.revoke", asset, by, at)
    return ended


def count_live(asset: Asset) -> int:
    """How many credentials of the asset live."""
    asked = select(func.count()).where(
        AgentCredential.asset_id == asset.id, AgentCredential.revoked_at.is_(None)
    )
    return db.session.scalar(asked) or 0


def _audit(action: str, asset: Asset, by: Actor, at: datetime) -> None:
    audit.record(
        action,
        tenant_id=asset.tenant_id,
        by=by,
        object=f"asset:{asset.public_id}",
        at=at,
        detail={"name": asset.name, "controller_id": asset.controller_id},
    )


def count_live_by_asset(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Live credentials by tenant and asset: the second select of lists that show them."""
    if not pairs:
        return {}
    key = (AgentCredential.tenant_id, AgentCredential.asset_id)
    grouped = (
        select(*key, func.count().label("live"))
        .where(tuple_(*key).in_(sorted(pairs)), AgentCredential.revoked_at.is_(None))
        .group_by(*key)
    )
    return {(row.tenant_id, row.asset_id): row.live for row in db.session.execute(grouped)}


def admit_asset(asset: Asset, *, by: Actor, at: datetime) -> None:
    """Take a machine out of quarantine, so that campaigns may include it, and pin the key it came with.

    A machine that has another credential by now keeps to that: its key turns into an alarm.
    Raises Conflict when it is not in quarantine.
    """
    db.session.refresh(asset, with_for_update=True)
    if asset.state != "quarantined":
        raise Conflict(_l("This asset is not in quarantine."))
    word, asset.state, asset.quarantined_for = asset.quarantined_for, "active", None
    if word == "cloned":
        rotation.forget_boots(asset)
    if word == "device":
        write(
            update(DeviceKey)
            .where(DeviceKey.asset_id == asset.id, DeviceKey.state == "pending")
            .values(**_decided(asset, by, at))
        )
    _audit("asset.admit", asset, by, at)
    db.session.flush()


def _decided(asset: Asset, by: Actor, at: datetime) -> dict[str, Any]:
    if count_live(asset):
        return {"state": "alarm"}
    return {"state": "accepted", "decided_by": by.name, "decided_at": at}
