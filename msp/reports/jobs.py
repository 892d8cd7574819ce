"""Closing months that have ended, and telling the client's admins on the contract's day."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select

from contracts.statements.events import StatementClosed
from contracts.statements.models import Statement
from contracts.statements.queries import list_unclosed
from contracts.statements.rules import following
from contracts.statements.services import close_month
from contracts.terms.document import read_promise
from contracts.terms.models import Contract
from contracts.terms.queries import find_version_in_force
from msp.background.jobs import job
from msp.mail.addresses import address_of
from msp.mail.services import queue_mail
from msp.reports import view
from msp.reports.evidence import gather_evidence
from tenants.foundation import time as clock_on_the_wall
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import enter, gate, of_tenant, sweeper
from tenants.foundation.work import Claimed, request_work
from tenants.people.models import Membership, User
from tenants.tenancy.queries import find_tenant_by_id

CLOSER = Actor.system("statements")
MORNING = time(8)
# Statements of a long past are there to be looked at; nobody wants them by mail.
NEWS_FOR = timedelta(days=62)


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
    ended = _local(contract, following(statement.month), time())
    if event.at - ended > NEWS_FOR:
        return
    request_work(
        "send_statement",
        tenant_id=event.tenant_id,
        arguments={"statement": statement.id},
        queue="mail",
        due_at=_sent_at(contract, statement, event.at),
        key=str(statement.id),
    )


def _sent_at(contract: Contract, statement: Statement, at: datetime) -> datetime | None:
    """08:00 of the contract's day in its zone; None, which is at once, for amendments and days gone by."""
    version = find_version_in_force(contract.tenant_id, at)
    on = following(statement.month).replace(day=read_promise(version.terms).statement_day if version else 1)
    due = _local(contract, on, MORNING)
    return due if statement.number == 1 and due > at else None


def _local(contract: Contract, on: Any, hour: time) -> datetime:
    return datetime.combine(on, hour, ZoneInfo(contract.time_zone))


@job("send_statement", queue="mail")
def send_statement(claimed: Claimed) -> None:
    """Queue a mail to each admin of the client; a repeat queues nothing more."""
    statement = db.session.scalars(
        select(Statement).where(Statement.id == int(claimed.arguments["statement"]))
    ).one()
    admins = select(Membership).where(
        Membership.role == MemberRole.CLIENT_ADMIN, Membership.state == "active"
    )
    for one in db.session.scalars(admins.order_by(Membership.id)):
        _queue(statement, one)


def _queue(statement: Statement, admin: Membership) -> None:
    tenant = find_tenant_by_id(statement.tenant_id)
    with enter(gate()):
        language = db.session.scalar(select(User.language).where(User.id == admin.user_id))
    queue_mail(
        statement.tenant_id,
        to=admin.email,
        template="statement",
        language=language or tenant.language,
        context={
            "view": view.read(statement),
            "name": admin.name,
            "current_tenant": tenant,
            "provider_name": current_app.extensions["settings"].provider_name,
            "action_url": address_of("portal.show_statement", statement_id=str(statement.public_id)),
        },
        key=f"statement:{statement.id}:{admin.user_id}",
    )
