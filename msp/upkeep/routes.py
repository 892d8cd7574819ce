"""The pages of upkeep; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.upkeep import calendar_pages, plan_pages, policy_pages
from msp.upkeep.blueprint import bp
from msp.web import navigation
from msp.web.navigation import Place
from msp.windows.words import rule_words, weekday_words
from tenants.foundation.permissions import Permission

__all__ = ["bp", "calendar_pages", "plan_pages", "policy_pages"]


def install(app: Flask) -> None:
    """Put the pages into the navigation of staff, let links open calendars, and put rules into words."""
    app.extensions["credentials"]["calendar"] = calendar_pages.resolve_link
    app.jinja_env.filters.update(rule_words=rule_words, weekday=weekday_words)
    right = Permission.VIEW_CAMPAIGNS
    navigation.add(
        app,
        Place(_l("Calendar"), "upkeep.show_calendar", "calendar-event", right, staff=True, order=53),
        Place(_l("Upkeep"), "upkeep.list_plans", "tools", right, staff=True, order=54),
        Place(_l("Patch policies"), "upkeep.list_policies", "arrow-repeat", right, staff=True, order=56),
    )
