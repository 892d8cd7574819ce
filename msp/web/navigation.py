"""What every page knows: who looks, at which company, and where to go. Blueprints add their own items."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import lazy_gettext as _l

from tenants.foundation.actor import Actor
from tenants.foundation.permissions import Permission


@dataclass(frozen=True, slots=True)
class Place:
    """A place to go: lazily translated label, endpoint, icon, the right it needs, and on whose pages it shows.

    `key` is the keyboard's way to it ("g q"). Staff see headings between places, by `order` (see `HEADINGS`).
    """

    label: Any
    endpoint: str
    icon: str
    permission: Permission
    staff: bool
    order: int = 50
    badge: Callable[[], Any] | None = None
    key: str = ""


# Above which places of staff a heading stands: those below an order that are not below the one before.
HEADINGS = (
    (30, _l("Desk")),
    (52, _l("Clients")),
    (60, _l("Maintenance")),
    (70, _l("Service")),
    (80, _l("Team")),
    (1000, _l("Settings")),
)


@dataclass(frozen=True, slots=True)
class Item:
    """A place as the layout shows it."""

    label: str
    url: str
    icon: str
    active: bool
    badge: Any = None
    key: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """A company that the person may switch to."""

    id: int
    name: str
    slug: str


def add(app: Flask, *places: Place) -> None:
    """Add places to the navigation."""
    app.extensions.setdefault("places", []).extend(places)


def _places(actor: Actor) -> list[Place]:
    """The places that this person may go to, in their order."""
    places = sorted(current_app.extensions.get("places", []), key=lambda place: place.order)
    return [place for place in places if place.staff == actor.is_staff and actor.may(place.permission)]


def _item(place: Place) -> Item:
    return Item(
        str(place.label),
        url_for(place.endpoint),
        place.icon,
        request.endpoint == place.endpoint,
        place.badge() if place.badge else None,
        place.key,
        str(next(words for below, words in HEADINGS if place.order < below)) if place.staff else "",
    )


def search_leads_to(app: Flask, *, staff: str, client: str) -> None:
    """The endpoints to which the search box of every page sends `q`."""
    app.extensions["search"] = {True: staff, False: client}


def _search_url(actor: Actor | None) -> str:
    places = current_app.extensions.get("search")
    return url_for(places[actor.is_staff]) if actor and places else ""


def _context() -> dict[str, Any]:
    actor, found = g.get("actor"), g.get("principal")
    places = _places(actor) if actor else []
    companies = [Company(*one) for one in found.companies] if found else []
    return {
        "current_actor": actor,
        "current_principal": found,
        "current_tenant": next((one for one in companies if one.id == found.tenant_id), None)
        if found
        else None,
        "companies": companies,
        "navigation": [_item(place) for place in places],
        "search_url": _search_url(actor),
        "provider_name": current_app.extensions["settings"].provider_name,
        "demo": current_app.extensions["settings"].demo,
        "may": actor.may if actor else lambda _permission: False,
        "Permission": Permission,
    }


def install(app: Flask) -> None:
    """Give templates the context; the same `may()` decides in templates and views."""
    app.context_processor(_context)
