"""The desk: staff pages over tickets; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.desk import hand_overs, opening, quarantine, queue, states, ticket, times
from msp.desk.blueprint import bp
from msp.web import navigation, panels
from tenants.foundation.permissions import Permission

__all__ = ["bp", "hand_overs", "opening", "quarantine", "queue", "states", "ticket", "times"]


def install(app: Flask) -> None:
    """Put the pages into the navigation."""
    navigation.add(
        app,
        navigation.Place(
            _l("Queue"),
            "desk.show_queue",
            "inboxes",
            Permission.VIEW_DESK,
            staff=True,
            order=10,
            key="g q",
            searches=True,
        ),
        navigation.Place(
            _l("New ticket"), "desk.choose_client", "telephone", Permission.WORK_TICKETS, staff=True, order=12
        ),
        quarantine.PLACE,
    )
    panels.add(app, "ticket", quarantine.build_mails)
