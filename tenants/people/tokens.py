"""API tokens: a subset of one's own rights, for a limited time, shown once. Gate's scope."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.people.models import ApiToken
from tenants.people.principals import digest
from tenants.people.rules import TOKEN_LONGEST_DAYS, token_rights

MOST_TOKENS = 50


def mint_token(
    *, name: str, rights: Sequence[str], days: int, tenant_id: int | None, by: Actor, at: datetime
) -> tuple[ApiToken, str]:
    """A new token of the person; returns the row and the secret, which is stored nowhere.

    A client's token is bound to the company in view; staff may bind theirs to one client. Raises Forbidden without the
    right to mint, Invalid for rights or a tenant that the person does not hold, Conflict for too many tokens.
    """
    if by.id is None or not by.may(Permission.MINT_TOKENS):
        raise Forbidden
    _refuse(by, days, tenant_id)
    allowed = token_rights({*rights, Permission.USE_API}, by.permissions)
    if allowed is None:
        raise Invalid("rights", _l("Choose among your own rights."))
    if len(list_tokens(by.id, at=at)) >= MOST_TOKENS:
        raise Conflict(_l("You have too many tokens. Revoke those that are no longer used."))
    secret = secrets.token_urlsafe(32)
    token = ApiToken(
        token_hash=digest(secret),
        user_id=by.id,
        tenant_id=tenant_id,
        name=name.strip(),
        permissions=allowed,
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    db.session.add(token)
    db.session.flush()
    detail = {"name": token.name, "rights": allowed, "days": days, "tenant": tenant_id}
    audit.record(
        "token.minted", tenant_id=None, by=by, object=f"token:{token.public_id}", at=at, detail=detail
    )
    return token, secret


def _refuse(by: Actor, days: int, tenant_id: int | None) -> None:
    if not 1 <= days <= TOKEN_LONGEST_DAYS:
        raise Invalid("days", _l("A token lives from 1 to 365 days."))
    if tenant_id is None and not by.is_staff:
        raise Invalid("tenant", _l("Choose a company."))
    if tenant_id is not None and tenant_id not in by.tenants:
        raise Invalid("tenant", _l("Choose one of your companies."))


def list_tokens(user_id: int, *, at: datetime) -> list[ApiToken]:
    """A person's tokens that still work, newest first."""
    live = select(ApiToken).where(
        ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > at
    )
    return list(db.session.scalars(live.order_by(ApiToken.created_at.desc(), ApiToken.id.desc())))


def revoke_token(user_id: int, public_id: UUID, *, by: Actor, at: datetime) -> None:
    """End one of a person's tokens. Raises NotFound for anybody else's."""
    token = db.session.scalar(
        select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.public_id == public_id)
    )
    if token is None:
        raise NotFound
    if token.revoked_at is None:
        token.revoked_at = at
        audit.record("token.revoked", tenant_id=None, by=by, object=f"token:{token.public_id}", at=at)
