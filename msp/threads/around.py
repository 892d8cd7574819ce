"""What stands around a ticket, as a panel beside it: category, further assets, other tickets, watchers, checklist."""

from typing import Any

from flask_babel import lazy_gettext as _l

from msp.threads.choices import reader_language
from msp.web.access import actor
from msp.web.panels import Panel
from tenants.foundation import time
from tenants.tickets import categories, checklists, follow_ups, linking, places, watching
from tenants.tickets.models import Ticket
from tenants.tickets.queries import TicketView

LINK_WORDS = {
    "duplicate": _l("is a duplicate of"),
    "parent": _l("is a part of"),
    "problem": _l("is caused by the problem"),
    "change": _l("waits for the change"),
    "related": _l("has to do with"),
}
# The same links, read from the other ticket.
BACK_WORDS = {
    "duplicate": _l("has the duplicate"),
    "parent": _l("has the part"),
    "problem": _l("causes"),
    "change": _l("is awaited by"),
    "related": _l("has to do with"),
}


def build_around(*, view: TicketView, **_more: Any) -> Panel:
    """The panel; a fixed number of statements however much there is."""
    ticket, staff = view.ticket, actor().is_staff
    watchers, family = watching.list_watchers(ticket), follow_ups.find_family(ticket)
    shown: dict[str, Any] = {
        "category": _category(ticket),
        "further": places.list_further_assets(ticket),
        "current": family.current,
        "merged": family.merged,
        "followed": family.followed,
        "may_follow_up": follow_ups.may_follow_up(ticket, time.now()),
        "watching": any(one.user_id == actor().id for one in watchers),
    }
    if not staff:
        return "threads/around_client.html", shown
    items = checklists.list_items(ticket)
    return "threads/around.html", shown | {
        "watchers": watchers,
        "relations": linking.list_relations(ticket),
        "words": LINK_WORDS,
        "back_words": BACK_WORDS,
        "items": items,
        "unfinished": [one for one in items if one.done_at is None],
    }


def _category(ticket: Ticket) -> str:
    if ticket.category_id is None:
        return ""
    return categories.read_tree().path(ticket.category_id, reader_language())


def awaited_change(ticket: Ticket) -> str:
    """The code of the change that a ticket waits for, or nothing."""
    if ticket.waiting_reason != "change":
        return ""
    found = [
        one.other.code for one in linking.list_relations(ticket) if one.kind == "change" and one.is_first
    ]
    return found[-1] if found else ""
