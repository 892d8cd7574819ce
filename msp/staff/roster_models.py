"""When people are on duty: shifts, the patterns behind them, absences, links to calendars, and notes at the end."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    column,
    func,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from msp.staff.models import part_of, person
from msp.staff.rules import ABSENCES, PASSED, SHIFT_KINDS, TIERS
from tenants.foundation.db import Base, ProviderOwned, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

NO_OVERLAP = "ex_shifts_one_at_a_time"


class ShiftPattern(ProviderOwned, Base):
    """Shifts that come back every week or every few: laid out from the first day to the last, in their own zone."""

    __tablename__ = "shift_patterns"
    public_id: Mapped[Any] = public_id()
    user_id: Mapped[int] = person()
    kind: Mapped[str]
    tier: Mapped[str]
    rule: Mapped[str] = mapped_column(String(120))
    first_on: Mapped[date] = mapped_column(Date)
    last_on: Mapped[date] = mapped_column(Date)
    # Wall clock, as HH:MM in `time_zone`; an end that is not later than the beginning lies on the next day.
    starts_at: Mapped[str] = mapped_column(String(5))
    ends_at: Mapped[str] = mapped_column(String(5))
    time_zone: Mapped[str] = mapped_column(String(64))
    # Whose public holidays are left out; empty for none.
    country: Mapped[str] = mapped_column(String(2), default="")
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    __table_args__ = (choice("kind", SHIFT_KINDS), choice("tier", TIERS))


class Shift(ProviderOwned, Base):
    """One person's time on duty or on call. Nobody is in two at once: PostgreSQL refuses the second."""

    __tablename__ = "shifts"
    public_id: Mapped[Any] = public_id()
    user_id: Mapped[int] = person()
    begins_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    # The zone in which it was planned.
    time_zone: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str]
    tier: Mapped[str]
    note: Mapped[str] = mapped_column(String(200), default="")
    pattern_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("shift_patterns.id", ondelete="SET NULL")
    )
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    __table_args__ = (
        choice("kind", SHIFT_KINDS),
        choice("tier", TIERS),
        CheckConstraint("ends_at > begins_at", name="ends_after_it_begins"),
        CheckConstraint("ends_at <= begins_at + interval '14 days'", name="of_at_most_two_weeks"),
        ExcludeConstraint(
            (column("user_id"), "="),
            (func.tstzrange(column("begins_at"), column("ends_at")), "&&"),
            name=NO_OVERLAP,
            using="gist",
        ),
        Index("ix_shifts_span", "begins_at", "ends_at"),
        Index("ix_shifts_user", "user_id", "begins_at"),
        Index("ix_shifts_pattern", "pattern_id"),
    )


class Absence(ProviderOwned, Base):
    """Days on which somebody is not there, both included, as the zone counts them."""

    __tablename__ = "absences"
    public_id: Mapped[Any] = public_id()
    user_id: Mapped[int] = person()
    kind: Mapped[str]
    begins_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    time_zone: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(200), default="")
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    __table_args__ = (
        choice("kind", ABSENCES),
        CheckConstraint("ends_at > begins_at", name="ends_after_it_begins"),
        Index("ix_absences_user", "user_id", "begins_at"),
        Index("ix_absences_span", "begins_at", "ends_at"),
    )


class RosterFeed(ProviderOwned, Base):
    """A secret link to one person's own duty; only its digest is kept."""

    __tablename__ = "roster_feeds"
    __grants__: ClassVar[dict[Role, str]] = {Role.GATE: "SELECT, UPDATE (last_used_on)"}
    user_id: Mapped[int] = person()
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, index=True, info={"secret": True})
    created_at: Mapped[datetime] = moment()
    revoked_at: Mapped[datetime | None] = moment(nullable=True)
    last_used_on: Mapped[date | None] = mapped_column(Date)
    __table_args__ = (
        Index(
            "uq_roster_feeds_live", "user_id", unique=True, postgresql_where=column("revoked_at").is_(None)
        ),
    )


class ShiftNote(ProviderOwned, Base):
    """What somebody leaves to the next shift: what is open, what to watch."""

    __tablename__ = "shift_notes"
    public_id: Mapped[Any] = public_id()
    author_user_id: Mapped[int] = person()
    author_name: Mapped[str] = mapped_column(String(120))
    body: Mapped[str]
    kept_count: Mapped[int] = mapped_column(Integer, default=0)
    written_at: Mapped[datetime] = moment()
    __table_args__ = (Index("ix_shift_notes_written", "written_at"),)


class ShiftNoteReader(ProviderOwned, Base):
    """Who has read a note."""

    __tablename__ = "shift_note_readers"
    note_id: Mapped[int] = part_of("shift_notes")
    user_id: Mapped[int] = person()
    read_at: Mapped[datetime] = moment()
    __table_args__ = (UniqueConstraint("note_id", "user_id"),)


class ShiftNoteTicket(TenantOwned, Base):
    """A ticket that went with a note: its client's row, so that nobody without a grant sees that it exists."""

    __tablename__ = "shift_note_tickets"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    note_id: Mapped[int] = part_of("shift_notes")
    ticket_id: Mapped[int]
    outcome: Mapped[str]
    to_name: Mapped[str | None] = mapped_column(String(120))
    __table_args__ = (
        choice("outcome", PASSED),
        belongs("tickets", "ticket_id"),
        Index("uq_shift_note_tickets", "tenant_id", "note_id", "ticket_id", unique=True),
    )
