"""Who calls without a token of its own: a certificate that our proxy checked, or a machine that nobody knows yet.

The proxy's headers mean nothing without the proxy's secret; anybody can send them. A gateway's token opens two doors
only, for an id that people have not admitted yet: the poll and the facts. It never leads to an action.
"""

import hmac
import re

from flask import current_app, request
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from msp.agents import enrolment, shared
from msp.agents.credentials import Caller, admit, find_caller, given, let_in, resolve_agent
from msp.agents.models import AgentCredential
from msp.agents.shared import Sharing
from msp.campaigns.writes import write
from msp.web.access import SignInNeeded
from tenants.assets.models import Asset
from tenants.assets.rules import CONTROLLER_ID
from tenants.foundation import time
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import TooMany
from tenants.foundation.scope import Scope, enter
from tenants.people.principals import digest

MOST_UNKNOWN = 200
OPEN_TO_UNKNOWN = ("agents.ddi.poll", "agents.ddi.take_facts")
_ISSUERS = re.compile(r"[;,\s]+")


def resolve_caller() -> Scope:
    """The scope of a machine at /ddi: by certificate, by its own token, or by its client's gateway token."""
    found = _by_certificate()
    if found is not None:
        return admit(found)
    if request.headers.get("Authorization", "").lower().startswith("gatewaytoken "):
        return let_in(_by_gateway(given("GatewayToken")))
    return resolve_agent()


def _path_names() -> tuple[str, str]:
    values = request.view_args or {}
    parts = request.path.split("/")
    slug = values.get("tenant") or (parts[2] if len(parts) > 2 else "")
    return str(slug), str(values.get("controller") or "")


def is_from_proxy() -> bool:
    """Whether our own proxy passed the request on, and not anybody who knows the headers' names."""
    secret: str = current_app.extensions["settings"].proxy_secret
    shown = request.headers.get("X-Proxy-Secret", "")
    return bool(secret) and hmac.compare_digest(secret.encode(), shown.encode())


def _by_certificate() -> Caller | None:
    name, issuers = request.headers.get("X-Controller-Id", ""), request.headers.get("X-Authority", "")
    if not name or not issuers or not CONTROLLER_ID.fullmatch(name) or not is_from_proxy():
        return None
    known = [shared.issuer_of(one) for one in _ISSUERS.split(issuers)[:10] if one]
    sharing = shared.find_sharing("authority", known, _path_names()[0])
    if sharing is None:
        return None
    mark = f"certificate\0{sharing.credential_id}\0{name}"
    return find_caller(mark, "certificate") or _first_certificate(sharing, name, mark)


def _first_certificate(sharing: Sharing, name: str, mark: str) -> Caller | None:
    """The first request of an asset by its certificate; None once people refused it."""
    with enter(sharing.scope()):
        asset = db.session.scalar(select(Asset).where(Asset.controller_id == name, Asset.state != "retired"))
        if asset is None:
            return None
        mine = AgentCredential.asset_id == asset.id, AgentCredential.kind == "certificate"
        refused = select(AgentCredential.id).where(*mine, AgentCredential.token_hash == digest(mark))
        if db.session.scalar(refused.limit(1)) is not None:
            return None
        write(
            update(AgentCredential)
            .where(*mine, AgentCredential.revoked_at.is_(None))
            .values(revoked_at=time.now())
        )
        db.session.add(
            AgentCredential(
                tenant_id=asset.tenant_id,
                asset_id=asset.id,
                controller_id=name,
                kind="certificate",
                token_hash=digest(mark),
                created_at=time.now(),
            )
        )
        try:
            db.session.commit()
        except IntegrityError:
            db.session.rollback()
    return find_caller(mark, "certificate")


def _by_gateway(token: str) -> Caller:
    """A machine that nobody knows yet, known to be of this client. Raises SignInNeeded, TooMany."""
    slug, name = _path_names()
    sharing = shared.find_sharing("gateway", [token], slug)
    if (
        sharing is None
        or request.endpoint not in OPEN_TO_UNKNOWN
        or not CONTROLLER_ID.fullmatch(name)
        or name in (".", "..")
    ):
        raise SignInNeeded
    with enter(sharing.scope()):
        asset = db.session.scalar(select(Asset).where(Asset.controller_id == name))
        if asset is None:
            asset = turn_up(sharing, name=name[:120], controller_id=name, how="gateway")
            db.session.commit()
        enrolled = select(AgentCredential.id).where(AgentCredential.asset_id == asset.id)
        if asset.quarantined_for != "gateway" or db.session.scalar(enrolled.limit(1)) is not None:
            raise SignInNeeded
        due = None if asset.facts_at is None else time.now() + enrolment.LIFE
        return Caller(
            asset.tenant_id, asset.id, slug, name, due, None, asset.capabilities.get("client"), None,
            is_unknown=True,
        )  # fmt: skip


def turn_up(
    sharing: Sharing, *, name: str, controller_id: str | None, how: str, kind: str = "other"
) -> Asset:
    """A quarantined asset for a machine that came without a person. Raises TooMany while too many wait."""
    waiting = select(func.count()).where(Asset.state == "quarantined", Asset.tenant_id == sharing.tenant_id)
    if (db.session.scalar(waiting) or 0) >= MOST_UNKNOWN:
        raise TooMany("too many machines wait to be admitted", retry_after=3600)
    try:
        with db.session.begin_nested():
            return enrolment.add_unknown_asset(
                tenant_id=sharing.tenant_id,
                name=name,
                kind=kind,
                by=Actor(ActorKind.AGENT, name, via="agent"),
                at=time.now(),
                controller_id=controller_id,
                turned_up_by=how,
            )
    except IntegrityError:
        # Another request of the same machine was quicker.
        return db.session.scalars(select(Asset).where(Asset.controller_id == controller_id)).one()
