"""Views of this feature."""

from flask import Flask

from msp.api import docs, problems
from msp.api.blueprint import bp
from msp.api.payload import check_request
from msp.api.views import assets, calculations, campaigns, contracts, history, statements, tenants, tickets
from msp.web import limits
from msp.web.limits import limiter

__all__ = [
    "assets",
    "bp",
    "calculations",
    "campaigns",
    "contracts",
    "docs",
    "history",
    "statements",
    "tenants",
    "tickets",
]

bp.before_request(check_request)
limiter.shared_limit(lambda: limits.API, scope="api")(bp)


def install(app: Flask) -> None:
    """Attach the problems; programs send a bearer token, which no foreign page can make them send."""
    problems.install(app)
    app.extensions["csrf"].exempt(bp)
