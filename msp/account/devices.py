"""Known devices: a signed cookie, set after a whole sign-in, gives its owner tries that strangers can't use up."""

import secrets

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from tenants.people.accounts import normal_email
from tenants.people.keys import key_for

YEAR = 365 * 24 * 3600


def _cookie() -> str:
    return "__Host-device" if current_app.config["SESSION_COOKIE_SECURE"] else "device"


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(key_for("known devices").hex(), salt="device")


def known_device(email: str) -> str | None:
    """The id of this browser if the person signed in with it before, else None."""
    try:
        owner, device = _signer().loads(request.cookies.get(_cookie(), ""))
    except (BadSignature, ValueError, TypeError):
        return None
    return device if owner == normal_email(email) and isinstance(device, str) else None


def remember_device(answer: Response, email: str) -> Response:
    """Let this browser be known as the person's."""
    value = _signer().dumps([normal_email(email), known_device(email) or secrets.token_urlsafe(16)])
    answer.set_cookie(
        _cookie(),
        value,
        max_age=YEAR,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return answer
