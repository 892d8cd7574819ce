"""Signed addresses under which people bring large files to the process that keeps artifacts.

A link names the release, who brings it and until when; it works for nobody else's release and for no other file store.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask import current_app

from msp.campaigns.models import Release
from tenants.foundation.actor import Actor

LIFE = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Bringer:
    """Who brings files, to which release."""

    release_id: str
    user_id: int
    name: str


def upload_link(release: Release, who: Actor, at: datetime) -> str:
    """Where this person may bring files to this release during the next four hours."""
    settings = current_app.extensions["settings"]
    until = int((at + LIFE).timestamp())
    signed = {"user": str(who.id or 0), "name": who.name, "until": str(until)}
    query = urlencode({**signed, "signature": _sign(str(release.public_id), signed)})
    return f"{settings.artifacts_url or settings.public_url}/uploads/{release.public_id}?{query}"


def read_link(release_id: str, given: dict[str, str], at: datetime) -> Bringer | None:
    """Who brings files by this address; None for one that was changed or is too old."""
    signed = {name: given.get(name, "") for name in ("user", "name", "until")}
    plain = all(
        one.isascii() and one.isdigit() and len(one) <= 18 for one in (signed["user"], signed["until"])
    )
    signature = given.get("signature", "")
    if not plain or not signature.isascii() or len(signed["name"]) > 200:
        return None
    if not hmac.compare_digest(_sign(release_id, signed), signature) or at.timestamp() > int(signed["until"]):
        return None
    return Bringer(release_id, int(signed["user"]), signed["name"])


def _sign(release_id: str, signed: dict[str, str]) -> str:
    key = hashlib.sha256(b"artifact uploads\0" + current_app.config["SECRET_KEY"].encode()).digest()
    said = "\n".join([release_id, *(signed[name] for name in ("user", "until", "name"))])
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
