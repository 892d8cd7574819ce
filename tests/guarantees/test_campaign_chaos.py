"""PostgreSQL is the truth: emptying Redis and killing workers loses nothing and does nothing twice."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from msp.background.jobs import JOBS
from msp.campaigns import jobs
from msp.campaigns.models import Action, Campaign, Decision
from tenants.foundation import time, work
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter, of_tenant, sweeper
from tenants.foundation.work import FenceLost, Work
from tests.guarantees.chaos import Chaos, check
from tests.guarantees.ownportal import own_portal
from tests.msp.campaigns import fleet


def test_a_few_faults_lose_nothing_apply_nothing_twice_and_offer_nothing_wrongly(app, cast):
    with own_portal() as portal:
        chaos = Chaos(portal, seed=2026, faults_wanted=4)
        chaos.run(seconds=300)
        figures = chaos.figures()
    print(figures)
    check(figures)
    assert set(figures["faults"]) == {"FLUSHALL", "kill -9 worker", "kill -9 sweeper", "PostgreSQL crashed"}


@pytest.fixture
def waiting(app, cast):
    """A campaign whose start waits for a worker."""
    fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-0"])
    rollout = fleet.draft(app, cast, slugs=("acme",))
    fleet.release(rollout)
    return rollout


def _row(state="due"):
    with enter(sweeper()):
        mine = select(Work.tenant_id, Work.id).where(Work.kind == jobs.KIND, Work.state == state)
        row = db.session.execute(mine).one()
        return {"tenant_id": row.tenant_id, "work_id": row.id}


def _claim(row):
    with enter(sweeper()):
        claimed = work.claim(db.session(), **row)
        db.session.commit()
    return claimed


def _states(rollout):
    with enter(Scope(Role.WORKER, frozenset())):
        state = db.session.scalars(select(Campaign.state)).one()
        return state, len(db.session.scalars(select(Decision).where(Decision.kind == "running")).all())


def test_a_late_writer_is_refused_by_the_fence(app, waiting, superuser):
    """One worker claims, pauses beyond its lease, and wakes up after another one has done the work."""
    with app.app_context():
        row = _row()
        slow = _claim(row)
        assert _claim(row) is None
        superuser.execute(
            "UPDATE work SET lease_until = now() - interval '1 second' WHERE id = %s", (row["work_id"],)
        )
        quick = _claim(row)
        assert quick.fence > slow.fence
        job = JOBS[jobs.KIND]
        with enter(job.scope(quick)):
            job.handler(quick)
            db.session.flush()
            work.finish(db.session(), quick)
            db.session.commit()
        assert _states(waiting) == ("running", 1)
        with enter(job.scope(slow)):
            job.handler(slow)
            db.session.flush()
            with pytest.raises(FenceLost):
                work.finish(db.session(), slow)
            db.session.rollback()
        assert _states(waiting) == ("running", 1)


def test_a_late_writer_s_effect_is_refused_whole(app, waiting, superuser):
    """It paused for a day between its claim and its effect: what it then wants to write is gone with its claim."""
    with app.app_context():
        waiting.tick()
        with enter(of_tenant(waiting.cast.tenants["acme"])):
            work.request_work(
                jobs.KIND,
                tenant_id=waiting.cast.tenants["acme"],
                arguments={"campaign": waiting.id},
                queue="campaigns",
            )
            db.session.commit()
        row = _row()
        slow = _claim(row)
        superuser.execute(
            "UPDATE work SET lease_until = now() - interval '1 second' WHERE id = %s", (row["work_id"],)
        )
        quick = _claim(row)
        before = waiting.outcomes(), waiting.state, len(waiting.decisions())
        with time.frozen(time.now() + timedelta(days=1)), enter(JOBS[jobs.KIND].scope(slow)):
            JOBS[jobs.KIND].handler(slow)
            db.session.flush()
            assert set(db.session.scalars(select(Action.outcome))) == {"unreachable"}
            with pytest.raises(FenceLost):
                work.finish(db.session(), slow)
            db.session.rollback()
        assert (waiting.outcomes(), waiting.state, len(waiting.decisions())) == before
        with enter(JOBS[jobs.KIND].scope(quick)):
            JOBS[jobs.KIND].handler(quick)
            work.finish(db.session(), quick)
            db.session.commit()
        assert waiting.state == "running"


def test_a_killed_worker_s_work_is_done_by_the_next(app, waiting, superuser):
    """Killed between the effect and the commit: nothing of it is there, and the row comes due again."""
    with app.app_context():
        row = _row()
        lost = _claim(row)
        with enter(JOBS[jobs.KIND].scope(lost)):
            JOBS[jobs.KIND].handler(lost)
            db.session.flush()
            db.session.rollback()
        assert _states(waiting) == ("scheduled", 0)
        superuser.execute(
            "UPDATE work SET lease_until = now() - interval '1 second' WHERE id = %s", (row["work_id"],)
        )
        with enter(sweeper()):
            due = work.list_due(db.session(), limit=10, ring_again_after=timedelta(0))
            db.session.commit()
        assert (row["tenant_id"], row["work_id"], "campaigns") in [tuple(one) for one in due]
    assert waiting.tick() == "running"


def test_running_a_job_twice_does_nothing_new(app, waiting):
    waiting.tick()
    before = waiting.outcomes(), [lane.rev for lane in waiting.lanes()], len(waiting.decisions())
    for _ in range(3):
        waiting.tick()
    assert (waiting.outcomes(), [lane.rev for lane in waiting.lanes()], len(waiting.decisions())) == before


def test_work_that_names_a_foreign_campaign_is_refused(app, cast, waiting):
    """A row of work at Globex cannot have Acme's campaign evaluated in Globex's name."""
    with app.app_context():
        with enter(Scope(Role.WORKER, frozenset({cast.tenants["globex"]}))):
            work.request_work(
                jobs.KIND,
                tenant_id=cast.tenants["globex"],
                arguments={"campaign": waiting.id},
                queue="campaigns",
            )
            db.session.commit()
        with enter(sweeper()):
            row = db.session.execute(select(Work.id).where(Work.tenant_id == cast.tenants["globex"])).one()
        claimed = _claim({"tenant_id": cast.tenants["globex"], "work_id": row.id})
        with pytest.raises(jobs.NotAMember):
            JOBS[jobs.KIND].scope(claimed)
