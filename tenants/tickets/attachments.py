"""Files that hang on tickets, through the messages they came with."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from tenants.files.models import StoredFile
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.tickets.models import Attachment, Message, Ticket


@dataclass(frozen=True, slots=True)
class FileOnTicket:
    """An attachment as a page needs it."""

    message_id: int
    public_id: str
    name: str
    size: int
    # Why it is kept back; empty when it is handed out.
    danger: str


def files_json(staff: bool) -> Any:
    """A column of a statement over tickets: the files of each, as JSON for `FileOnTicket`."""
    danger = case((StoredFile.state == "quarantined", func.coalesce(StoredFile.danger, "unknown")), else_="")
    one = func.json_build_array(
        Attachment.message_id, StoredFile.public_id, StoredFile.name, StoredFile.size, danger
    )
    held = and_(StoredFile.tenant_id == Attachment.tenant_id, StoredFile.id == Attachment.file_id)
    files = (
        select(func.json_agg(one))
        .select_from(Attachment)
        .join(StoredFile, held)
        .where(
            Attachment.tenant_id == Ticket.tenant_id,
            or_(Attachment.ticket_id == Ticket.id, Attachment.ticket_id.in_(merged_ids())),
        )
    )
    if not staff:
        said = and_(Message.tenant_id == Attachment.tenant_id, Message.id == Attachment.message_id)
        files = files.join(Message, said).where(Message.kind == "public")
    return files.correlate(Ticket).scalar_subquery()


def merged_ids() -> Any:
    """The tickets that were merged into the one that is asked for."""
    source = aliased(Ticket)
    merged = select(source.id).where(source.tenant_id == Ticket.tenant_id, source.merged_into_id == Ticket.id)
    return merged.correlate(Ticket)


def list_files(ticket: Ticket, *, by: Actor) -> tuple[FileOnTicket, ...]:
    """The files that hang on messages of a ticket which somebody may read."""
    ours = (Ticket.tenant_id == ticket.tenant_id, Ticket.id == ticket.id)
    found = db.session.scalar(select(files_json(by.is_staff)).select_from(Ticket).where(*ours))
    return tuple(FileOnTicket(*one) for one in found or ())


def find_file_of(ticket: Ticket, public_id: str, *, by: Actor) -> StoredFile:
    """A file of a ticket in hand, on a message that somebody may read. Raises NotFound."""
    try:
        wanted = uuid.UUID(public_id)
    except ValueError as wrong:
        raise NotFound from wrong
    found = (
        select(StoredFile)
        .join(
            Attachment,
            and_(Attachment.tenant_id == StoredFile.tenant_id, Attachment.file_id == StoredFile.id),
        )
        .join(Message, and_(Message.tenant_id == Attachment.tenant_id, Message.id == Attachment.message_id))
        .where(
            StoredFile.tenant_id == ticket.tenant_id,
            StoredFile.public_id == wanted,
            Attachment.ticket_id.in_(
                select(Ticket.id).where(or_(Ticket.id == ticket.id, Ticket.merged_into_id == ticket.id))
            ),
        )
    )
    if not by.is_staff:
        found = found.where(Message.kind == "public")
    row = db.session.scalar(found)
    if row is None:
        raise NotFound
    return row
