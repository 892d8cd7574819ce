"""The end of a shift: a note for those who come, and one's own open tickets passed on, in one act with one summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert

from msp.staff.checks import audited
from msp.staff.queries import list_on_duty
from msp.staff.roster_models import ShiftNote, ShiftNoteReader, ShiftNoteTicket
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from tenants.people.models import StaffMember
from tenants.tenancy.queries import as_uuid
from tenants.tickets import services
from tenants.tickets.assignments import list_engineers
from tenants.tickets.history import hold
from tenants.tickets.models import Ticket

LONGEST_NOTE = 5000
MOST_TICKETS = 100
SHOWN_FOR = timedelta(days=3)
KEEP, QUEUE = "keep", "queue"


@dataclass(slots=True)
class Summary:
    """What came of each ticket: passed to whom, put back, or why it stayed."""

    note: ShiftNote
    passed: list[tuple[Ticket, str]] = field(default_factory=list)
    queued: list[Ticket] = field(default_factory=list)
    stayed: list[tuple[Ticket, object]] = field(default_factory=list)


def list_own_open(by: Actor) -> Sequence[Ticket]:
    """The open tickets that one holds, what runs out first at the top."""
    mine = select(Ticket).where(Ticket.is_open, Ticket.assignee_user_id == by.id)
    return db.session.scalars(mine.order_by(Ticket.queue_at, Ticket.id).limit(MOST_TICKETS)).all()


def list_takers(tickets: Sequence[Ticket], *, by: Actor, at: datetime) -> dict[int, list[StaffMember]]:
    """By ticket, who is on duty now and may hold it. Statements grow with the clients, not the tickets."""
    on_duty = {one.user_id for one in list_on_duty(at)} - {by.id}
    engineers: dict[tuple[int, str], list[StaffMember]] = {}
    for one in tickets:
        key = (one.tenant_id, one.tier)
        if key not in engineers:
            engineers[key] = [two for two in list_engineers(*key) if two.user_id in on_duty]
    return {one.id: engineers[one.tenant_id, one.tier] for one in tickets}


def leave_shift(body: str, choices: Mapping[int, str], *, by: Actor, at: datetime) -> Summary:
    """Write the note and pass tickets on. `choices` says per ticket: keep, queue, or a taker's public id.

    Each ticket moves by itself: one that cannot stays and is told of. Raises Invalid, Forbidden.
    """
    if by.id is None or not by.is_staff:
        raise Forbidden
    words = body.strip()
    if not 1 <= len(words) <= LONGEST_NOTE:
        raise Invalid("body", _l("Write what is open and what to watch, in at most 5,000 characters."))
    note = ShiftNote(author_user_id=by.id, author_name=by.name[:120], body=words, written_at=at, kept_count=0)
    db.session.add(note)
    db.session.flush()
    summary, tickets = Summary(note), list_own_open(by)
    takers = list_takers(tickets, by=by, at=at)
    for ticket in tickets:
        _pass_one(summary, ticket, choices.get(ticket.id, KEEP), takers[ticket.id], by, at)
    note.kept_count = len(tickets) - len(summary.passed) - len(summary.queued)
    detail = {"passed": len(summary.passed), "queued": len(summary.queued), "kept": note.kept_count}
    audited("shift.leave", f"shift_note:{note.public_id}", by, at, **detail)
    return summary


def _pass_one(
    summary: Summary, ticket: Ticket, choice: str, takers: Sequence[StaffMember], by: Actor, at: datetime
) -> None:
    if choice == KEEP:
        return
    taker = next((one for one in takers if str(one.public_id) == choice), None)
    if choice != QUEUE and taker is None:
        summary.stayed.append((ticket, _l("This person is not on duty, or may not hold it.")))
        return
    try:
        with db.session.begin_nested():
            hold(ticket)
            if ticket.assignee_user_id != by.id:
                raise Conflict(_l("Somebody else passed it on meanwhile."))
            services.assign_ticket(ticket, to_user_id=taker.user_id if taker else None, by=by, at=at)
            db.session.add(_line(summary.note, ticket, taker))
            db.session.flush()
    except Refused as refused:
        summary.stayed.append((ticket, refused.message))
        return
    if taker is None:
        summary.queued.append(ticket)
    else:
        summary.passed.append((ticket, taker.name))


def _line(note: ShiftNote, ticket: Ticket, taker: StaffMember | None) -> ShiftNoteTicket:
    return ShiftNoteTicket(
        tenant_id=ticket.tenant_id,
        note_id=note.id,
        ticket_id=ticket.id,
        outcome="passed" if taker else "queued",
        to_name=taker.name if taker else None,
    )


def list_unread(by: Actor, *, at: datetime) -> list[ShiftNote]:
    """Notes of the last days that others wrote and one has not read yet, the newest first."""
    mine = exists().where(ShiftNoteReader.note_id == ShiftNote.id, ShiftNoteReader.user_id == by.id)
    fresh = select(ShiftNote).where(
        ShiftNote.written_at > at - SHOWN_FOR, ShiftNote.author_user_id != by.id, ~mine
    )
    return list(
        db.session.scalars(fresh.order_by(ShiftNote.written_at.desc(), ShiftNote.id.desc()).limit(20))
    )


def list_notes(*, before: int | None, limit: int) -> list[ShiftNote]:
    """All notes, the newest first; one more than `limit`."""
    listed = select(ShiftNote).order_by(ShiftNote.id.desc()).limit(limit + 1)
    return list(db.session.scalars(listed if before is None else listed.where(ShiftNote.id < before)))


def find_note(public_id: str) -> ShiftNote:
    """A note. Raises NotFound."""
    found = db.session.scalar(select(ShiftNote).where(ShiftNote.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def read_note(note: ShiftNote, *, by: Actor, at: datetime) -> None:
    """It was read: it is not shown again. Reading it twice is reading it once."""
    once = insert(ShiftNoteReader).values(note_id=note.id, user_id=by.id, read_at=at)
    db.session.execute(once.on_conflict_do_nothing())


def tickets_of(notes: Sequence[ShiftNote]) -> dict[int, list[tuple[ShiftNoteTicket, Ticket]]]:
    """By note, its tickets, of the clients in scope only."""
    rows = (
        select(ShiftNoteTicket, Ticket)
        .outerjoin(
            Ticket,
            (Ticket.tenant_id == ShiftNoteTicket.tenant_id) & (Ticket.id == ShiftNoteTicket.ticket_id),
        )
        .where(ShiftNoteTicket.note_id.in_([one.id for one in notes]))
        .order_by(ShiftNoteTicket.id)
    )
    found: dict[int, list[tuple[ShiftNoteTicket, Ticket]]] = {}
    for line, ticket in db.session.execute(rows):
        if ticket is not None:
            found.setdefault(line.note_id, []).append((line, ticket))
    return found


def count_readers(notes: Sequence[ShiftNote]) -> dict[int, int]:
    """By note, how many have read it."""
    counted = (
        select(ShiftNoteReader.note_id, func.count())
        .where(ShiftNoteReader.note_id.in_([one.id for one in notes]))
        .group_by(ShiftNoteReader.note_id)
    )
    return {row[0]: row[1] for row in db.session.execute(counted)}
