"""Signed addresses of artifacts: agents send their credential to the portal only, artifacts may live elsewhere.

A link names the asset, the release, the file and the moment until which it works; it is a function of the action's
row, so asking twice gives the same.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from flask import current_app

LIFE = timedelta(days=7)
SAFE = ":"


def artifact_path(slug: str, controller_id: str, module: int, filename: str) -> str:
    """The path of a file of a release, as this asset sees it."""
    return f"/ddi/{slug}/controller/v1/{controller_id}/softwaremodules/{module}/artifacts/{filename}"


def artifact_link(slug: str, controller_id: str, module: int, filename: str, begun: datetime) -> str:
    """The whole address, good for a week from the moment given."""
    settings = current_app.extensions["settings"]
    path = artifact_path(slug, controller_id, module, filename)
    until = int((begun + LIFE).timestamp())
    query = urlencode({"until": until, "signature": sign(path, until)})
    return f"{settings.artifacts_url or settings.public_url}{quote(path, safe='/' + SAFE)}?{query}"


def sign(path: str, until: int) -> str:
    """The signature over a path and the second until which it holds."""
    key = hashlib.sha256(b"artifact links\0" + current_app.config["SECRET_KEY"].encode()).digest()
    return hmac.new(key, f"{until}\n{path}".encode(), hashlib.sha256).hexdigest()


def is_signed(path: str, until: str, signature: str, at: datetime) -> bool:
    """Whether the portal signed this path and it still holds."""
    if not until.isascii() or not until.isdigit() or len(until) > 12 or not signature.isascii():
        return False
    fits = hmac.compare_digest(sign(path, int(until)), signature)
    return fits and at.timestamp() <= int(until)
