"""Views of one's own account; each module puts its views on the one blueprint."""

from typing import Any

from flask import Flask, g, url_for
from flask_babel import gettext as _

from msp.account import (
    forgotten,
    invited,
    jobs,
    mails,
    notifications,
    profile,
    second_factor,
    security,
    sign_in,
    switches,
    tokens,
)
from msp.account.blueprint import bp
from msp.web.words import name_of
from tenants.foundation.permissions import Permission

__all__ = [
    "bp",
    "forgotten",
    "invited",
    "jobs",
    "notifications",
    "profile",
    "second_factor",
    "security",
    "sign_in",
    "switches",
    "tokens",
]


def _context() -> dict[str, Any]:
    """The frame around one's own pages, and the links in the menu of the account."""
    who = g.get("actor")
    if who is None:
        return {"account_layout": "layouts/public.html", "account_links": [], "role_words": ""}
    links = [
        {"label": _("Profile"), "url": url_for("account.show_profile"), "icon": "person"},
        {"label": _("Security"), "url": url_for("account.show_security"), "icon": "shield-lock"},
    ]
    links.append({"label": _("Mails"), "url": url_for("account.choose_notifications"), "icon": "envelope"})
    if who.may(Permission.MINT_TOKENS):
        links.append({"label": _("API tokens"), "url": url_for("account.list_tokens"), "icon": "key"})
    return {
        "account_layout": "layouts/staff.html" if who.is_staff else "layouts/client.html",
        "account_links": links,
        "role_words": name_of("role", who.role),
    }


def install(app: Flask) -> None:
    """Give every page the links to one's own account, and the outbox the addresses of secret links."""
    app.context_processor(_context)
    mails.install()
