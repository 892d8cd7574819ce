"""Replaying a log into a client's tickets: the same services, events and verdicts as live, with the log's times.

Nothing is sent, handed over or escalated for the past. Each incident is one transaction; a strict import is one as a
whole. Replaying again changes nothing: every row is remembered by number and sequence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import insert, select

from contracts.terms.queries import list_contracts, list_versions
from contracts.timers.services import refresh_ticket
from msp.intake.servicenow import Fault, LogRow
from msp.intake.sorts import Sorts
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Refused
from tenants.tenancy.models import Tenant
from tenants.tickets import rules, services
from tenants.tickets.assignments import give
from tenants.tickets.category_models import Category
from tenants.tickets.history import hold
from tenants.tickets.models import ImportedRow, Ticket, TicketEvent
from tenants.tickets.services import Request, Requester

SOURCE = "servicenow"


@dataclass(slots=True)
class Outcome:
    """What an import did.

    `known` rows were there already; `differing` counts solutions that the log dates otherwise; `unmeasured`
    tickets were opened while no contract was in force.
    """

    tickets: int = 0
    rows: int = 0
    known: int = 0
    differing: int = 0
    unmeasured: int = 0
    faults: list[Fault] = field(default_factory=list)


class BadRows(Refused):
    """A strict import with bad rows: nothing was written."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("the file has bad rows, and nothing was imported")
        self.faults = sorted(faults)


class Impossible(Exception):
    """A row that does not fit the ticket as it stands."""


def replay_log(
    tenant: Tenant, rows: Sequence[LogRow], faults: Sequence[Fault], *, strict: bool, at: datetime
) -> Outcome:
    """Replay the rows of a log, in the scope of the client's worker; commits.

    Raises BadRows when strict and any row is bad.
    """
    outcome = Outcome(faults=list(faults))
    sorts = Sorts(by=Actor.system("import", via="command"), at=at)
    known = _known_rows()
    # Held for as long as the import takes: each ticket finds its version in the session.
    versions = [list_versions(contract) for contract in list_contracts(tenant.id)]
    for incident in _incidents(rows):
        fresh = [row for row in incident if (row.number, row.sequence) not in known]
        outcome.known += len(incident) - len(fresh)
        if fresh:
            _replay_incident(tenant, fresh, outcome, sorts, at)
        if fresh and not strict:
            db.session.commit()
    del versions
    outcome.faults.sort()
    if strict and outcome.faults:
        db.session.rollback()
        raise BadRows(outcome.faults)
    _audit(tenant, outcome, at)
    db.session.commit()
    return outcome


def _known_rows() -> set[tuple[str, int]]:
    found = select(ImportedRow.number, ImportedRow.sequence).where(ImportedRow.source == SOURCE)
    return {(number, sequence) for number, sequence in db.session.execute(found)}


def _incidents(rows: Sequence[LogRow]) -> list[list[LogRow]]:
    """The rows by incident, the oldest incident first."""
    grouped = [list(group) for _number, group in groupby(rows, key=attrgetter("number"))]
    return sorted(grouped, key=lambda incident: (incident[0].at, incident[0].number))


def _replay_incident(
    tenant: Tenant, rows: Sequence[LogRow], outcome: Outcome, sorts: Sorts, at: datetime
) -> None:
    ticket, latest, reopens = _find(rows[0].number), None, 0
    taken: list[LogRow] = []
    if ticket is not None:
        hold(ticket)
        latest, reopens = _latest_moment(ticket), _reopenings(ticket)
    for row in rows:
        try:
            if latest is not None and row.at < latest:
                raise Impossible("is older than what the ticket shows already")
            ticket = _replay_row(tenant, ticket, row, reopens, outcome, sorts)
        except Impossible as wrong:
            outcome.faults.append(Fault(row.line, str(wrong)))
            continue
        latest, reopens = row.at, max(reopens, row.reopens)
        taken.append(row)
    if ticket is not None:
        _remember(ticket, taken)
        _finish(ticket, rows, outcome, at)
    outcome.rows += len(taken)


def _remember(ticket: Ticket, taken: Sequence[LogRow]) -> None:
    place = {"tenant_id": ticket.tenant_id, "ticket_id": ticket.id, "source": SOURCE}
    if taken:
        rows = [{**place, "number": row.number, "sequence": row.sequence} for row in taken]
        db.session.execute(insert(ImportedRow), rows)


def _find(number: str) -> Ticket | None:
    found = select(Ticket).where(Ticket.source == "import", Ticket.external_number == number)
    return db.session.scalars(found).one_or_none()


def _latest_moment(ticket: Ticket) -> datetime | None:
    found = select(TicketEvent.at).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.seq.desc())
    return db.session.scalar(found.limit(1))


def _reopenings(ticket: Ticket) -> int:
    found = select(TicketEvent.id).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == "reopened")
    return len(db.session.scalars(found).all())


def _replay_row(
    tenant: Tenant, ticket: Ticket | None, row: LogRow, reopens: int, outcome: Outcome, sorts: Sorts
) -> Ticket:
    """Take one row over; a row that does not fit is found out before anything of it is written. Raises Impossible."""
    steps = steps_of(ticket.state if ticket else "new", row, reopens)
    by = Actor.system(row.by[:120], via="import")
    if ticket is None:
        ticket = _open(tenant, row, sorts.find(row.sort), by)
        outcome.tickets += 1
    elif ticket.priority != row.priority and not rules.is_open(ticket.state) and not _opens(steps):
        raise Impossible("changes the priority of a ticket on which no work remains")
    if not rules.is_open(ticket.state):
        _walk(ticket, steps, row, by)
        steps = ()
    if rules.is_open(ticket.state):
        _weigh(tenant, ticket, row, by)
    _assign(ticket, row, by)
    _walk(ticket, steps, row, by)
    return ticket


def steps_of(state: str, row: LogRow, reopens: int) -> tuple[str, ...]:
    """The states to pass.

    A ticket never becomes new again: such a row ends a wait, or reopens if the log counts that, or says nothing.
    """
    to = row.state
    if to == "new" and state != "new":
        goes_on = state == "waiting" or (state == "resolved" and row.reopens > reopens)
        to = "in_progress" if goes_on else state
    if to == state:
        return (to,) if to == "waiting" else ()
    way = rules.shortest_way(state, to)
    if way is None:
        raise Impossible(f"there is no way from {state} to {to}")
    return way


def _opens(steps: Sequence[str]) -> bool:
    return bool(steps) and rules.is_open(steps[-1])


def _open(tenant: Tenant, row: LogRow, category: Category | None, by: Actor) -> Ticket:
    """Opened when the log says so, or with its first event if that came earlier."""
    with force_locale(tenant.language):
        described = [_("Imported incident %(number)s.", number=row.number)]
    described += [f"{name}: {value}" for name, value in row.details]
    request = Request(
        subject=row.subject,
        body="\n".join(described),
        impact=row.impact,
        urgency=row.urgency,
        priority=row.priority,
        requester=Requester(row.caller),
        category=category,
        source="import",
        external_number=row.number,
    )
    opened_at = min(row.at, row.opened_at or row.at)
    return services.open_ticket(tenant, request, by=by, at=opened_at, replay=True)


def _weigh(tenant: Tenant, ticket: Ticket, row: LogRow, by: Actor) -> None:
    """Impact, urgency and priority of the row, in one step: a priority in between could miss its target."""
    if ticket.priority == row.priority and (ticket.impact, ticket.urgency) == (row.impact, row.urgency):
        return
    if rules.priority_of(row.impact, row.urgency, tenant.priority_matrix) == row.priority:
        services.reassess(
            ticket, impact=row.impact, urgency=row.urgency, tenant=tenant, by=by, at=row.at, replay=True
        )
    elif ticket.priority != row.priority:
        ticket.impact, ticket.urgency = row.impact, row.urgency
        services.set_priority(ticket, priority=row.priority, reason=row.number, by=by, at=row.at, replay=True)


def _assign(ticket: Ticket, row: LogRow, by: Actor) -> None:
    """The log's group holds the ticket by name: it is nobody's account here."""
    group = row.group[:120] if row.group else None
    if group is not None and group != ticket.assignee_name:
        give(ticket, None, group, by=by, at=row.at, replay=True)


def _walk(ticket: Ticket, steps: Sequence[str], row: LogRow, by: Actor) -> None:
    for to in steps:
        reason = row.reason if to == "waiting" else None
        services.change_state(ticket, to=to, reason=reason, by=by, at=row.at, replay=True)


def _finish(ticket: Ticket, rows: Sequence[LogRow], outcome: Outcome, at: datetime) -> None:
    """Settle what time brought about since the last row, silently, and compare the log's own time of the solution."""
    if rules.is_open(ticket.state):
        refresh_ticket(ticket, as_of=at, by=Actor.system("import", via="import"), replay=True)
    outcome.unmeasured += ticket.contract_version_id is None
    said = rows[-1].resolved_at
    outcome.differing += said is not None and ticket.resolved_at is not None and said != ticket.resolved_at


def _audit(tenant: Tenant, outcome: Outcome, at: datetime) -> None:
    """One entry for the whole act; none when nothing was new."""
    if outcome.rows:
        counts = {"tickets": outcome.tickets, "rows": outcome.rows, "refused": len(outcome.faults)}
        audit.record(
            "tickets.imported",
            tenant_id=tenant.id,
            by=Actor.system("import", via="command"),
            object=f"tenant:{tenant.slug}",
            at=at,
            detail={"format": SOURCE, **counts},
        )


def report(outcome: Outcome) -> Iterator[str]:
    """The outcome in sentences."""
    yield f"{outcome.tickets} tickets opened, {outcome.rows} rows replayed, {outcome.known} known already"
    if outcome.faults:
        yield f"{len(outcome.faults)} rows refused"
    if outcome.differing:
        yield f"{outcome.differing} tickets: resolved_at is another time than the event's, which decides"
    if outcome.unmeasured:
        yield f"{outcome.unmeasured} tickets: no contract was in force when they were opened, so no clock runs"
