"""The pages of training; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.training import class_pages, client_pages, invitations, jobs, staff_pages
from msp.training.blueprint import bp
from msp.web import navigation
from msp.web.navigation import Place
from tenants.foundation.permissions import Permission

__all__ = ["bp", "class_pages", "client_pages", "jobs", "staff_pages"]


def install(app: Flask) -> None:
    """Put the pages into the navigation, and let mails bring invitations along."""
    invitations.install()
    right = Permission.VIEW_DESK
    navigation.add(
        app,
        Place(_l("Training"), "training.show_training", "people-fill", right, staff=True, order=66),
        Place(
            _l("Training"),
            "training.list_own",
            "people-fill",
            Permission.VIEW_PORTAL,
            staff=False,
            order=27,
        ),
    )
