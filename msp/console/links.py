"""Where a client's things are to be seen: pages of other features, as far as they exist and may be opened."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for
from flask_babel import lazy_gettext as _l

from msp.web.access import access_of
from tenants.foundation.actor import Actor
from tenants.tenancy.models import Tenant


@dataclass(frozen=True, slots=True)
class Link:
    """A labelled address."""

    label: Any
    url: str
    icon: str


# Label, icon, endpoint, and whether the client goes into the path or narrows a list.
_PLACES: tuple[tuple[Any, str, str, bool], ...] = (
    (_l("Tickets"), "inbox", "desk.show_queue", False),
    (_l("Assets"), "pc-display", "console.list_assets", False),
    (_l("People"), "people", "console.list_client_people", True),
    (_l("Contract"), "file-earmark-text", "console.show_contract", True),
    (_l("Statements"), "file-earmark-check", "console.list_client_statements", True),
    (_l("Planned maintenance"), "tools", "console.list_maintenance", True),
    (_l("Campaigns"), "broadcast", "campaigns.list_campaigns", False),
    (_l("Windows and freezes"), "lock", "console.list_windows", True),
    (_l("Upkeep"), "tools", "upkeep.list_plans", False),
    (_l("Calendar"), "calendar-event", "upkeep.show_calendar", False),
    (_l("Chat on the website"), "chat-dots", "console.set_chat_door", True),
    (_l("Audit log"), "shield-check", "console.show_audit", True),
)


def tenant_links(tenant: Tenant, who: Actor) -> list[Link]:
    """Links from a client's page to all that belongs to it."""
    found = []
    for label, icon, endpoint, in_path in _PLACES:
        if may_open(endpoint, who):
            where: dict[str, Any] = {"slug" if in_path else "tenant": tenant.slug}
            found.append(Link(label, url_for(endpoint, **where), icon))
    return found


def may_open(endpoint: str, who: Actor) -> bool:
    """Whether the page exists and this person may see it."""
    if endpoint not in current_app.view_functions:
        return False
    access = access_of(current_app, endpoint)
    return access is not None and access.permission is not None and who.may(access.permission)
