"""An asset's credentials in the course of time: handed out, replaced, and what tells that two machines use one."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, or_, select, update

from msp.agents.credentials import Caller
from msp.agents.models import AgentCredential
from msp.campaigns.capabilities import OWN
from msp.campaigns.writes import write
from tenants.assets.models import Asset
from tenants.audit import services as audit
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.people.principals import digest

log = structlog.get_logger()
REMEMBERED_BOOTS = 5
# For so long a token that nobody has used yet may still be on its way to another program.
HANDED_OUT = timedelta(days=7)


def add_token(asset: Asset, at: datetime, *, replacing: AgentCredential | None = None) -> str:
    """A new token of the asset, readable only now; two live at most, and a third one ends the oldest.

    `replacing` is the credential that asks: it goes on working until the new one is used, and the other one ends.
    """
    token = secrets.token_urlsafe(32)
    like = {"replaces_id": replacing.id, "boot_ids": replacing.boot_ids} if replacing else {}
    db.session.add(
        AgentCredential(
            tenant_id=asset.tenant_id,
            asset_id=asset.id,
            controller_id=asset.controller_id,
            token_hash=digest(token),
            slot=_free_slot(asset, at, replacing.id if replacing else None),
            created_at=at,
            **like,
        )
    )
    return token


def _free_slot(asset: Asset, at: datetime, keeping: int | None) -> int:
    live = list(
        db.session.scalars(select(AgentCredential).where(*_tokens(asset.id)).order_by(AgentCredential.id))
    )
    free = {1, 2} - {one.slot for one in live}
    if free:
        return min(free)
    oldest = next(one for one in live if one.id != keeping)
    oldest.revoked_at, oldest.replaces_id = at, None
    db.session.flush()
    return oldest.slot


def _live(asset_id: int) -> tuple[Any, ...]:
    return AgentCredential.asset_id == asset_id, AgentCredential.revoked_at.is_(None)


def _tokens(asset_id: int) -> tuple[Any, ...]:
    return *_live(asset_id), AgentCredential.kind == "token"


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
    """A new token for the asset that asks with its present one, which works until the new one is used.

    Raises Conflict for a credential that ended meanwhile.
    """
    asset = _locked(tenant_id, asset_id)
    mine = db.session.get(AgentCredential, (tenant_id, credential_id), populate_existing=True)
    if mine is None or mine.revoked_at is not None:
        raise Conflict(_l("This credential has ended."))
    token = add_token(asset, at, replacing=mine if mine.kind == "token" else None)
    _audit("agent.renew_token", asset, Actor(ActorKind.AGENT, asset.name, asset.id, via="agent"), at)
    db.session.flush()
    return token


def is_wanted(asks: Caller, at: datetime) -> bool:
    """Whether the agent is to replace its credential now; never where that would lock another program out."""
    if asks.client != OWN or asks.rotate_at is None or asks.rotate_at > at or asks.replaces_id is not None:
        return False
    return not _is_shared(asks.asset_id, at)


def _is_shared(asset_id: int, at: datetime) -> bool:
    """Whether another program calls with a token of this asset, or is just being given one."""
    unused = and_(AgentCredential.client.is_(None), AgentCredential.replaces_id.is_(None))
    is_new = and_(unused, AgentCredential.created_at > at - HANDED_OUT)
    others = select(AgentCredential.id).where(*_tokens(asset_id), or_(AgentCredential.client != OWN, is_new))
    return db.session.scalar(others.limit(1)) is not None


def note_use(asks: Caller, at: datetime) -> None:
    """The first use of a credential ends the one that it replaces. Commits; writes nothing when there is none."""
    if asks.replaces_id is None:
        return
    asset = _locked(asks.tenant_id, asks.asset_id)
    replaced = AgentCredential.asset_id == asset.id, AgentCredential.id == asks.replaces_id
    ended = write(
        update(AgentCredential)
        .where(*replaced, AgentCredential.revoked_at.is_(None))
        .values(revoked_at=at, replaces_id=None)
    )
    write(update(AgentCredential).where(AgentCredential.id == asks.credential_id).values(replaces_id=None))
    if ended:
        _audit("agent.drop_token", asset, Actor(ActorKind.AGENT, asset.name, asset.id, via="agent"), at)
    db.session.commit()


def ask_rotation(asset: Asset, *, by: Actor, at: datetime) -> None:
    """Have the asset's agent replace its credential at its next poll. Raises Conflict where no agent could."""
    db.session.refresh(asset, with_for_update=True)
    if _is_shared(asset.id, at):
        raise Conflict(
            _l("Another program calls with a token of this asset. Refuse the agent and enrol it anew.")
        )
    mine = *_tokens(asset.id), AgentCredential.client == OWN
    if not write(update(AgentCredential).where(*mine).values(rotate_at=at)):
        raise Conflict(_l("No agent that can replace its credential by itself calls with one."))
    _audit("agent.ask_rotation", asset, by, at)
    db.session.flush()


def rotations_of(asset: Asset) -> tuple[bool, bool]:
    """Whether the asset's agent could replace its credential by itself, and whether it has been asked to."""
    asked = select(AgentCredential.rotate_at).where(*_tokens(asset.id), AgentCredential.client == OWN)
    found = list(db.session.scalars(asked))
    return bool(found), any(one is not None for one in found)


def keep_only(tenant_id: int, asset_id: int, credential_id: int, at: datetime) -> int:
    """End the asset's tokens other than the one it asks with; returns how many ended."""
    asset = _locked(tenant_id, asset_id)
    others = update(AgentCredential).where(*_tokens(asset_id), AgentCredential.id != credential_id)
    ended = write(others.values(revoked_at=at, replaces_id=None))
    write(update(AgentCredential).where(AgentCredential.id == credential_id).values(replaces_id=None))
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
