"""From a header to an asset. The credential decides the tenant and the asset; the path must merely match it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from flask import g, request
from sqlalchemy import Select, and_, bindparam, func, or_, select

from msp.agents.models import AgentCredential, EnrolmentToken
from msp.campaigns.models import Action, Campaign
from msp.campaigns.phases import OPEN
from msp.web.access import SignInNeeded
from tenants.foundation import time
from tenants.foundation.connections import PREPARED
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden
from tenants.foundation.scope import Role, Scope, enter, gate
from tenants.people.principals import digest
from tenants.tenancy.models import Tenant

# How old an asset's token may become before its agent is asked to replace it.
ROTATED_AFTER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The one action that matters to an asset's poll: open, or else the oldest that it could be offered."""

    id: int
    phase: str
    campaign_id: int
    is_retrieved: bool
    offers: int
    campaign_state: str


@dataclass(frozen=True, slots=True)
class Caller:
    """The asset behind a request."""

    tenant_id: int
    asset_id: int
    slug: str
    controller_id: str
    facts_due_at: datetime | None
    credential_id: int | None
    # The client that used the credential last, as far as it is known.
    client: str | None
    waiting: Waiting | None
    # Nobody knows it yet: it may say who it is, and nothing else.
    is_unknown: bool = field(default=False, kw_only=True)
    # From when the credential is to be replaced; None for one that is not the asset's own token.
    rotate_at: datetime | None = field(default=None, kw_only=True)
    # The credential that this one takes the place of by being used.
    replaces_id: int | None = field(default=None, kw_only=True)

    @property
    def path(self) -> str:
        """Where this asset's resources begin."""
        return f"/ddi/{self.slug}/controller/v1/{self.controller_id}"

    def scope(self) -> Scope:
        """The scope of this asset's requests: one tenant."""
        return Scope(Role.AGENTS, frozenset({self.tenant_id}))


@dataclass(frozen=True, slots=True)
class Enrolling:
    """The asset that an enrolment token is for."""

    tenant_id: int
    asset_id: int
    token_id: int
    slug: str
    controller_id: str

    @property
    def path(self) -> str:
        """The only place where the token works."""
        return f"/ddi/{self.slug}/controller/v1/{self.controller_id}/enrolment"


def caller() -> Caller:
    """The asset that makes this request."""
    found: Caller = g.agent
    return found


def enrolling() -> Enrolling:
    """The asset that enrols in this request."""
    found: Enrolling = g.enrolling
    return found


def resolve_agent() -> Scope:
    """The scope of an agent's request. Raises SignInNeeded, and Forbidden for a path of somebody else's."""
    return admit(find_caller(given("TargetToken")))


def admit(found: Caller | None) -> Scope:
    """Let an asset in, if it asks for something of its own. Raises SignInNeeded, Forbidden."""
    if found is None:
        raise SignInNeeded
    if request.path != found.path and not request.path.startswith(found.path + "/"):
        raise Forbidden
    return let_in(found)


def let_in(found: Caller) -> Scope:
    """Make the asset this request's caller; requests are counted for it, whatever credential or address it uses."""
    g.agent, g.budget = found, f"agent:{found.tenant_id}:{found.asset_id}"
    return found.scope()


def resolve_enrolment() -> Scope:
    """The scope of an enrolment. Raises SignInNeeded for a token that is unknown, used or too old; Forbidden."""
    with enter(gate()):
        row = db.session.execute(
            select(
                EnrolmentToken.tenant_id,
                EnrolmentToken.asset_id,
                EnrolmentToken.id,
                Tenant.slug,
                EnrolmentToken.controller_id,
            )
            .join(Tenant, Tenant.id == EnrolmentToken.tenant_id)
            .where(
                EnrolmentToken.token_hash == digest(given("EnrolmentToken")),
                EnrolmentToken.used_at.is_(None),
                EnrolmentToken.expires_at > time.now(),
                Tenant.state == "active",
            )
        ).one_or_none()
    if row is None:
        raise SignInNeeded
    g.enrolling = found = Enrolling(*row)
    g.budget = f"agent:{found.tenant_id}:{found.asset_id}"
    if request.path != found.path:
        raise Forbidden
    return Scope(Role.AGENTS, frozenset({found.tenant_id}))


def given(kind: str) -> str:
    """The credential of this kind in the request. Raises SignInNeeded when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != kind.lower() or not token.strip():
        raise SignInNeeded
    return token.strip()


def find_caller(token: str, kind: str = "token") -> Caller | None:
    """The asset whose live credential of this kind this is, of an active tenant."""
    return _caller(_by_token(), token_hash=digest(token), kind=kind)


def find_named(slug: str, controller_id: str) -> Caller | None:
    """The asset of this name, if it has a live credential: for links that the portal signed itself."""
    return _caller(_by_name(), slug=slug, name=controller_id)


@cache
def _by_token() -> Select[Any]:
    return _statement().where(
        AgentCredential.token_hash == bindparam("token_hash"), AgentCredential.kind == bindparam("kind")
    )


@cache
def _by_name() -> Select[Any]:
    return _statement().where(
        Tenant.slug == bindparam("slug"), AgentCredential.controller_id == bindparam("name")
    )


def _statement() -> Select[Any]:
    """Who calls, and what waits for it: put together once, since every poll asks."""
    wanted: list[Any] = [
        AgentCredential.tenant_id,
        AgentCredential.asset_id,
        Tenant.slug,
        AgentCredential.controller_id,
        AgentCredential.facts_due_at,
        AgentCredential.id,
        AgentCredential.client,
        AgentCredential.kind,
        AgentCredential.created_at,
        AgentCredential.rotate_at,
        AgentCredential.replaces_id,
        _waiting().label("waiting"),
    ]
    return (
        select(*wanted)
        .join(Tenant, Tenant.id == AgentCredential.tenant_id)
        .where(AgentCredential.revoked_at.is_(None), Tenant.state == "active")
        .order_by(AgentCredential.id.desc())
        .limit(1)
        .execution_options(**PREPARED)
    )


def _caller(asked: Select[Any], **given: Any) -> Caller | None:
    """One statement in the gate's scope, so that an idle poll needs nothing more."""
    with enter(gate()):
        row = db.session.execute(asked, given).one_or_none()
    if row is None:
        return None
    return Caller(
        tenant_id=row.tenant_id,
        asset_id=row.asset_id,
        slug=row.slug,
        controller_id=row.controller_id,
        facts_due_at=row.facts_due_at,
        credential_id=row.id,
        client=row.client,
        waiting=Waiting(*row.waiting) if row.waiting else None,
        rotate_at=(row.rotate_at or row.created_at + ROTATED_AFTER) if row.kind == "token" else None,
        replaces_id=row.replaces_id,
    )


def _offered() -> Any:
    """The phases of the partial index, written into the statement: a prepared plan can't see parameters."""
    return bindparam("phases", ("eligible", *OPEN), expanding=True, literal_execute=True)


def _waiting() -> Any:
    shown = func.json_build_array(
        Action.id,
        Action.phase,
        Action.campaign_id,
        Action.retrieved_at.is_not(None),
        Action.offers,
        Campaign.state,
    )
    return (
        select(shown)
        .join(Campaign, Campaign.id == Action.campaign_id)
        .where(
            Action.tenant_id == AgentCredential.tenant_id,
            Action.asset_id == AgentCredential.asset_id,
            Action.phase.in_(_offered()),
            or_(
                Action.phase != "eligible",
                and_(Campaign.state == "running", Action.ready_at.is_not(None)),
            ),
        )
        .order_by(Action.phase == "eligible", Action.id)
        .limit(1)
        .correlate(AgentCredential)
        .scalar_subquery()
    )
