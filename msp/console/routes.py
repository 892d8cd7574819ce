"""The provider's view across all clients; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.console import (
    applying,
    asset_import,
    assets,
    audit,
    categories,
    chat_doors,
    client_people,
    clock_checks,
    contracts,
    exports,
    hand_overs,
    home,
    jobs,
    mailboxes,
    mails,
    maintenance,
    onboarding,
    ratings,
    replies,
    sites,
    staff,
    statements,
    suspension,
    tenants,
    trials,
    vendors,
    what_if,
    windows,
)
from msp.console.blueprint import bp
from msp.web import navigation
from msp.web.navigation import Place
from tenants.foundation.permissions import Permission

__all__ = [
    "applying",
    "asset_import",
    "assets",
    "audit",
    "bp",
    "categories",
    "chat_doors",
    "client_people",
    "clock_checks",
    "contracts",
    "exports",
    "hand_overs",
    "home",
    "jobs",
    "mailboxes",
    "mails",
    "maintenance",
    "onboarding",
    "ratings",
    "replies",
    "sites",
    "staff",
    "statements",
    "suspension",
    "tenants",
    "trials",
    "vendors",
    "what_if",
    "windows",
]


def install(app: Flask) -> None:
    """Places in the navigation of staff."""
    navigation.add(
        app,
        Place(
            _l("Overview"), "console.show_home", "speedometer2", Permission.VIEW_CONSOLE, staff=True, order=30
        ),
        Place(
            _l("Clients"), "console.list_tenants", "building", Permission.VIEW_TENANTS, staff=True, order=40
        ),
        Place(
            _l("Assets"), "console.list_assets", "pc-display", Permission.VIEW_ASSETS, staff=True, order=50
        ),
        contracts.PLACE,
        statements.PLACE,
        vendors.PLACE,
        hand_overs.PLACE,
        staff.PLACE,
        ratings.PLACE,
        mails.PLACE,
        categories.PLACE,
        mailboxes.PLACE,
        Place(
            _l("Audit log"),
            "console.choose_audit",
            "shield-check",
            Permission.VIEW_AUDIT,
            staff=True,
            order=90,
        ),
    )
