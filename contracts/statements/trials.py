"""Trials: draft terms over a client's past, replayed by a job, kept for a week and forgotten.

Nothing of the client's changes, so its audit log says nothing of them: the client's own people read that.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update

from contracts.statements.models import TermTrial
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.work import request_work

KEPT_FOR = timedelta(days=7)
REPLAY, FORGET = "replay_terms", "forget_trial"
_UNDER_WAY = ("waiting", "running")


def ask_for_trial(
    tenant_id: int,
    draft: Mapping[str, Any],
    first: date,
    last: date,
    *,
    tickets: int,
    by: Actor,
    at: datetime,
) -> TermTrial:
    """Ask for a replay; while somebody's same one is under way, that one is meant. `draft` was read before."""
    asked = {"first": first, "last": last, "draft": dict(draft), "asked_by_user_id": by.id}
    same = [getattr(TermTrial, name) == value for name, value in asked.items()]
    found = db.session.scalars(
        select(TermTrial).where(TermTrial.tenant_id == tenant_id, TermTrial.state.in_(_UNDER_WAY), *same)
    ).first()
    if found is not None:
        return found
    trial = TermTrial(
        tenant_id=tenant_id, asked_by=by.name[:120], asked_at=at, tickets_total=tickets, **asked
    )
    db.session.add(trial)
    db.session.flush()
    names, key = {"trial": trial.id}, str(trial.id)
    request_work(REPLAY, tenant_id=tenant_id, arguments=names, key=key)
    request_work(FORGET, tenant_id=tenant_id, arguments=names, key=key, due_at=at + KEPT_FOR)
    return trial


def find_trial(tenant_id: int, public_id: str) -> TermTrial:
    """A client's trial by its public id. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError:
        raise NotFound from None
    found = db.session.scalar(
        select(TermTrial).where(TermTrial.tenant_id == tenant_id, TermTrial.public_id == key)
    )
    if found is None:
        raise NotFound
    return found


def list_trials(tenant_id: int, limit: int = 10) -> Sequence[TermTrial]:
    """A client's latest trials, newest first."""
    mine = select(TermTrial).where(TermTrial.tenant_id == tenant_id)
    return db.session.scalars(
        mine.order_by(TermTrial.asked_at.desc(), TermTrial.id.desc()).limit(limit)
    ).all()


def begin_trial(trial_id: int) -> TermTrial | None:
    """The trial for the job that is at it from now on; None when nobody waits for it any more."""
    begun = update(TermTrial).where(*_waited_for(trial_id)).values(state="running", tickets_done=0)
    return db.session.scalars(begun.returning(TermTrial)).one_or_none()


def note_progress(trial_id: int, done: int) -> bool:
    """Say how many tickets are done; False when nobody waits for it any more."""
    noted = update(TermTrial).where(*_waited_for(trial_id)).values(tickets_done=done)
    return db.session.scalar(noted.returning(TermTrial.id)) is not None


def finish_trial(trial_id: int, outcome: Mapping[str, Any], *, tickets: int, at: datetime) -> None:
    """Keep what came of it, unless nobody waits for it any more."""
    _end(
        trial_id,
        state="done",
        outcome=dict(outcome),
        tickets_done=tickets,
        tickets_total=tickets,
        finished_at=at,
    )


def fail_trial(trial_id: int, *, at: datetime) -> None:
    """Nothing came of it."""
    _end(trial_id, state="failed", finished_at=at)


def cancel_trial(trial: TermTrial, *, at: datetime) -> None:
    """Nobody waits for it any more; the job ends at its next look. What is over stays as it is."""
    _end(trial.id, state="cancelled", finished_at=at)


def forget_trial(trial_id: int) -> None:
    """Remove it with all that came of it."""
    db.session.execute(delete(TermTrial).where(TermTrial.id == trial_id))


def _waited_for(trial_id: int) -> tuple[ColumnElement[bool], ...]:
    return TermTrial.id == trial_id, TermTrial.state.in_(_UNDER_WAY)


def _end(trial_id: int, **values: Any) -> None:
    db.session.execute(update(TermTrial).where(*_waited_for(trial_id)).values(**values))
