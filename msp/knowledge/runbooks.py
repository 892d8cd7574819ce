"""Runbooks at work: started on a ticket, ticked step by step by people or by what happens, told in the ticket."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from msp.knowledge.links import demand_concern
from msp.knowledge.models import Article, RunbookRun, RunbookStep
from msp.knowledge.queries import find_version
from msp.knowledge.rules import Step
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.tickets import rules as ticket_rules
from tenants.tickets.history import hold
from tenants.tickets.messages import add_message
from tenants.tickets.models import Ticket

LONGEST_NOTE = 500
PORTAL = Actor.system("Portal")


@dataclass(frozen=True, slots=True)
class RunView:
    """A runbook under way with its steps in order."""

    run: RunbookRun
    steps: Sequence[RunbookStep]

    @property
    def done(self) -> int:
        """How many steps are done."""
        return sum(one.done_at is not None for one in self.steps)


def start_runbook(ticket: Ticket, article: Article, *, language: str, by: Actor, at: datetime) -> RunbookRun:
    """Copy the steps of a published runbook onto a ticket; later versions change nothing of it.

    Raises Conflict where it is under way there already, or the ticket is over; Invalid for what is no runbook.
    """
    if not by.may(Permission.WORK_TICKETS):
        raise Forbidden
    hold(ticket)
    if article.kind != "runbook" or article.published_number is None:
        raise Invalid("runbook", _l("Choose a runbook that is published."))
    demand_concern(article, ticket.tenant_id, field="runbook")
    if not ticket_rules.is_open(ticket.state):
        raise Conflict(_l("Runbooks are worked through on open tickets."))
    if any(one.run.article_id == article.id and one.run.finished_at is None for one in list_runs(ticket)):
        raise Conflict(_l("This runbook is under way on the ticket already."))
    version = find_version(article, article.published_number)
    texts = version.texts
    run = RunbookRun(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        article_id=article.id,
        version_number=version.number,
        title=texts[language]["title"] or texts["en"]["title"] or texts["id"]["title"],
        started_by_name=by.name[:120],
        started_at=at,
    )
    db.session.add(run)
    db.session.flush()
    db.session.add_all(_copies(run, [Step(**one) for one in version.steps], language))
    db.session.flush()
    detail = {"runbook": str(article.public_id), "version": version.number}
    _audit("ticket.runbook_started", ticket, by, at, detail)
    return run


def _copies(run: RunbookRun, steps: Iterable[Step], language: str) -> list[RunbookStep]:
    return [
        RunbookStep(
            tenant_id=run.tenant_id,
            run_id=run.id,
            ticket_id=run.ticket_id,
            place=place,
            words=step.words(language),
            check_name=step.check,
        )
        for place, step in enumerate(steps, 1)
    ]


def list_runs(ticket: Ticket) -> list[RunView]:
    """The runbooks of a ticket with their steps, the last started first: two statements."""
    mine = (RunbookRun.tenant_id == ticket.tenant_id, RunbookRun.ticket_id == ticket.id)
    runs = db.session.scalars(select(RunbookRun).where(*mine).order_by(RunbookRun.id.desc())).all()
    if not runs:
        return []
    asked = select(RunbookStep).where(
        RunbookStep.tenant_id == ticket.tenant_id, RunbookStep.ticket_id == ticket.id
    )
    # Ticking updates rows that the session may know as they were.
    fresh = asked.order_by(RunbookStep.run_id, RunbookStep.place).execution_options(populate_existing=True)
    steps = db.session.scalars(fresh).all()
    return [RunView(run, [one for one in steps if one.run_id == run.id]) for run in runs]


def find_run(public_id: str) -> tuple[RunView, Ticket]:
    """A runbook under way, and its ticket. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError as wrong:
        raise NotFound from wrong
    run = db.session.scalar(select(RunbookRun).where(RunbookRun.public_id == key))
    if run is None:
        raise NotFound
    ticket = db.session.scalars(
        select(Ticket).where(Ticket.tenant_id == run.tenant_id, Ticket.id == run.ticket_id)
    ).one()
    return next(one for one in list_runs(ticket) if one.run.id == run.id), ticket


def tick_step(run: RunbookRun, ticket: Ticket, place: int, *, note: str, by: Actor, at: datetime) -> None:
    """Say that a step is done; the ticket tells it among staff. Doing it twice says it once.

    Raises Invalid on `note`, NotFound for a step that is not there, Forbidden.
    """
    if not by.may(Permission.WORK_TICKETS):
        raise Forbidden
    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise Invalid("note", _l("Write one line of at most 500 characters."))
    hold(ticket)
    known = select(RunbookStep).where(
        RunbookStep.tenant_id == run.tenant_id, RunbookStep.run_id == run.id, RunbookStep.place == place
    )
    if db.session.scalar(known) is None:
        raise NotFound
    _tick(ticket, (RunbookStep.run_id == run.id, RunbookStep.place == place), note=note, by=by, at=at)


def take_back_step(run: RunbookRun, ticket: Ticket, place: int, *, by: Actor, at: datetime) -> None:
    """Say that a step was not done after all; the ticket tells that too. Raises Forbidden."""
    if not by.may(Permission.WORK_TICKETS):
        raise Forbidden
    hold(ticket)
    taken = (
        update(RunbookStep)
        .where(RunbookStep.tenant_id == run.tenant_id, RunbookStep.run_id == run.id)
        .where(RunbookStep.place == place, RunbookStep.done_at.is_not(None))
        .values(done_at=None, done_by_name=None)
        .returning(RunbookStep.words)
    )
    words = db.session.scalar(taken)
    if words is None:
        return
    run.finished_at = None
    said = _("%(runbook)s: not done after all: %(step)s", runbook=run.title, step=words)
    add_message(ticket, body=said, kind="internal", by=by, at=at, via="runbook")


def tick_by_check(ticket: Ticket, check: str, *, at: datetime) -> int:
    """Tick what waits for something that has just happened on a ticket; returns how many steps that were."""
    hold(ticket)
    return _tick(ticket, (RunbookStep.check_name == check,), note="", by=PORTAL, at=at)


def _tick(ticket: Ticket, which: Sequence[Any], *, note: str, by: Actor, at: datetime) -> int:
    """Tick steps of a held ticket that are not done, and write one line for each."""
    ticked = (
        update(RunbookStep)
        .where(RunbookStep.tenant_id == ticket.tenant_id, RunbookStep.ticket_id == ticket.id, *which)
        .where(RunbookStep.done_at.is_(None))
        .values(done_at=at, done_by_name=by.name[:120], **({"note": note} if note else {}))
        .returning(RunbookStep.run_id, RunbookStep.place)
        .execution_options(synchronize_session=False)
    )
    found = sorted(tuple(row) for row in db.session.execute(ticked))
    if not found:
        return 0
    views = {one.run.id: one for one in list_runs(ticket)}
    for run_id, place in found:
        _tell(ticket, views[run_id], place, by=by, at=at)
    for view in views.values():
        if view.done == len(view.steps) and view.run.finished_at is None:
            view.run.finished_at = at
    db.session.flush()
    return len(found)


def _tell(ticket: Ticket, view: RunView, place: int, *, by: Actor, at: datetime) -> None:
    step = next(one for one in view.steps if one.place == place)
    said = _(
        "%(runbook)s, step %(place)s of %(count)s done: %(step)s",
        runbook=view.run.title,
        place=place,
        count=len(view.steps),
        step=step.words,
    )
    body = f"{said}\n{step.note}" if step.note else said
    add_message(ticket, body=body, kind="internal", by=by, at=at, via="runbook")


def has_waiting_step(tenant_id: int, ticket_id: int, checks: Sequence[str]) -> bool:
    """Whether a ticket has a step that one of these would tick: one look into a small index."""
    asked = select(RunbookStep.id).where(
        RunbookStep.tenant_id == tenant_id,
        RunbookStep.ticket_id == ticket_id,
        RunbookStep.done_at.is_(None),
        RunbookStep.check_name != "",
        RunbookStep.check_name.in_(checks),
    )
    return db.session.scalar(asked.limit(1)) is not None


def _audit(action: str, ticket: Ticket, by: Actor, at: datetime, detail: dict[str, Any]) -> None:
    audit.record(
        action, tenant_id=ticket.tenant_id, by=by, object=f"ticket {ticket.code}", at=at, detail=detail
    )
