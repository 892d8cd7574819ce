"""The pages of staff; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.staff import passing_pages, person_pages, roster_pages, skill_pages
from msp.staff.blueprint import bp
from msp.web import navigation, panels
from msp.web.navigation import Place
from tenants.foundation.permissions import Permission

__all__ = ["bp", "passing_pages", "person_pages", "roster_pages", "skill_pages"]


def install(app: Flask) -> None:
    """Put the pages into the navigation, let links open a person's roster, and show unread notes on the desk's home."""
    app.extensions["credentials"]["roster"] = person_pages.resolve_link
    panels.add(app, "desk_home", passing_pages.build_unread)
    right = Permission.VIEW_DESK
    navigation.add(
        app,
        Place(_l("Roster"), "staff.show_roster", "clock", right, staff=True, order=70),
        Place(_l("My duty"), "staff.show_me", "person-check", right, staff=True, order=72),
        Place(_l("Skills"), "staff.list_skills", "shield-check", right, staff=True, order=74),
    )
