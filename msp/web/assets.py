"""Addresses of static files: third-party ones from the build's manifest, our own with a content hash."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from flask import Flask, has_request_context, request, url_for

STATIC = Path(__file__).parent.parent / "static"


@lru_cache(maxsize=1)
def _manifest() -> dict[str, dict[str, str]]:
    path = STATIC / "vendor" / "manifest.json"
    found: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    return found


@lru_cache(maxsize=256)
def _version(name: str) -> str:
    path = STATIC / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "missing"


def asset(name: str) -> str:
    """The address of a static file by its logical name."""
    return _address(name, request.script_root if has_request_context() else "")


@lru_cache(maxsize=512)
def _address(name: str, _root: str) -> str:
    """Worked out once for each place that the portal may be mounted at: a page has a hundred icons."""
    vendor = _manifest().get(name)
    if vendor:
        return url_for("static", filename=f"vendor/{vendor['file']}")
    return url_for("static", filename=name, v=_version(name))


def install(app: Flask) -> None:
    """Let templates call `asset()`."""
    app.jinja_env.globals["asset"] = asset
