"""An asset's credentials in the course of time: handed out, replaced, and what tells that two machines use one."""

import secrets
from datetime import datetime
from typing import Any

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from msp.agents.models import AgentCredential
from msp.campaigns.writes import write
from tenants.assets.models import Asset
from tenants.audit import services as audit
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.people.principals import digest

log = structlog.get_logger()
REMEMBERED_BOOTS = 5


def add_token(asset: Asset, at: datetime, *, replacing: int | None = None) -> str:
    """A new token of the asset, readable only now; two live at most, and a third one ends the oldest.

    `replacing` is the credential that asks: it goes on working beside the new one, and the other one ends.
    """
    token = secrets.token_urlsafe(32)
    db.session.add(
        AgentCredential(
            tenant_id=asset.tenant_id,
            asset_id=asset.id,
            controller_id=asset.controller_id,
            token_hash=digest(token),
            slot=_free_slot(asset, at, replacing),
            created_at=at,
        )
    )
    return token


def _free_slot(asset: Asset, at: datetime, keeping: int | None) -> int:
    live = list(
        db.session.scalars(
            select(AgentCredential)
            .where(*_live(asset.id), AgentCredential.kind == "token")
            .order_by(AgentCredential.id)
        )
    )
    free = {1, 2} - {one.slot for one in live}
    if free:
        return min(free)
    oldest = next(one for one in live if one.id != keeping)
    oldest.revoked_at = at
    db.session.flush()
    return oldest.slot


def _live(asset_id: int) -> tuple[Any, ...]:
    return AgentCredential.asset_id == asset_id, AgentCredential.revoked_at.is_(None)


def hand_out_token(asset: Asset, *, by: Actor, at: datetime) -> str:
    """A token for a client that cannot enrol by itself, readable only now. Raises Conflict."""
    db.session.refresh(asset, with_for_update=True)
    if asset.state == "retired" or asset.controller_id is None:
        raise Conflict(_l("A retired asset cannot be enrolled."))
    token = add_token(asset, at)
    _audit("agent.hand_out_token", asset, by, at)
    db.session.flush()
    return token


def renew_token(tenant_id: int, asset_id: int, credential_id: int, at: datetime) -> str:
    """A new token for the asset that asks with its present one, which works until the asset lets it go."""
    asset = _locked(tenant_id, asset_id)
    token = add_token(asset, at, replacing=credential_id)
    _audit("agent.renew_token", asset, Actor(ActorKind.AGENT, asset.name, asset.id, via="agent"), at)
    db.session.flush()
    return token


def keep_only(tenant_id: int, asset_id: int, credential_id: int, at: datetime) -> int:
    """End the asset's tokens other than the one it asks with; returns how many ended."""
    asset = _locked(tenant_id, asset_id)
    others = update(AgentCredential).where(
        *_live(asset_id), AgentCredential.kind == "token", AgentCredential.id != credential_id
    )
    ended = write(others.values(revoked_at=at))
    if ended:
        _audit("agent.drop_token", asset, Actor(ActorKind.AGENT, asset.name, asset.id, via="agent"), at)
    return ended


def _locked(tenant_id: int, asset_id: int) -> Asset:
    return db.session.get_one(Asset, (tenant_id, asset_id), with_for_update=True)


def note_boot(asset: Asset, credential_id: int | None, at: datetime) -> None:
    """Quarantine an asset whose boot comes back after another one: two machines share its credential."""
    known = credential_id and db.session.get(AgentCredential, (asset.tenant_id, credential_id))
    if not known or not asset.boot_id:
        return
    boots = [str(one) for one in known.boot_ids]
    if boots and boots[-1] == asset.boot_id:
        return
    if asset.boot_id in boots:
        quarantine(asset, "cloned", at)
    known.boot_ids = [*(one for one in boots if one != asset.boot_id), asset.boot_id][-REMEMBERED_BOOTS:]


def forget_boots(asset: Asset) -> None:
    """Begin anew to tell machines apart, once people have looked."""
    write(update(AgentCredential).where(AgentCredential.asset_id == asset.id).values(boot_ids=[]))


def quarantine(asset: Asset, word: str, at: datetime) -> None:
    """Roll nothing out to an asset until people have looked; `word` is one of QUARANTINES."""
    if asset.state == "retired" or asset.quarantined_for == word:
        return
    asset.state, asset.quarantined_for = "quarantined", word
    log.warning("asset quarantined", tenant=asset.tenant_id, asset=asset.id, because=word)
    _audit("asset.quarantine", asset, Actor.system("agents", via="agent"), at, because=word)


def _audit(action: str, asset: Asset, by: Actor, at: datetime, **more: Any) -> None:
    detail = {"name": asset.name, "controller_id": asset.controller_id, **more}
    audit.record(
        action, tenant_id=asset.tenant_id, by=by, object=f"asset:{asset.public_id}", at=at, detail=detail
    )
