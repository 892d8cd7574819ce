"""The desk: staff pages over tickets; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.desk import (
    bulk,
    calls,
    chats,
    checklists,
    coming_visits,
    details,
    files,
    hand_overs,
    linking,
    opening,
    quarantine,
    queue,
    remote,
    states,
    texts,
    ticket,
    times,
    vendors,
    views,
    visits,
    watchers,
)
from msp.desk.blueprint import bp
from msp.web import navigation, panels
from tenants.foundation.permissions import Permission

__all__ = [
    "bp",
    "bulk",
    "calls",
    "chats",
    "checklists",
    "coming_visits",
    "details",
    "files",
    "hand_overs",
    "linking",
    "opening",
    "quarantine",
    "queue",
    "remote",
    "states",
    "texts",
    "ticket",
    "times",
    "vendors",
    "views",
    "visits",
    "watchers",
]


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
        ),
        navigation.Place(
            _l("New ticket"),
            "desk.choose_client",
            "plus-circle",
            Permission.WORK_TICKETS,
            staff=True,
            order=12,
        ),
        navigation.Place(
            _l("Calls"), "desk.list_calls", "telephone", Permission.WORK_TICKETS, staff=True, order=13
        ),
        navigation.Place(
            _l("Chats"), "desk.list_chats", "chat-dots", Permission.WORK_TICKETS, staff=True, order=14
        ),
        navigation.Place(
            _l("SMS and WhatsApp"), "desk.list_texts", "phone", Permission.WORK_TICKETS, staff=True, order=15
        ),
        navigation.Place(
            _l("Visits"), "desk.list_visits", "calendar-event", Permission.VIEW_DESK, staff=True, order=16
        ),
        quarantine.PLACE,
    )
    panels.add(app, "ticket", quarantine.build_mails)
