"""From a ticket's history to the lines of its timeline, in words for staff or for the requester's side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from contracts.terms.promise import MISS
from msp.web.words import look_of, name_of
from tenants.foundation.actor import Actor
from tenants.tickets.models import HISTORY_FOR_STAFF, REASONS_FOR_ALL, Message, Ticket, TicketEvent
from tenants.tickets.queries import FileOnTicket

FileUrl = Callable[[FileOnTicket], str]


@dataclass(frozen=True, slots=True)
class Link:
    """A file as the timeline shows it."""

    name: str
    url: str
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A line or a message of the timeline."""

    at: datetime
    who: str
    text: str
    kind: str
    icon: str = "dot"
    body: str = ""
    attachments: Sequence[Link] = ()
    via: str = ""
    role: str = ""


def audience_of(ticket: Ticket, by: Actor) -> str:
    """Whom a page about a ticket speaks to: only its own requester is told "waiting for you"."""
    if by.is_staff:
        return "staff"
    return "requester" if ticket.requester_user_id == by.id else "colleague"


def tell(
    history: Iterable[tuple[TicketEvent, Message | None]],
    files: Sequence[FileOnTicket],
    *,
    audience: str,
    file_url: FileUrl,
) -> list[Entry]:
    """The timeline, oldest first; what does not concern the requester's side is left out for it."""
    links: dict[int, list[Link]] = {}
    for file in files:
        links.setdefault(file.message_id, []).append(Link(file.name, file_url(file), file.size))
    return [entry for line, message in history for entry in _entries(line, message, links, audience)]


def _entries(
    line: TicketEvent, message: Message | None, links: dict[int, list[Link]], audience: str
) -> Iterator[Entry]:
    if message is not None:
        yield _said(line, message, links.get(message.id, ()))
    elif line.message_id is None:
        words = _words(line, audience)
        if words:
            kind = "system" if line.actor_kind == "system" else "event"
            yield Entry(line.at, _actor(line), words, kind, _ICONS.get(line.kind, "dot"))


def _actor(line: TicketEvent) -> str:
    return _("The portal") if line.actor_kind == "system" else line.actor_name


def _said(line: TicketEvent, message: Message, files: Sequence[Link]) -> Entry:
    if not message.body and message.via == "chat":
        words = _("answered the requester in the chat.")
        return Entry(line.at, message.author_name, words, "event", "chat-dots")
    if not message.body:
        return Entry(
            line.at, message.author_name, _("spoke with the requester on the phone."), "event", "telephone"
        )
    role = _("Service desk") if message.author_kind == "staff" else ""
    via = _VIA[message.via]() if message.via in _VIA else ""
    if line.actor_name != message.author_name:
        via = _("%(channel)s, written down by %(name)s", channel=via, name=line.actor_name) if via else via
    text = _("Spoke with the requester on the phone.") if message.spoke_with_caller else ""
    return Entry(line.at, message.author_name, text, message.kind, "", message.body, files, via, role)


_VIA: dict[str, Callable[[], str]] = {
    "phone": lambda: _("by phone"),
    "mail": lambda: _("by mail"),
    "api": lambda: _("by API"),
    "import": lambda: _("imported"),
    "chat": lambda: _("by chat"),
    "website": lambda: _("by chat on the website"),
    "sms": lambda: _("by SMS"),
    "whatsapp": lambda: _("by WhatsApp"),
}
_ICONS = {
    "opened": "plus-circle",
    "state_changed": "arrow-right-circle",
    "reprioritised": "flag",
    "assigned": "person-check",
    "hand_over_made": "arrow-left-right",
    "hand_over_accepted": "check2",
    "hand_over_returned": "arrow-return-left",
    "resolved": "check-circle",
    "reopened": "arrow-counterclockwise",
    "closed": "archive",
    "cancelled": "x-circle",
    "terms_applied": "file-earmark-text",
}


def _words(line: TicketEvent, audience: str) -> str:
    staff = audience == "staff"
    if line.kind in HISTORY_FOR_STAFF and not staff:
        return ""
    data = line.data
    if data.get("because") == "hand_over":
        return ""
    if (
        line.kind == "assigned"
        and line.actor_user_id is not None
        and data["to_user_id"] == line.actor_user_id
    ):
        return _("took it.")
    if line.kind == "state_changed":
        return _state(data, audience)
    if line.kind == "closed" and line.actor_kind == "system":
        return _("closed it, because nothing more was said.")
    words = _SENTENCES[line.kind](data) if line.kind in _SENTENCES else line.kind
    if data.get("clock"):
        words = f"{words} {_cause(data)}"
    reason = data.get("reason")
    if reason and (staff or line.kind in REASONS_FOR_ALL):
        words = f"{words} {_('Reason: %(reason)s', reason=reason)}"
    return words


def _state(data: dict[str, Any], audience: str) -> str:
    if data.get("to_state") == "in_progress":
        return (
            _("set it to work again.") if data.get("from_state") == "waiting" else _("began to work on it.")
        )
    look = look_of("ticket", data.get("to_state"), data.get("reason"), audience)
    return _("changed the state: %(state)s.", state=look.word)


def _cause(data: dict[str, Any]) -> str:
    """Why the portal passed a ticket up by itself."""
    clock, percent = name_of("timer", data["clock"]), data["percent"]
    if percent == MISS:
        return _("The target “%(clock)s” was missed.", clock=clock)
    return _("%(percent)s %% of the target “%(clock)s” were used up.", percent=percent, clock=clock)


def _assigned(data: dict[str, Any]) -> str:
    if not data.get("to_name"):
        return _("put it back into the queue.")
    return _("gave it to %(name)s.", name=data["to_name"])


def _reprioritised(data: dict[str, Any]) -> str:
    if data["from_priority"] == data["to_priority"]:
        return _("confirmed the priority %(priority)s.", priority=data["to_priority"])
    return _(
        "changed the priority from %(old)s to %(new)s.", old=data["from_priority"], new=data["to_priority"]
    )


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "opened": lambda data: _("opened the ticket."),
    "reprioritised": _reprioritised,
    "assigned": _assigned,
    "hand_over_made": lambda data: _(
        "handed it over from %(old)s to %(new)s.", old=data["from_tier"], new=data["to_tier"]
    ),
    "hand_over_accepted": lambda data: _("accepted the hand-over to %(tier)s.", tier=data["to_tier"]),
    "hand_over_returned": lambda data: _("returned it to %(tier)s.", tier=data["from_tier"]),
    "resolved": lambda data: _("resolved it."),
    "reopened": lambda data: _("reopened it."),
    "closed": lambda data: _("closed it."),
    "cancelled": lambda data: _("cancelled it."),
    "terms_applied": lambda data: _(
        "applied version %(number)s of the contract's terms to it.", number=data["version"]
    ),
}
