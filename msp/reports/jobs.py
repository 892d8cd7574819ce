"""Closing months that have ended, and telling the client's admins on the contract's day."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select

from contracts.statements.events import StatementClosed
from contracts.statements.evidence import Period
from contracts.statements.models import Statement
from contracts.statements.queries import list_unclosed
from contracts.statements.rules import following
from contracts.statements.services import close_month
from contracts.terms.document import read_promise
from contracts.terms.models import Contract
from contracts.terms.queries import find_last_version
from msp.background.jobs import job
from msp.mail import enclosures
from msp.mail.addresses import address_of
from msp.mail.readers import list_readers
from msp.mail.services import queue_mail
from msp.reports import enclosing, view
from msp.reports.evidence import gather_evidence
from tenants.foundation import time as clock_on_the_wall
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import Claimed, request_work
from tenants.people.queries import list_members
from tenants.tenancy.queries import find_tenant_by_id

CLOSER = Actor.system("statements")
MORNING = time(8)
# Statements of a long past are there to be looked at; nobody wants them by mail.
NEWS_FOR = timedelta(days=62)
MOST_PRINTS = 3


def ask_for_closings() -> int:
    """Ask for work for each month that waits to be closed; asking twice, or in two sweepers, closes it once."""
    with enter(sweeper()):
        waiting = list_unclosed(clock_on_the_wall.now())
    for one in waiting:
        with enter(of_tenant(one.tenant_id)):
            request_work(
                "close_month",
                tenant_id=one.tenant_id,
                arguments={"contract": one.contract_id, "month": one.month.isoformat()},
                key=f"{one.contract_id}:{one.month:%Y-%m}",
            )
            db.session.commit()
    return len(waiting)


@job("close_month")
def close_ended_month(claimed: Claimed) -> None:
    """Close one month of one contract; a repeat finds it closed."""
    contract = db.session.scalars(
        select(Contract).where(Contract.id == int(claimed.arguments["contract"]))
    ).one()
    month = datetime.fromisoformat(claimed.arguments["month"]).date()
    close_month(
        contract, month, evidence=gather_evidence(contract, month), by=CLOSER, at=clock_on_the_wall.now()
    )


def announce_statement(event: StatementClosed) -> None:
    """Reaction: the client's admins get it on the contract's day, amendments at once."""
    statement = db.session.get_one(Statement, (event.tenant_id, event.statement_id))
    contract = db.session.get_one(Contract, (event.tenant_id, statement.contract_id))
    ended = Period.of(contract, statement.month).end
    if event.at - ended > NEWS_FOR:
        return
    request_work(
        "send_statement",
        tenant_id=event.tenant_id,
        arguments={"statement": statement.id},
        queue="mail",
        due_at=_sent_at(contract, statement, ended, event.at),
        key=str(statement.id),
    )


def _sent_at(contract: Contract, statement: Statement, ended: datetime, at: datetime) -> datetime | None:
    """08:00 of the contract's day in its zone; None, which is at once, for amendments and days gone by."""
    version = find_last_version(contract, ended)
    on = following(statement.month).replace(day=read_promise(version.terms).statement_day if version else 1)
    due = datetime.combine(on, MORNING, ZoneInfo(contract.time_zone))
    return due if statement.number == 1 and due > at else None


@job("send_statement", queue="mail")
def send_statement(claimed: Claimed) -> None:
    """Queue a mail to each admin of the client, with the PDF where it fits; a repeat queues nothing more."""
    statement = db.session.scalars(
        select(Statement).where(Statement.id == int(claimed.arguments["statement"]))
    ).one()
    tenant = find_tenant_by_id(statement.tenant_id)
    shared = {
        "view": view.read(statement),
        "current_tenant": tenant,
        "provider_name": current_app.extensions["settings"].provider_name,
        "action_url": address_of("portal.show_statement", statement_id=str(statement.public_id)),
    }
    admins = [one for one in list_members(statement.tenant_id) if one.role == MemberRole.CLIENT_ADMIN]
    readers = list_readers(one.user_id for one in admins)
    languages = {one.user_id: readers[one.user_id].language or tenant.language for one in admins}
    fits = {one: _fits(claimed, statement.id, one) for one in set(languages.values())}
    for one in admins:
        language = languages[one.user_id]
        queue_mail(
            statement.tenant_id,
            to=one.email,
            template="statement",
            language=language,
            context={**shared, "name": one.name, "is_attached": fits[language]},
            unwanted=readers[one.user_id].unwanted,
            key=f"statement:{statement.id}:{one.user_id}",
            encloses=enclosures.named(enclosing.KIND, statement.id) if fits[language] else None,
        )


def _fits(claimed: Claimed, statement_id: int, language: str) -> bool:
    """Whether the PDF can go with the mail; where it can't be printed in the end, the mail goes without it."""
    try:
        return enclosing.is_small_enough(statement_id, language)
    except enclosures.NotMade:
        if claimed.attempts < MOST_PRINTS:
            raise
        return False
