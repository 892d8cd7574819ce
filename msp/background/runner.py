"""Running one row of work: claim, scope, handler, finish under the fence; the wrapper alone commits and retries."""

from datetime import timedelta

import structlog

from msp.background.application import application
from msp.background.jobs import JOBS
from tenants.foundation import work
from tenants.foundation.db import db
from tenants.foundation.scope import enter, sweeper
from tenants.foundation.work import Claimed, FenceLost

log = structlog.get_logger()


def run_work(tenant_id: int, work_id: int) -> bool:
    """Do the work of one row, if it is still to be done. True when it was done here.

    Safe to call twice, late or in two places: only the holder of the newest fence can finish.
    """
    with application().app_context():
        return run_claimed(tenant_id, work_id)


def run_claimed(tenant_id: int, work_id: int) -> bool:
    """As `run_work`, inside an application context."""
    claimed = _claim(tenant_id, work_id)
    if claimed is None:
        return False
    structlog.contextvars.bind_contextvars(job=work_id, tenant=tenant_id, kind=claimed.kind)
    try:
        return _do(claimed)
    except FenceLost:
        log.warning("late result refused", fence=claimed.fence)
        return False
    except Exception as error:
        log.exception("job failed", attempt=claimed.attempts)
        _put_back(claimed, f"{type(error).__name__}: {error}")
        return False
    finally:
        structlog.contextvars.unbind_contextvars("job", "tenant", "kind")


def _claim(tenant_id: int, work_id: int) -> Claimed | None:
    with enter(sweeper()):
        claimed = work.claim(db.session(), tenant_id=tenant_id, work_id=work_id)
        db.session.commit()
    return claimed


def _do(claimed: Claimed) -> bool:
    job = JOBS.get(claimed.kind)
    if job is None:
        raise LookupError(f"no job is declared for {claimed.kind}")
    with enter(job.scope(claimed)):
        job.handler(claimed)
        db.session.flush()
        work.finish(db.session(), claimed)
        db.session.commit()
    return True


def _put_back(claimed: Claimed, error: str) -> None:
    with enter(sweeper()):
        try:
            work.fail(db.session(), claimed, error)
            db.session.commit()
        except FenceLost:
            log.warning("late failure refused", fence=claimed.fence)


def run_all_due(limit: int = 500) -> int:
    """Do everything that is due, here and now: for tests, seeding and commands; returns how many rows were done."""
    done = 0
    while True:
        with enter(sweeper()):
            due = work.list_due(db.session(), limit=limit, ring_again_after=timedelta(0))
            db.session.commit()
        done_now = sum(run_claimed(tenant_id, work_id) for tenant_id, work_id, _queue in due)
        done += done_now
        if not done_now:
            return done
