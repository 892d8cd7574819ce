"""The words of a ticket, kept so that a million tickets can be searched.

Text operators lose their index under row security. No role that serves people reads this table: two functions of its
own role do, which look at the tenants in force themselves. What staff write among themselves is in `notes` only, so
that a client's search cannot tell whether a word was ever written there.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, Text, func, select
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.actor import Actor
from tenants.foundation.db import Base, TenantOwned, belongs, db, moment
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import Role
from tenants.tickets.models import Ticket

LONGEST_QUESTION = 200
_SPLIT = str.maketrans(dict.fromkeys("_-./\\@:+", " "))


class TicketText(TenantOwned, Base):
    """The lexemes of a ticket, Indonesian, English and as written: all in `notes`, what clients may read in `words`."""

    __tablename__ = "ticket_texts"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys((Role.CLIENT, Role.STAFF, Role.WORKER), "")
    __is_searched__ = True
    ticket_id: Mapped[int]
    opened_at: Mapped[datetime] = moment()
    # `t:` tenant, `d:` day since 1970, `p:` each person who may see it as their own.
    marks: Mapped[list[str]] = mapped_column(ARRAY(Text))
    words: Mapped[Any] = mapped_column(TSVECTOR)
    notes: Mapped[Any] = mapped_column(TSVECTOR)
    __table_args__ = (
        belongs("tickets", "ticket_id", ondelete="CASCADE"),
        Index("uq_ticket_texts_ticket", "tenant_id", "ticket_id", unique=True),
        Index("ix_ticket_texts_words", "marks", "words", postgresql_using="gin"),
        Index("ix_ticket_texts_notes", "marks", "notes", postgresql_using="gin"),
    )


def learn_words(
    ticket: Ticket, *texts: str | None, for_staff: bool = False, person: int | None = None
) -> None:
    """Add words by which the ticket is found, in the transaction in force; `for_staff`: by staff only.

    `person`: a user who may see the ticket as an own one.
    """
    written = spread(texts)
    said, noted = ("", written) if for_staff else (written, "")
    learned = func.learn_ticket_words(ticket.tenant_id, ticket.id, ticket.opened_at, person, said, noted)
    db.session.execute(select(learned))


def spread(texts: Iterable[str | None]) -> str:
    """One text, in which names like `report-june.pdf` can be found by each of their parts as well."""
    whole = " ".join(one for one in texts if one)
    parts = " ".join(one for one in whole.split() if one.translate(_SPLIT) != one)
    return f"{whole} {parts.translate(_SPLIT)}".replace("\x00", " ")


def search_tickets(words: str, *, by: Actor, most: int) -> Sequence[int]:
    """Ids of the newest tickets with all these words (`"a phrase"` counts as its words, `-word` leaves out).

    Found are tickets of the tenants in force that a person may see; the caller still selects them by the usual rule.
    """
    asked = words.replace("\x00", " ").strip()[:LONGEST_QUESTION]
    if not asked:
        return []
    own_only = not by.is_staff and not by.may(Permission.VIEW_COMPANY_TICKETS)
    found = func.search_tickets(asked, by.id if own_only else None, most).table_valued("ticket_id")
    return db.session.scalars(select(found.c.ticket_id)).all()
