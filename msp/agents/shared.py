"""What a client's machines may share: tokens of the gateway and of inventories, and whose certificates count."""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from msp.agents.models import SHARED_KINDS, SharedCredential
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.scope import Role, Scope, enter, gate
from tenants.people.principals import digest
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import as_uuid

MOST_LIVE = 20
_ISSUER = re.compile(r"[A-Za-z0-9:+/=._-]{16,200}")


@dataclass(frozen=True, slots=True)
class Sharing:
    """The client whose shared credential was shown."""

    tenant_id: int
    slug: str
    credential_id: int

    def scope(self) -> Scope:
        """The scope in which the client's machines act."""
        return Scope(Role.AGENTS, frozenset({self.tenant_id}))


def find_sharing(kind: str, tokens: Collection[str], slug: str | None = None) -> Sharing | None:
    """The active client whose live credentials of this kind are among these, if there is exactly one.

    With a short name it must be this client's. Suspended clients count too: what two clients share does not tell whose
    machine calls.
    """
    asked = (
        select(SharedCredential.tenant_id, Tenant.slug, SharedCredential.id, Tenant.state)
        .join(Tenant, Tenant.id == SharedCredential.tenant_id)
        .where(*_live(kind, tokens))
        .order_by(SharedCredential.id)
    )
    with enter(gate()):
        rows = db.session.execute(asked).all()
    if len({row.tenant_id for row in rows}) != 1 or rows[0].state != "active":
        return None
    found = Sharing(rows[0].tenant_id, rows[0].slug, rows[0].id)
    return found if slug in (None, found.slug) else None


def _live(kind: str, tokens: Collection[str]) -> tuple[Any, ...]:
    return (
        SharedCredential.token_hash.in_([digest(one) for one in tokens]),
        SharedCredential.kind == kind,
        SharedCredential.revoked_at.is_(None),
    )


def _counts_elsewhere(issuer: str, tenant_id: int) -> bool:
    """Whether certificates of this issuer count for another client, of which the asking person may know nothing."""
    asked = select(SharedCredential.id).where(
        *_live("authority", [issuer_of(issuer)]), SharedCredential.tenant_id != tenant_id
    )
    with enter(gate()):
        return db.session.scalar(asked.limit(1)) is not None


def add_shared(
    tenant_id: int, *, kind: str, name: str, issuer: str = "", by: Actor, at: datetime
) -> tuple[SharedCredential, str]:
    """A credential that a client's machines share, with its token, readable only now; an authority has none.

    Raises Invalid naming what is unfit.
    """
    words = " ".join(name.split())
    if not 1 <= len(words) <= 80:
        raise Invalid("name", _l("Give it a name of at most 80 characters."))
    if kind not in SHARED_KINDS:
        raise Invalid("kind", _l("Choose one of the kinds."))
    if kind == "authority" and not _ISSUER.fullmatch(issuer.strip()):
        raise Invalid("issuer", _l("Give the issuer's digest as the proxy sends it: 16 to 200 characters."))
    if kind == "authority" and _counts_elsewhere(issuer, tenant_id):
        raise Invalid("issuer", _l("This issuer is in use already. Give each client an issuer of its own."))
    if len(list_shared(tenant_id, kind=kind)) >= MOST_LIVE:
        raise Invalid("kind", _l("This client has too many of these. Revoke one first."))
    token = "" if kind == "authority" else secrets.token_urlsafe(32)
    kept = SharedCredential(
        tenant_id=tenant_id,
        kind=kind,
        name=words,
        token_hash=digest(token or issuer_of(issuer)),
        created_by=by.name,
        created_at=at,
    )
    db.session.add(kept)
    db.session.flush()
    _audit("agent.share", kept, by, at)
    return kept, token


def issuer_of(text: str) -> str:
    """An issuer's digest as it is compared: without regard to case."""
    return text.strip().lower()


def find_shared(public_id: str) -> SharedCredential:
    """The shared credential with this id. Raises NotFound."""
    found = db.session.scalar(
        select(SharedCredential).where(SharedCredential.public_id == as_uuid(public_id))
    )
    if found is None:
        raise NotFound
    return found


def list_shared(tenant_id: int, *, kind: str = "") -> list[SharedCredential]:
    """A client's live shared credentials, by kind and name."""
    asked = select(SharedCredential).where(
        SharedCredential.tenant_id == tenant_id, SharedCredential.revoked_at.is_(None)
    )
    asked = asked.where(SharedCredential.kind == kind) if kind else asked
    order = (SharedCredential.kind, SharedCredential.name, SharedCredential.id)
    return list(db.session.scalars(asked.order_by(*order)))


def revoke_shared(kept: SharedCredential, *, by: Actor, at: datetime) -> None:
    """End it at once. Raises Conflict when it has ended."""
    db.session.refresh(kept, with_for_update=True)
    if kept.revoked_at is not None:
        raise Conflict(_l("This credential was revoked already."))
    kept.revoked_at, kept.revoked_by = at, by.name
    _audit("agent.unshare", kept, by, at)
    db.session.flush()


def _audit(action: str, kept: SharedCredential, by: Actor, at: datetime) -> None:
    audit.record(
        action,
        tenant_id=kept.tenant_id,
        by=by,
        object=f"shared_credential:{kept.public_id}",
        at=at,
        detail={"name": kept.name, "kind": kept.kind},
    )
