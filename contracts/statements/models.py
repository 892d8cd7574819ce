"""A month of a contract, frozen: its figures, every line behind them, and the credit that follows from them.

Rows are written once. A correction is another statement of the same month with the next number.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

TRIAL_STATES = ("waiting", "running", "done", "failed", "cancelled")
CREDIT_STATES = ("proposed", "approved", "declined", "replaced")
_ONCE: dict[Role, str] = dict.fromkeys((Role.STAFF, Role.WORKER), "SELECT, INSERT")


class Statement(AllForClient, TenantOwned, Base):
    """One contract's month as it was closed, or as an amendment corrects it.

    `head` is the exact text that was hashed, canonical JSON; `sha256` covers it and every line in order.
    """

    __tablename__ = "statements"
    __grants__: ClassVar[dict[Role, str]] = {**_ONCE, Role.SWEEPER: "SELECT (tenant_id, contract_id, month)"}
    public_id: Mapped[Any] = public_id()
    contract_id: Mapped[int]
    # The first day of the month, as the contract's zone counts it.
    month: Mapped[date] = mapped_column(Date)
    # 1 for the closing, 2 and on for amendments.
    number: Mapped[int]
    head: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    line_count: Mapped[int]
    closed_at: Mapped[datetime] = moment()
    closed_by: Mapped[str] = mapped_column(String(120))
    __table_args__ = (
        CheckConstraint("number > 0", name="number_positive"),
        belongs("contracts", "contract_id"),
        Index("uq_statements_number", "tenant_id", "contract_id", "month", "number", unique=True),
        Index("ix_statements_month", "tenant_id", "month", "id"),
    )


class StatementLine(AllForClient, TenantOwned, Base):
    """One target that was met or missed in the month; `body` is the exact text that was hashed, canonical JSON."""

    __tablename__ = "statement_lines"
    __grants__: ClassVar[dict[Role, str]] = _ONCE
    statement_id: Mapped[int]
    # From 1, in the order in which the lines were hashed.
    position: Mapped[int]
    clock: Mapped[str]
    priority: Mapped[str]
    # met, missed or set_aside.
    verdict: Mapped[str]
    body: Mapped[str]
    __table_args__ = (
        choice("verdict", ("met", "missed", "set_aside")),
        belongs("statements", "statement_id"),
        Index("uq_statement_lines_position", "tenant_id", "statement_id", "position", unique=True),
    )


class Credit(AllForClient, TenantOwned, Base):
    """What a statement says we owe the client, and what was decided about it; amounts in whole units."""

    __tablename__ = "statement_credits"
    __grants__: ClassVar[dict[Role, str]] = dict.fromkeys(
        (Role.STAFF, Role.WORKER), "SELECT, INSERT, UPDATE (state, decided_by, decided_at, reason)"
    )
    statement_id: Mapped[int]
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(default="proposed")
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = moment(nullable=True)
    reason: Mapped[str | None] = mapped_column(String(2000))
    __table_args__ = (
        choice("state", CREDIT_STATES),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        belongs("statements", "statement_id"),
        Index("uq_statement_credits", "tenant_id", "statement_id", unique=True),
    )


class TermTrial(TenantOwned, Base):
    """Draft terms that a job replays over the client's past; clients never read them. Forgotten after a week."""

    __tablename__ = "term_trials"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    public_id: Mapped[Any] = public_id()
    state: Mapped[str] = mapped_column(default="waiting")
    asked_by: Mapped[str] = mapped_column(String(120))
    asked_by_user_id: Mapped[int | None]
    asked_at: Mapped[datetime] = moment()
    # The first days of the first and the last month.
    first: Mapped[date]
    last: Mapped[date]
    draft: Mapped[dict[str, Any]]
    # Progress in tickets, so that "4,000 of 10,000" can be said while it runs.
    tickets_done: Mapped[int] = mapped_column(default=0)
    tickets_total: Mapped[int]
    outcome: Mapped[dict[str, Any] | None]
    finished_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("state", TRIAL_STATES),
        Index("ix_term_trials_asked", "tenant_id", "asked_at", "id"),
    )

    @property
    def is_under_way(self) -> bool:
        """Whether an outcome may still come."""
        return self.state in ("waiting", "running")
