"""What stands around a ticket, as a panel beside it: category, further assets, other tickets, watchers, checklist."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from msp.web.access import actor
from msp.web.languages import reader_language
from msp.web.panels import Panel
from tenants.foundation import time
from tenants.tickets import categories, checklists, follow_ups, linking, places, watching
from tenants.tickets.models import Ticket, TicketEvent
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


def build_around(*, view: TicketView, history: Sequence[TicketEvent], **_more: Any) -> Panel:
    """The panel; a table is read only where the ticket's history says that there is something in it."""
    ticket, staff = view.ticket, actor().is_staff
    told = {line.kind for line in history}
    watchers = watching.list_watchers(ticket) if told & {"watchers_changed", "merged"} else []
    family = _family(ticket, told)
    shown: dict[str, Any] = {
        "category": _category(ticket),
        "further": places.list_further_assets(ticket) if _has_further(history) else [],
        "current": family.current,
        "merged": family.merged,
        "followed": family.followed,
        "may_follow_up": follow_ups.may_follow_up(ticket, time.now()),
        "watching": any(one.user_id == actor().id for one in watchers),
    }
    if not staff:
        return "threads/around_client.html", shown
    items = checklists.list_items(ticket) if "checklist_changed" in told else []
    return "threads/around.html", shown | {
        "watchers": watchers,
        "relations": linking.list_relations(ticket) if told & {"linked", "merged"} else [],
        "words": LINK_WORDS,
        "back_words": BACK_WORDS,
        "items": items,
        "unfinished": [one for one in items if one.done_at is None],
    }


def _family(ticket: Ticket, told: set[str]) -> follow_ups.Family:
    """Only what is over has follow-ups."""
    alone = ticket.merged_into_id is None and ticket.follows_id is None and "merged" not in told
    if alone and ticket.state != "closed":
        return follow_ups.Family(ticket, [], [])
    return follow_ups.find_family(ticket)


def _has_further(history: Sequence[TicketEvent]) -> bool:
    return any(line.kind == "placed" or line.data.get("further") for line in history)


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
