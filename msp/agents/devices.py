"""Devices that prove themselves with a key of their own: seen, waiting for a person, pinned, or an alarm."""

import hashlib
import json
import re
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

import structlog
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from sqlalchemy import select, tuple_, update

from msp.agents import arrivals, enrolment
from msp.agents.models import AgentCredential, DeviceKey
from msp.agents.shared import Sharing
from msp.campaigns.capabilities import MENDER
from msp.campaigns.writes import write
from tenants.assets.models import Asset
from tenants.assets.rules import clean
from tenants.audit import services as audit
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.people.principals import digest
from tenants.tenancy.queries import as_uuid

log = structlog.get_logger()
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192
MOST_ALARMS = 20


def fingerprint_of(pem: str) -> str | None:
    """SHA-256 of a public key in hex; None for one that is unusable."""
    key = _load(pem)
    if key is None:
        return None
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _load(pem: str) -> Any:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(key, rsa.RSAPublicKey):
        return key if LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS else None
    return key if isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) else None


def is_signed(pem: str, signature: bytes, body: bytes) -> bool:
    """Whether the body was signed with the private half: RSA PKCS#1 v1.5 or ECDSA with SHA-256, or Ed25519."""
    key = _load(pem)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, body, padding.PKCS1v15(), SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, body, ec.ECDSA(SHA256()))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, body)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def admit_device(sharing: Sharing, identity: dict[str, Any], fingerprint: str, at: datetime) -> str | None:
    """A bearer token for a device whose key is pinned; None while a person has to decide, or has refused.

    A key that was never seen makes a quarantined asset; a second key of a known identity is an alarm and opens nothing.
    Raises TooMany while too many machines wait.
    """
    named = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).digest()
    keys = list(
        db.session.scalars(select(DeviceKey).where(DeviceKey.identity_hash == named).order_by(DeviceKey.id))
    )
    mine = next((one for one in keys if one.fingerprint == fingerprint), None)
    if mine is None:
        _keep(sharing, keys, identity, named, fingerprint, at)
        return None
    asset = db.session.get_one(Asset, (sharing.tenant_id, mine.asset_id), with_for_update=True)
    if mine.state != "accepted" or asset.state == "retired":
        return None
    return _hand_out(asset, at)


def _keep(
    sharing: Sharing,
    keys: list[DeviceKey],
    identity: dict[str, Any],
    named: bytes,
    fingerprint: str,
    at: datetime,
) -> None:
    if len(keys) >= MOST_ALARMS:
        return
    asset_id = keys[0].asset_id if keys else _new_asset(sharing, identity, named).id
    is_free = all(one.state == "refused" for one in keys)
    state = "pending" if not keys or (is_free and _wait_again(sharing, asset_id)) else "alarm"
    db.session.add(
        DeviceKey(
            tenant_id=sharing.tenant_id,
            asset_id=asset_id,
            identity_hash=named,
            identity={clean(key, 60): clean(value, 200) for key, value in list(identity.items())[:20]},
            fingerprint=fingerprint,
            state=state,
            first_seen_at=at,
        )
    )
    if state == "alarm":
        log.warning("a second key for one identity", tenant=sharing.tenant_id, asset=asset_id)
        asset = db.session.get_one(Asset, (sharing.tenant_id, asset_id))
        by = Actor(ActorKind.AGENT, asset.name, asset.id, via="agent")
        _audit("agent.second_key", asset, by, at, fingerprint=fingerprint)
    db.session.flush()


def _wait_again(sharing: Sharing, asset_id: int) -> bool:
    """A machine whose keys people refused comes with a new one: it waits for a person like an unknown one.

    False where that would take a machine out of campaigns that calls by another credential, which the gateway's token
    must not do, or hide another reason for its quarantine.
    """
    asset = db.session.get_one(Asset, (sharing.tenant_id, asset_id), with_for_update=True)
    waits_already = asset.state == "quarantined" and asset.quarantined_for == "device"
    if not (asset.state == "active" or waits_already) or enrolment.count_live(asset):
        return False
    asset.state, asset.quarantined_for = "quarantined", "device"
    return True


def _new_asset(sharing: Sharing, identity: dict[str, Any], named: bytes) -> Asset:
    words = re.sub(r"\s+", " ", clean(" ".join(str(one) for one in identity.values()), 100)) or "device"
    asset = arrivals.turn_up(sharing, name=words, controller_id=f"mender-{named.hex()[:24]}", how="device")
    enrolment.note_client(asset, MENDER)
    return asset


def _hand_out(asset: Asset, at: datetime) -> str:
    """A new bearer token in place of the one before."""
    token = secrets.token_urlsafe(32)
    mine = (
        AgentCredential.asset_id == asset.id,
        AgentCredential.kind == "device",
        AgentCredential.revoked_at.is_(None),
    )
    renewed = write(update(AgentCredential).where(*mine).values(token_hash=digest(token)))
    if not renewed:
        db.session.add(
            AgentCredential(
                tenant_id=asset.tenant_id,
                asset_id=asset.id,
                controller_id=asset.controller_id,
                kind="device",
                client=MENDER,
                token_hash=digest(token),
                created_at=at,
            )
        )
        by = Actor(ActorKind.AGENT, asset.name, asset.id, via="agent")
        _audit("agent.enrol", asset, by, at)
    db.session.flush()
    return token


def keys_of(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], list[DeviceKey]]:
    """Keys that are not refused, by tenant and asset, oldest first."""
    found: dict[tuple[int, int], list[DeviceKey]] = {}
    if not pairs:
        return found
    asked = select(DeviceKey).where(
        tuple_(DeviceKey.tenant_id, DeviceKey.asset_id).in_(sorted(pairs)), DeviceKey.state != "refused"
    )
    for key in db.session.scalars(asked.order_by(DeviceKey.id)):
        found.setdefault((key.tenant_id, key.asset_id), []).append(key)
    return found


def list_alarms(limit: int = 20) -> list[Asset]:
    """Machines of which a second key turned up that nobody has refused yet."""
    alarmed = select(DeviceKey.id).where(
        DeviceKey.tenant_id == Asset.tenant_id, DeviceKey.asset_id == Asset.id, DeviceKey.state == "alarm"
    )
    return list(db.session.scalars(select(Asset).where(alarmed.exists()).order_by(Asset.name).limit(limit)))


def find_key(public_id: str) -> DeviceKey:
    """The key with this id. Raises NotFound."""
    found = db.session.scalar(select(DeviceKey).where(DeviceKey.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def refuse_key(key: DeviceKey, *, by: Actor, at: datetime) -> None:
    """Refuse a key for good, and end what its holder was given."""
    asset = db.session.get_one(Asset, (key.tenant_id, key.asset_id))
    if key.state == "accepted":
        write(
            update(AgentCredential)
            .where(
                AgentCredential.asset_id == key.asset_id,
                AgentCredential.kind == "device",
                AgentCredential.revoked_at.is_(None),
            )
            .values(revoked_at=at)
        )
    key.state, key.decided_by, key.decided_at = "refused", by.name, at
    _audit("agent.refuse_key", asset, by, at, fingerprint=key.fingerprint)
    db.session.flush()


def _audit(action: str, asset: Asset, by: Actor, at: datetime, **more: Any) -> None:
    audit.record(
        action,
        tenant_id=asset.tenant_id,
        by=by,
        object=f"asset:{asset.public_id}",
        at=at,
        detail={"name": asset.name, **more},
    )
