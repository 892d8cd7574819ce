"""Leased work: claimed once, fenced, retried, never lost."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from msp.background import jobs, runner
from tenants.foundation import work
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import FenceLost, Work, request_work


@pytest.fixture
def acme(app, cast):
    with app.app_context():
        yield cast.tenants["acme"]


def _ask(tenant_id, **options):
    with enter(of_tenant(tenant_id)):
        request_work("test", tenant_id=tenant_id, **options)
        db.session.commit()
        return db.session.scalars(select(Work.id).order_by(Work.id.desc()).limit(1)).one()


def _claim(tenant_id, work_id):
    with enter(sweeper()):
        claimed = work.claim(db.session(), tenant_id=tenant_id, work_id=work_id)
        db.session.commit()
    return claimed


def _row(tenant_id, work_id):
    with enter(of_tenant(tenant_id)):
        return db.session.scalars(select(Work).where(Work.id == work_id)).one()


def _let_lease_run_out(work_id):
    with enter(sweeper()):
        past = func.clock_timestamp() - timedelta(seconds=1)
        db.session.execute(update(Work).where(Work.id == work_id).values(lease_until=past))
        db.session.commit()


@pytest.fixture
def handled(monkeypatch):
    seen = []
    monkeypatch.setitem(jobs.JOBS, "test", jobs.Job("test", seen.append, "default", jobs.own_tenant))
    return seen


def test_only_one_claims(acme):
    work_id = _ask(acme)
    assert _claim(acme, work_id) is not None
    assert _claim(acme, work_id) is None


def test_a_key_absorbs_repeats_while_waiting(acme):
    _ask(acme, key="same")
    _ask(acme, key="same")
    with enter(of_tenant(acme)):
        assert db.session.scalar(select(func.count()).select_from(Work).where(Work.key == "same")) == 1


def test_work_of_the_future_waits(acme, handled):
    from tenants.foundation import time

    work_id = _ask(acme, due_at=time.now() + timedelta(hours=1))
    assert _claim(acme, work_id) is None
    assert runner.run_all_due() == 0


def test_done_once_however_often_it_is_rung(acme, handled):
    work_id = _ask(acme)
    assert runner.run_claimed(acme, work_id)
    assert not runner.run_claimed(acme, work_id)
    assert len(handled) == 1
    assert _row(acme, work_id).state == "done"


def test_a_late_writer_is_refused_by_the_fence(acme):
    work_id = _ask(acme)
    late = _claim(acme, work_id)
    _let_lease_run_out(work_id)
    newer = _claim(acme, work_id)
    assert newer.fence > late.fence
    with enter(of_tenant(acme)), pytest.raises(FenceLost):
        work.finish(db.session(), late)
    with enter(of_tenant(acme)):
        work.finish(db.session(), newer)
        db.session.commit()
    assert _row(acme, work_id).state == "done"


def test_the_effect_of_a_late_writer_is_not_committed(acme, monkeypatch):
    """The lease runs out between claim and effect; somebody else takes the row; nothing of the first is kept."""

    def slow(claimed):
        request_work("effect", tenant_id=acme)
        with enter(sweeper()):
            past = func.clock_timestamp() - timedelta(seconds=1)
            db.session.execute(update(Work).where(Work.id == claimed.id).values(lease_until=past))
            db.session.commit()
        assert _claim(acme, claimed.id) is not None

    monkeypatch.setitem(jobs.JOBS, "test", jobs.Job("test", slow, "default", jobs.own_tenant))
    assert not runner.run_claimed(acme, _ask(acme))
    with enter(of_tenant(acme)):
        assert db.session.scalars(select(Work).where(Work.kind == "effect")).all() == []


def test_a_failing_job_is_put_back_and_in_the_end_aside(acme, monkeypatch):
    def broken(_claimed):
        raise ValueError("broken on purpose")

    monkeypatch.setitem(jobs.JOBS, "test", jobs.Job("test", broken, "default", jobs.own_tenant))
    work_id = _ask(acme)
    for attempt in range(1, work.MOST_ATTEMPTS + 1):
        with enter(sweeper()):
            db.session.execute(update(Work).where(Work.id == work_id).values(due_at=func.clock_timestamp()))
            db.session.commit()
        assert not runner.run_claimed(acme, work_id)
        row = _row(acme, work_id)
        assert row.attempts == attempt
    assert row.state == "dead"
    assert "broken on purpose" in row.last_error


def test_put_back_beside_a_twin_keeps_one(acme, monkeypatch):
    """While a keyed row runs, a twin is asked for; when the first fails, one row remains to do."""

    def broken(_claimed):
        _ask(acme, key="twin")
        raise ValueError

    work_id = _ask(acme, key="twin")
    monkeypatch.setitem(jobs.JOBS, "test", jobs.Job("test", broken, "default", jobs.own_tenant))
    assert not runner.run_claimed(acme, work_id)
    with enter(of_tenant(acme)):
        assert db.session.scalar(select(func.count()).select_from(Work).where(Work.state == "due")) == 1


def test_the_sweeper_rings_once_per_interval(acme):
    _ask(acme)
    with enter(sweeper()):
        first = work.list_due(db.session(), limit=10, ring_again_after=timedelta(minutes=1))
        second = work.list_due(db.session(), limit=10, ring_again_after=timedelta(minutes=1))
    assert len(first) == 1
    assert second == []


def test_while_rings_wait_only_new_work_is_rung_and_the_rest_after_a_while(acme, monkeypatch):
    """Each ring of a queue that is behind would put one more job in front of what waits."""
    _ask(acme)
    everything = {"limit": 10, "ring_again_after": timedelta(0)}
    with enter(sweeper()):
        assert len(work.list_due(db.session(), **everything, backlogged=["default"])) == 1
        assert work.list_due(db.session(), **everything, backlogged=["default"]) == []
        assert len(work.list_due(db.session(), **everything, backlogged=["mail"])) == 1
        monkeypatch.setattr(work, "PATIENCE", timedelta(0))
        assert len(work.list_due(db.session(), **everything, backlogged=["default"])) == 1


def test_rolled_back_work_is_never_rung(acme, app):
    with enter(of_tenant(acme)):
        request_work("test", tenant_id=acme)
        db.session.rollback()
    assert app.extensions["redis"].dbsize() == 0
