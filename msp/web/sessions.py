"""Flask-Login over server-side sessions: the cookie carries a random token, the row decides."""

from typing import Any

from flask import Flask, Request, g, request
from flask_login import LoginManager, UserMixin, current_user

from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people import principals
from tenants.people.principals import Principal
from tenants.people.sessions import touch_session, touch_token


class SignedIn(UserMixin):
    """What Flask-Login keeps of a signed-in person."""

    def __init__(self, token: str, principal: Principal) -> None:
        self.token = token
        self.principal = principal

    def get_id(self) -> str:
        """The session's token: signing out or revoking the row ends it everywhere."""
        return self.token


def _load(token: str) -> SignedIn | None:
    with enter(gate()):
        found = principals.by_session(token, time.now())
        if found is not None and found.seen_long_ago and found.session_id is not None:
            touch_session(found.session_id, at=time.now())
            db.session.commit()
    return None if found is None else SignedIn(token, found)


def bearer(of: Request) -> str | None:
    """The bearer token of a request, if it carries one."""
    kind, _, token = of.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def _by_bearer() -> Principal | None:
    token = bearer(request)
    if token is None:
        return None
    with enter(gate()):
        found = principals.by_api_token(token, time.now())
        if found is not None and found.seen_long_ago and found.token_id is not None:
            touch_token(found.token_id, at=time.now())
            db.session.commit()
    return found


def find_principal() -> Principal | None:
    """The person behind the request: by bearer token below /api/, by session cookie elsewhere, never mixed."""
    if "resolved" not in g:
        g.resolved = _by_bearer() if request.path.startswith("/api/") else _by_cookie()
    found: Principal | None = g.resolved
    return found


def _by_cookie() -> Principal | None:
    user: Any = current_user
    return user.principal if user.is_authenticated else None


def install(app: Flask) -> None:
    """Attach Flask-Login; its cookies for remembering are not used."""
    manager = LoginManager()
    manager.session_protection = None
    manager.init_app(app, add_context_processor=False)
    manager.user_loader(_load)
    app.extensions["find_principal"] = find_principal
