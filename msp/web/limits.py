"""Rate limits of requests: counted in Redis, in the process's memory while Redis is down.

Sign-in has limits of its own in PostgreSQL (tenants.people), which hold in any case.
"""

from flask import Flask, g, request
from flask_limiter import Limiter

from msp.web.sessions import bearer
from tenants.people.limits import source_of
from tenants.people.principals import digest

API = "600/minute"
AGENTS = "600/minute"
PRINT = "20/minute"


def credential_key() -> str:
    """One budget per caller: what a machine's credential was resolved to, the API's token, the person, the address.

    A header that the view does not read brings nobody a budget of its own.
    """
    if "budget" in g:
        return f"resolved:{g.budget}"
    who = g.get("actor")
    if who is None:
        return f"address:{source_of(request.remote_addr)}"
    token = bearer(request) if request.path.startswith("/api/") else None
    return "token:" + digest(token).hex()[:32] if token else f"person:{who.id}"


limiter = Limiter(key_func=credential_key, default_limits=[])


# A printed page costs a process of its own: pages and API share one budget.
printed = limiter.shared_limit(PRINT, scope="print")


def install(app: Flask) -> None:
    """Attach the limiter."""
    limiter.init_app(app)
