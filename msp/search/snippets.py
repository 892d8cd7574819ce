"""The place in a ticket's messages where a word was found, for the lists of what was found."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.tickets.models import Message, Ticket

AROUND = 60
MOST_WORDS = 6
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class Snippet:
    """What stands before the word, the word, and what follows."""

    before: str
    word: str
    after: str


def snippets(tickets: Sequence[Ticket], words: str, *, by: Actor) -> dict[int, Snippet]:
    """By ticket id, the newest message in which one of the words stands; in one statement for all tickets."""
    wanted = list(dict.fromkeys(_WORD.findall(words)))[:MOST_WORDS]
    if not tickets or not wanted:
        return {}
    said = select(Message.ticket_id, Message.body).where(
        among(Message.ticket_id, [one.id for one in tickets]),
        Message.tenant_id.in_({one.tenant_id for one in tickets}),
        or_(*(Message.body.icontains(word, autoescape=True) for word in wanted)),
    )
    if not by.is_staff:
        said = said.where(Message.kind == "public")
    newest = said.ext(distinct_on(Message.ticket_id)).order_by(Message.ticket_id, Message.id.desc())
    cut = ((ticket_id, cut_around(body, wanted)) for ticket_id, body in db.session.execute(newest))
    return {ticket_id: snippet for ticket_id, snippet in cut if snippet is not None}


def cut_around(body: str, wanted: Sequence[str]) -> Snippet | None:
    """The first of the words with what stands around it, on one line."""
    plain = " ".join(body.split())
    found = re.search("|".join(map(re.escape, wanted)), plain, re.IGNORECASE)
    if found is None:
        return None
    begin, end = max(0, found.start() - AROUND), min(len(plain), found.end() + AROUND)
    before = ("… " if begin else "") + plain[begin : found.start()]
    return Snippet(before, found[0], plain[found.end() : end] + (" …" if end < len(plain) else ""))
