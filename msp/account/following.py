"""Where to go next: only to a page of ours, and never to what a stranger wrote into `next`."""

from urllib.parse import unquote, urlsplit

from flask import current_app, g, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

LONGEST = 2000
# Pages that end or begin a sign-in lead nowhere, and programs' addresses are no pages.
_NOT_PAGES = ("static", "account.sign_in", "account.second_factor", "account.sign_out")
_NOT_FOR_PEOPLE = ("/api/", "/ddi/", "/metrics", "/healthz", "/readyz")


def safe_next(target: str | None) -> str | None:
    """The path and query of one of our own pages that can be opened by GET, or None for anything else."""
    if not target or len(target) > LONGEST or not _is_plain(target):
        return None
    parts = urlsplit(target)
    path = unquote(parts.path)
    if parts.scheme or parts.netloc or not _is_plain(path) or not _is_page(path):
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _is_plain(path: str) -> bool:
    """One leading slash, and nothing that a browser would read as another host."""
    printable = path.isascii() and all(32 < ord(one) < 127 for one in path)
    return printable and path.startswith("/") and not path.startswith("//") and "\\" not in path


def _is_page(path: str) -> bool:
    if path.startswith(_NOT_FOR_PEOPLE):
        return False
    try:
        endpoint, _values = current_app.url_map.bind("portal.invalid").match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return False
    return endpoint not in _NOT_PAGES


def home() -> str:
    """The first page of the signed-in person: the first place of the navigation, the console for those who lead."""
    who = g.get("actor")
    if who is None:
        return url_for("account.sign_in")
    places = sorted(current_app.extensions.get("places", []), key=lambda place: place.order)
    open_to = [
        place.endpoint for place in places if place.staff == who.is_staff and who.may(place.permission)
    ]
    if who.role in ("owner", "manager"):
        open_to.sort(key=lambda endpoint: not endpoint.startswith("console."))
    return url_for(open_to[0]) if open_to else url_for("account.show_profile")
