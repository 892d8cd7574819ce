"""Server-side sessions: begun at sign-in with a fresh token, revocable at once. All in the gate's scope."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.people.models import ApiToken, SignInSession
from tenants.people.principals import digest

ABSOLUTE = timedelta(hours=12)


def begin_session(
    user_id: int, *, at: datetime, address: str = "", agent: str = "", second_factor: bool = False
) -> str:
    """A new session of a person; returns the token for the cookie, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    db.session.add(
        SignInSession(
            token_hash=digest(token),
            user_id=user_id,
            created_at=at,
            last_seen_at=at,
            expires_at=at + ABSOLUTE,
            second_factor_at=at if second_factor else None,
            address=address[:60],
            agent=agent[:200],
        )
    )
    db.session.flush()
    return token


def touch_session(session_id: int, *, at: datetime) -> None:
    """Remember that the session was used; called at most once a minute."""
    db.session.execute(update(SignInSession).where(SignInSession.id == session_id).values(last_seen_at=at))


def touch_token(token_id: int, *, at: datetime) -> None:
    """Remember that an API token was used; called at most once a day."""
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_on=at))


def end_session(session_id: int, *, at: datetime) -> None:
    """Revoke one session."""
    ended = update(SignInSession).where(SignInSession.id == session_id, SignInSession.revoked_at.is_(None))
    db.session.execute(ended.values(revoked_at=at))


def end_sessions_of(user_id: int, *, at: datetime, except_id: int | None = None) -> None:
    """Revoke all sessions of a person, for instance after a new password."""
    ended = update(SignInSession).where(SignInSession.user_id == user_id, SignInSession.revoked_at.is_(None))
    if except_id is not None:
        ended = ended.where(SignInSession.id != except_id)
    db.session.execute(ended.values(revoked_at=at))


def list_sessions(user_id: int, *, at: datetime) -> list[SignInSession]:
    """A person's sessions that still work, the latest used first."""
    live = select(SignInSession).where(
        SignInSession.user_id == user_id, SignInSession.revoked_at.is_(None), SignInSession.expires_at > at
    )
    return list(db.session.scalars(live.order_by(SignInSession.last_seen_at.desc(), SignInSession.id.desc())))


def end_own_session(user_id: int, public_id: UUID, *, at: datetime) -> int:
    """Revoke one of a person's own sessions and return its row id. Raises NotFound for anybody else's."""
    found = db.session.scalar(
        select(SignInSession).where(SignInSession.user_id == user_id, SignInSession.public_id == public_id)
    )
    if found is None:
        raise NotFound
    end_session(found.id, at=at)
    return found.id


def forget_ended(*, at: datetime) -> None:
    """Remove sessions that ended a month ago."""
    db.session.execute(delete(SignInSession).where(SignInSession.expires_at < at - timedelta(days=30)))


def end_tokens_of(user_id: int, *, at: datetime, tenant_id: int | None = None) -> None:
    """Revoke all API tokens of a person, or those bound to one company."""
    ended = update(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    if tenant_id is not None:
        ended = ended.where(ApiToken.tenant_id == tenant_id)
    db.session.execute(ended.values(revoked_at=at))


def choose_company(session_id: int, tenant_id: int) -> None:
    """Remember which of a person's companies is in view."""
    db.session.execute(
        update(SignInSession).where(SignInSession.id == session_id).values(tenant_id=tenant_id)
    )
