"""From a ticket's history to the lines of its timeline, in words for staff or for the requester's side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext

from contracts.terms.promise import MISS
from msp.threads import tiers
from msp.threads.quoting import split_quoted
from msp.web.words import look_of, name_of
from tenants.foundation.actor import Actor
from tenants.tickets.attachments import FileOnTicket
from tenants.tickets.models import HISTORY_FOR_STAFF, REASONS_FOR_ALL, Message, Ticket, TicketEvent

FileUrl = Callable[[FileOnTicket], str]


@dataclass(frozen=True, slots=True)
class Link:
    """A file as the timeline shows it; without `url` it is kept back, `danger` says why, and staff may `release` it."""

    name: str
    url: str
    size: int
    danger: str = ""
    release: str = ""


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
    # What a reply by mail repeats of earlier ones, and its signature.
    quoted: str = ""


def asked_line() -> int | None:
    """Before which line of a ticket's story the page ends, as its address says; None for the end of the story."""
    asked = request.args.get("before", "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else None


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
    release_url: FileUrl | None = None,
    merged: Iterable[tuple[TicketEvent, Message, str]] = (),
) -> list[Entry]:
    """The timeline, oldest first; what does not concern the requester's side is left out for it.

    `merged` is what was said on tickets that became a part of this one, with the code of each; `release_url` where
    files that are kept back can be handed out.
    """
    links: dict[int, list[Link]] = {}
    for file in files:
        links.setdefault(file.message_id, []).append(_link(file, file_url, release_url))
    own = [entry for line, message in history for entry in _entries(line, message, links, audience)]
    others = [_from(code, _said(line, said, links.get(said.id, ()))) for line, said, code in merged]
    return sorted([*own, *others], key=lambda entry: entry.at) if others else own


def _link(file: FileOnTicket, file_url: FileUrl, release_url: FileUrl | None) -> Link:
    if not file.danger:
        return Link(file.name, file_url(file), file.size)
    release = release_url(file) if release_url else ""
    return Link(file.name, "", file.size, str(name_of("danger", file.danger)), release)


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


def _from(code: str, entry: Entry) -> Entry:
    """Something that was said on a merged ticket, marked with its code."""
    where = _("on %(code)s", code=code)
    return replace(entry, via=f"{entry.via}, {where}" if entry.via else where)


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
    body, quoted = split_quoted(message.body) if message.via == "mail" else (message.body, "")
    return Entry(line.at, message.author_name, text, message.kind, "", body, files, via, role, quoted)


_VIA: dict[str, Callable[[], str]] = {
    "phone": lambda: _("by phone"),
    "mail": lambda: _("by mail"),
    "api": lambda: _("by API"),
    "link": lambda: _("by the link in a mail"),
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
    "rated": "star",
    **tiers.ICONS,
    "merged": "arrow-right-circle",
    "linked": "tag",
    "unlinked": "tag",
    "categorised": "tags",
    "kind_changed": "tags",
    "placed": "pc-display",
    "watchers_changed": "people",
    "checklist_changed": "check2",
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


def _merged(data: dict[str, Any]) -> str:
    if data.get("into"):
        return _("merged it into %(code)s.", code=data["into"])
    return _("merged %(code)s into it.", code=data["other"])


_LINKED: dict[tuple[str, bool], Callable[[str], str]] = {
    ("duplicate", True): lambda code: _("linked it as a duplicate of %(code)s.", code=code),
    ("duplicate", False): lambda code: _("linked %(code)s as its duplicate.", code=code),
    ("parent", True): lambda code: _("linked it as a part of %(code)s.", code=code),
    ("parent", False): lambda code: _("linked %(code)s as its part.", code=code),
    ("problem", True): lambda code: _("linked it with the problem %(code)s.", code=code),
    ("problem", False): lambda code: _("linked %(code)s as caused by it.", code=code),
    ("change", True): lambda code: _("linked it with the change %(code)s.", code=code),
    ("change", False): lambda code: _("linked %(code)s, which waits for it.", code=code),
    ("related", True): lambda code: _("linked it with %(code)s.", code=code),
    ("related", False): lambda code: _("linked it with %(code)s.", code=code),
}


def _categorised(data: dict[str, Any]) -> str:
    if not data.get("to_category"):
        return _("took the category away.")
    return _("put it into the category “%(path)s”.", path=data["to_category"])


def _placed(data: dict[str, Any]) -> str:
    named = [one for one in (data.get("asset"), *(data.get("further") or ()), data.get("site")) if one]
    if not named:
        return _("said that it concerns no asset and no site.")
    return _("said what it concerns: %(names)s.", names=", ".join(named))


def _watchers_changed(data: dict[str, Any]) -> str:
    if data.get("added"):
        return _("added %(name)s as a watcher.", name=data["added"])
    if data.get("confirmed"):
        return _("confirmed %(name)s as a watcher.", name=data["confirmed"])
    return _("removed %(name)s as a watcher.", name=data.get("removed", ""))


def _checklist_changed(data: dict[str, Any]) -> str:
    what = data.get("what", "")
    if data["change"] == "added":
        return ngettext(
            "put %(num)s item on the checklist: %(what)s",
            "put %(num)s items on the checklist, the first: %(what)s",
            data["count"],
            what=what,
        )
    if data["change"] == "done":
        return _("ticked off: %(what)s", what=what)
    return _("took back that it is done: %(what)s", what=what)


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "merged": _merged,
    "linked": lambda data: _LINKED[data["link"], data["is_first"]](data["other"]),
    "unlinked": lambda data: _("took the link with %(code)s away.", code=data["other"]),
    "categorised": _categorised,
    "kind_changed": lambda data: _(
        "changed what it is: %(kind)s, not %(old)s.",
        kind=name_of("kind", data["to_kind"]),
        old=name_of("kind", data["from_kind"]),
    ),
    "placed": _placed,
    "watchers_changed": _watchers_changed,
    "checklist_changed": _checklist_changed,
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
    "rated": lambda data: (
        _("is satisfied with the solution.")
        if data["score"] == "good"
        else _("is not satisfied with the solution.")
    ),
    "terms_applied": lambda data: _(
        "applied version %(number)s of the contract's terms to it.", number=data["version"]
    ),
    **tiers.SENTENCES,
}
