"""The words of tables of figures."""

from typing import Any

from flask_babel import lazy_gettext as _l

from msp.figures.resolved import By, Of

BY_WORDS: dict[By, Any] = {
    By.TECHNICIAN: _l("By technician"),
    By.TEAM: _l("By team"),
    By.CLIENT: _l("By client"),
    By.CATEGORY: _l("By category"),
}
BY_HEADS: dict[By, Any] = {
    By.TECHNICIAN: _l("Technician"),
    By.TEAM: _l("Team"),
    By.CLIENT: _l("Client"),
    By.CATEGORY: _l("Category"),
}
OF_WORDS: dict[Of, Any] = {
    Of.RESOLVED: _l("Resolved"),
    Of.STAYED: _l("Stayed resolved"),
    Of.REOPENED: _l("Reopened"),
    Of.CAME_BACK: _l("Came back"),
    Of.FIRST_CONTACT: _l("At first contact"),
    Of.RETURNED: _l("Hand-overs given back"),
}
