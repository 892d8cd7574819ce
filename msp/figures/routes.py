"""The pages of figures; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.figures import load_pages, table_pages, trend_pages
from msp.figures.blueprint import bp
from msp.web import navigation
from msp.web.navigation import Place
from tenants.foundation.permissions import Permission

__all__ = ["bp", "load_pages", "table_pages", "trend_pages"]


def install(app: Flask) -> None:
    """Put the pages into the navigation."""
    right = Permission.VIEW_FIGURES
    navigation.add(
        app,
        Place(_l("Figures"), "figures.show_figures", "speedometer2", right, staff=True, order=64),
    )
