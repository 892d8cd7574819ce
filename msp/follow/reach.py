"""How far a link reaches once its ticket was merged into another one.

The story goes on there, and whoever asked the first may read it only as the requester of that ticket or as one who
watches it and is confirmed: a merge makes them watch, and staff may end that. Of other tickets that were merged into it
a link shows nothing. For everybody else the own ticket is all there is; what they write still reaches those at work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from tenants.files.models import StoredFile
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.tickets.attachments import find_file_of
from tenants.tickets.merging import current_of
from tenants.tickets.models import Attachment, Message, Ticket, TicketEvent
from tenants.tickets.stories import Story, list_merged_messages
from tenants.tickets.watching import list_watchers

Side = Literal["requester", "watcher", "outsider"]
Line = tuple[TicketEvent, Message | None]


@dataclass(frozen=True, slots=True)
class Reach:
    """The ticket that a link was made for, where its story goes on, and what its holder is there."""

    own: Ticket
    current: Ticket
    side: Side

    @property
    def shown(self) -> Ticket:
        """The ticket that may be read."""
        return self.own if self.side == "outsider" else self.current

    @property
    def is_merged(self) -> bool:
        """Whether the story goes on elsewhere."""
        return self.current is not self.own


def reach_of(own: Ticket) -> Reach:
    """What the holder of a link to a ticket reaches, in the scope of its client."""
    current = current_of(own)
    return Reach(own, current, "requester" if current is own else _side(own, current))


def _side(own: Ticket, current: Ticket) -> Side:
    address = (own.requester_email or "").strip().lower()
    if not address:
        # A name is no proof.
        return "outsider"
    if current.requester_user_id is None and (current.requester_email or "").strip().lower() == address:
        return "requester"
    watches = any(
        one.side == "address" and one.email == address and one.confirmed_at is not None
        for one in list_watchers(current)
    )
    return "watcher" if watches else "outsider"


def without_third(reach: Reach, history: Sequence[Line]) -> Sequence[Line]:
    """A ticket's history without the codes of others' tickets that were merged into it."""
    if reach.shown is reach.own:
        return history
    return [one for one in history if one[0].data.get("other") in (None, reach.own.code)]


def list_own_words(reach: Reach, story: Story, *, by: Actor) -> list[tuple[TicketEvent, Message, str]]:
    """What was said on the own ticket before it became a part of the one that is shown."""
    if reach.shown is reach.own:
        return []
    said = list_merged_messages(reach.shown, story, by=by)
    return [one for one in said if one[2] == reach.own.code]


def find_file(reach: Reach, public_id: str, *, by: Actor) -> StoredFile:
    """A file of the ticket that is shown or of the own one, of no other that was merged with it. Raises NotFound."""
    file = find_file_of(reach.shown, public_id, by=by)
    hangs_on = select(Attachment.ticket_id).where(
        Attachment.tenant_id == file.tenant_id, Attachment.file_id == file.id
    )
    if not {reach.shown.id, reach.own.id} & set(db.session.scalars(hangs_on)):
        raise NotFound
    return file
