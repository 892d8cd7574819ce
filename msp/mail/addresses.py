"""Absolute addresses for mails, under PUBLIC_URL, whatever host a request claims to be for."""

from typing import Any
from urllib.parse import urlsplit

from flask import current_app


def address_of(endpoint: str, **values: Any) -> str:
    """The address of a view as a link in a mail."""
    public = urlsplit(current_app.extensions["settings"].public_url)
    adapter = current_app.url_map.bind(public.netloc, url_scheme=public.scheme)
    return adapter.build(endpoint, values, force_external=True)


def host() -> str:
    """The host that message ids end in."""
    return urlsplit(current_app.extensions["settings"].public_url).hostname or "localhost"
