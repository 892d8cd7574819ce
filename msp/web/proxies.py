"""Who calls when the portal stands behind proxies: each of ours adds the address that it saw to X-Forwarded-For."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix


def install(app: Flask, proxies: int) -> None:
    """Believe the last so many addresses of X-Forwarded-For; with none the header counts for nothing.

    Scheme and host never come from a header: PUBLIC_URL says them.
    """
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]
