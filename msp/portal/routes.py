"""The client's pages; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.portal import (
    assets,
    calendar,
    chats,
    company,
    contracts,
    decisions,
    following,
    home,
    jobs,
    maintenance,
    people,
    remote,
    statements,
    tickets,
)
from msp.portal.blueprint import bp
from msp.web import navigation
from tenants.foundation.permissions import Permission

__all__ = [
    "assets",
    "bp",
    "calendar",
    "chats",
    "company",
    "contracts",
    "decisions",
    "following",
    "home",
    "jobs",
    "maintenance",
    "people",
    "remote",
    "statements",
    "tickets",
]

HOME = navigation.Place(
    _l("Home"), "portal.home", "house", Permission.VIEW_PORTAL, staff=False, order=10, key="g h"
)
TICKETS = navigation.Place(
    _l("Tickets"),
    "portal.list_tickets",
    "ticket",
    Permission.VIEW_PORTAL,
    staff=False,
    order=20,
    key="g t",
)


def install(app: Flask) -> None:
    """Put the pages into the navigation."""
    navigation.add(
        app,
        HOME,
        TICKETS,
        chats.PLACE,
        assets.PLACE,
        maintenance.PLACE,
        *calendar.PLACES,
        contracts.PLACE,
        statements.PLACE,
        people.PLACE,
        *company.PLACES,
    )
