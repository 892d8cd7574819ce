"""Rate limits of requests: counted in Redis, in the process's memory while Redis is down.

Sign-in has limits of its own in PostgreSQL (tenants.people), which hold in any case.
"""

from flask import Flask, g, request
from flask_limiter import Limiter

from msp.web.sessions import bearer
from tenants.people.principals import digest

API = "600/minute"
AGENTS = "600/minute"
PRINT = "20/minute"


def credential_key() -> str:
    """One budget per credential: what it was resolved to, the token, the signed-in person, else the address."""
    if "budget" in g:
        return f"resolved:{g.budget}"
    token = bearer(request) or request.headers.get("Authorization")
    if token:
        return "token:" + digest(token).hex()[:32]
    who = g.get("actor")
    return f"person:{who.id}" if who is not None else f"address:{request.remote_addr}"


limiter = Limiter(key_func=credential_key, default_limits=[])


# A printed page costs a process of its own: pages and API share one budget.
printed = limiter.shared_limit(PRINT, scope="print")


def install(app: Flask) -> None:
    """Attach the limiter."""
    limiter.init_app(app)
