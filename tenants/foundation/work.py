"""Work is a row with a due time; Redis only rings the doorbell.

A row is asked for in the transaction that needs it, claimed by one conditional UPDATE that takes a lease and a fence by
the database's clock, and finished in the transaction of its effect under the same fence. Emptying Redis, killing a
worker or running a job twice therefore loses and doubles nothing.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Index, String, and_, func, or_, select, text, update
from sqlalchemy import Sequence as DatabaseSequence
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.foundation import transaction
from tenants.foundation.db import Base, TenantOwned, choice, db, moment
from tenants.foundation.scope import Role

STATES = ("due", "leased", "done", "dead")
MOST_ATTEMPTS = 8
PATIENCE = timedelta(minutes=1)
LEASE = timedelta(seconds=60)
_fence = DatabaseSequence("work_fence", metadata=Base.metadata)


class Work(TenantOwned, Base):
    """One thing to do for one tenant: `kind` names the job, `arguments` carry ids only."""

    __tablename__ = "work"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "SELECT, INSERT",
        Role.AGENTS: "SELECT, INSERT",
        Role.GATE: "SELECT, INSERT",
        Role.SWEEPER: "SELECT, UPDATE, DELETE",
    }
    kind: Mapped[str]
    queue: Mapped[str] = mapped_column(String(40), default="default")
    key: Mapped[str | None]
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="due")
    due_at: Mapped[datetime] = moment(server_default=func.clock_timestamp())
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int | None]
    lease_until: Mapped[datetime | None] = moment(nullable=True)
    rung_at: Mapped[datetime | None] = moment(nullable=True)
    requested_at: Mapped[datetime] = moment(server_default=func.clock_timestamp())
    finished_at: Mapped[datetime | None] = moment(nullable=True)
    last_error: Mapped[str | None]
    __table_args__ = (
        choice("state", STATES),
        Index(
            "uq_work_waiting_key",
            "tenant_id",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("state = 'due' AND key IS NOT NULL"),
        ),
        # The sweeper's own index runs over all tenants: it reads only what is due.
        Index("ix_work_due", "due_at", postgresql_where=text("state IN ('due', 'leased')")),
    )


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed row: what to do, for whom, and the fence that every later write must show."""

    tenant_id: int
    id: int
    kind: str
    queue: str
    arguments: dict[str, Any]
    attempts: int
    fence: int


def request_work(
    kind: str,
    *,
    tenant_id: int,
    arguments: dict[str, Any] | None = None,
    queue: str = "default",
    due_at: datetime | None = None,
    key: str | None = None,
) -> None:
    """Ask for work in the transaction in force; a waiting row with the same key absorbs the repeat."""
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "kind": kind,
        "queue": queue,
        "key": key,
        "arguments": arguments or {},
        "state": "due",
        "attempts": 0,
    }
    if due_at is not None:
        values["due_at"] = due_at
    asked = insert(Work).values(**values).on_conflict_do_nothing().returning(Work.id)
    work_id = db.session.execute(asked).scalar_one_or_none()
    if due_at is None and work_id is not None:
        transaction.add("doorbell", (tenant_id, work_id, queue))


def claim(session: Session, *, tenant_id: int, work_id: int) -> Claimed | None:
    """Take the lease of one row, or None when somebody else holds it or it is finished. Sweeper's scope."""
    now = func.clock_timestamp()
    open_to_all = or_(
        and_(Work.state == "due", Work.due_at <= now), and_(Work.state == "leased", Work.lease_until < now)
    )
    row = session.execute(
        update(Work)
        .where(Work.tenant_id == tenant_id, Work.id == work_id, open_to_all)
        .values(
            state="leased", lease_until=now + LEASE, fence=_fence.next_value(), attempts=Work.attempts + 1
        )
        .returning(Work.kind, Work.queue, Work.arguments, Work.attempts, Work.fence)
    ).one_or_none()
    return None if row is None else Claimed(tenant_id, work_id, *row)


class FenceLost(RuntimeError):
    """The lease ran out and somebody else took the row; this holder's effect must not be committed."""


def finish(session: Session, claimed: Claimed) -> None:
    """Mark the row done in the transaction of its effect. Raises FenceLost when the claim did not survive."""
    _write(
        session, claimed, state="done", finished_at=func.clock_timestamp(), lease_until=None, last_error=None
    )


def fail(session: Session, claimed: Claimed, error: str) -> None:
    """Put the row back with a growing delay, or aside as dead after the last attempt. Raises FenceLost."""
    spent = claimed.attempts >= MOST_ATTEMPTS
    delay = timedelta(seconds=min(2**claimed.attempts, 600))
    _write(
        session,
        claimed,
        state="dead" if spent else "due",
        due_at=func.clock_timestamp() + delay,
        lease_until=None,
        last_error=error[:2000],
    )


def renew(session: Session, claimed: Claimed) -> None:
    """Extend the lease of long work. Raises FenceLost when it was lost."""
    _write(session, claimed, lease_until=func.clock_timestamp() + LEASE)


def _write(session: Session, claimed: Claimed, **values: Any) -> None:
    if values.get("state") == "due":
        _absorb_waiting_twin(session, claimed)
    changed = session.execute(
        update(Work)
        .where(
            Work.tenant_id == claimed.tenant_id,
            Work.id == claimed.id,
            Work.fence == claimed.fence,
            Work.state == "leased",
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise FenceLost(f"work {claimed.id}: the claim with fence {claimed.fence} did not survive")


def _absorb_waiting_twin(session: Session, claimed: Claimed) -> None:
    """While a keyed row was leased, a twin may have been asked for; the one that goes back stands for both."""
    own = select(Work.key).where(Work.tenant_id == claimed.tenant_id, Work.id == claimed.id).scalar_subquery()
    session.execute(
        update(Work)
        .where(
            Work.tenant_id == claimed.tenant_id,
            Work.kind == claimed.kind,
            Work.key == own,
            Work.state == "due",
            Work.id != claimed.id,
        )
        .values(state="done", finished_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


def list_due(
    session: Session, *, limit: int, ring_again_after: timedelta, backlogged: Collection[str] = ()
) -> Sequence[tuple[int, int, str]]:
    """Due or abandoned rows whose doorbell is not fresh, marked as rung: `(tenant_id, id, queue)`. Sweeper's scope.

    In a backlogged queue an earlier ring most likely still waits: it is rung again only after `PATIENCE`.
    """
    now = func.clock_timestamp()
    idle = Work.queue.not_in(backlogged)
    due = (
        select(Work.tenant_id, Work.id)
        .where(
            or_(
                and_(Work.state == "due", Work.due_at <= now),
                and_(Work.state == "leased", Work.lease_until < now),
            ),
            or_(
                Work.rung_at.is_(None),
                and_(idle, Work.rung_at < now - ring_again_after),
                Work.rung_at < now - PATIENCE,
            ),
        )
        .order_by(Work.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due_work")
    )
    rung = session.execute(
        update(Work)
        .where(Work.tenant_id == due.c.tenant_id, Work.id == due.c.id)
        .values(rung_at=now)
        .returning(Work.tenant_id, Work.id, Work.queue)
        .execution_options(synchronize_session=False)
    )
    return [(row.tenant_id, row.id, row.queue) for row in rung]


def on_doorbell(ring: Callable[[Sequence[tuple[int, int, str]]], None]) -> None:
    """Say what rings: called after each commit that asked for work, with `(tenant_id, id, queue)` of each row."""
    transaction.after_commit("doorbell", lambda _session, asked: ring(asked))
