"""Finding statements, their lines and credits."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from contracts.statements import rules
from contracts.statements.models import Credit, Statement, StatementLine
from contracts.terms.models import Contract
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.tenancy.models import Tenant


@dataclass(frozen=True, slots=True)
class Listed:
    """A statement with its contract's name and its credit, as lists show it."""

    statement: Statement
    contract_name: str
    credit: Credit | None
    is_latest: bool


def find_statement(public_id: str, *, tenant_id: int | None = None) -> Statement:
    """A statement by its public id, of one client if named. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError:
        raise NotFound from None
    wanted = select(Statement).where(Statement.public_id == key)
    if tenant_id is not None:
        wanted = wanted.where(Statement.tenant_id == tenant_id)
    found = db.session.scalar(wanted)
    if found is None:
        raise NotFound
    return found


def list_numbers(statement: Statement) -> list[Statement]:
    """The closing and all amendments of a statement's month, the latest first."""
    return list(db.session.scalars(_of_month(statement.tenant_id, statement.contract_id, statement.month)))


def find_latest(contract: Contract, month: date) -> Statement | None:
    """What holds for a month: its last amendment, or its closing; None while it is not closed."""
    return db.session.scalars(_of_month(contract.tenant_id, contract.id, month)).first()


def is_closed(tenant_id: int, month: date) -> bool:
    """Whether a client has a statement of this month."""
    made = select(Statement.id).where(Statement.tenant_id == tenant_id, Statement.month == month)
    return db.session.scalar(select(made.exists())) or False


def list_latest(tenant_id: int, contract_id: int, *, upto: date, limit: int) -> list[Statement]:
    """What holds for each of the latest closed months up to one, the latest first."""
    newest = (
        select(Statement)
        .where(
            Statement.tenant_id == tenant_id, Statement.contract_id == contract_id, Statement.month <= upto
        )
        .order_by(Statement.month.desc(), Statement.number.desc())
        .ext(distinct_on(Statement.month))
        .limit(limit)
    )
    return list(db.session.scalars(newest))


def _of_month(tenant_id: int, contract_id: int, month: date) -> Any:
    return (
        select(Statement)
        .where(
            Statement.tenant_id == tenant_id, Statement.contract_id == contract_id, Statement.month == month
        )
        .order_by(Statement.number.desc())
    )


def list_statements(
    *,
    tenant_id: int | None = None,
    contract_id: int | None = None,
    month: date | None = None,
    after: tuple[date, int] | None = None,
    limit: int = 26,
) -> list[Listed]:
    """Statements in scope with amendments, the latest month first; the sort key is `(month, id)`, falling."""
    listed = (
        select(Statement, Contract.name, Credit, ~_is_amended())
        .outerjoin(
            Contract, and_(Contract.tenant_id == Statement.tenant_id, Contract.id == Statement.contract_id)
        )
        .outerjoin(Credit, and_(Credit.tenant_id == Statement.tenant_id, Credit.statement_id == Statement.id))
        .order_by(Statement.month.desc(), Statement.id.desc())
        .limit(limit)
    )
    for column, value in (
        (Statement.tenant_id, tenant_id),
        (Statement.contract_id, contract_id),
        (Statement.month, month),
    ):
        if value is not None:
            listed = listed.where(column == value)
    if after is not None:
        listed = listed.where(tuple_(Statement.month, Statement.id) < tuple_(*after))
    return [Listed(*row) for row in db.session.execute(listed)]


def _is_amended() -> ColumnElement[bool]:
    """Whether a statement of the same month has a higher number; one probe of the index that names them."""
    later = aliased(Statement)
    same = and_(
        later.tenant_id == Statement.tenant_id,
        later.contract_id == Statement.contract_id,
        later.month == Statement.month,
        later.number > Statement.number,
    )
    return select(later.id).where(same).correlate(Statement).exists()


def list_lines(
    statement: Statement,
    *,
    clock: str = "",
    priority: str = "",
    verdict: str = "",
    after: int | None = None,
    limit: int | None = None,
) -> Sequence[StatementLine]:
    """A statement's lines in their order, narrowed to a figure's if asked; the sort key is the position."""
    listed = select(StatementLine).where(
        StatementLine.tenant_id == statement.tenant_id, StatementLine.statement_id == statement.id
    )
    for column, value in (
        (StatementLine.clock, clock),
        (StatementLine.priority, priority),
        (StatementLine.verdict, verdict),
    ):
        if value:
            listed = listed.where(column == value)
    if after is not None:
        listed = listed.where(StatementLine.position > after)
    listed = listed.order_by(StatementLine.position)
    return db.session.scalars(listed.limit(limit) if limit else listed).all()


def find_credit(statement: Statement) -> Credit | None:
    """The credit that follows from a statement, if its contract has a table of credits."""
    owed = select(Credit).where(Credit.tenant_id == statement.tenant_id, Credit.statement_id == statement.id)
    return db.session.scalar(owed)


# What was in hand at midnight is committed by then.
SETTLED_AFTER = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Unclosed:
    """A month that has ended and waits to be closed."""

    tenant_id: int
    contract_id: int
    month: date


def list_unclosed(now: datetime) -> list[Unclosed]:
    """Months of clients' contracts that ended since the contract was entered. Sweeper's scope.

    Months before that are closed by hand: nobody waits for the statements of an imported past.
    """
    closed: dict[tuple[int, int], set[date]] = defaultdict(set)
    for tenant_id, contract_id, month in db.session.execute(
        select(Statement.tenant_id, Statement.contract_id, Statement.month)
    ):
        closed[tenant_id, contract_id].add(month)
    served = select(Contract).join(
        Tenant, and_(Tenant.id == Contract.tenant_id, Tenant.kind == "client", Tenant.state != "offboarded")
    )
    return [
        Unclosed(one.tenant_id, one.id, month)
        for one in db.session.scalars(served.order_by(Contract.tenant_id, Contract.id))
        for month in _months(one, closed[one.tenant_id, one.id], now)
    ]


def _months(contract: Contract, closed: set[date], now: datetime) -> list[date]:
    zone = ZoneInfo(contract.time_zone)
    entered = contract.created_at.astimezone(zone).date()
    return rules.months_to_close(
        first=max(contract.starts_on, entered),
        last=contract.ends_on,
        closed=closed,
        today=(now - SETTLED_AFTER).astimezone(zone).date(),
    )
