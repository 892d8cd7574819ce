"""What waits for the end of a transaction follows its savepoint."""

import pytest

from tenants.foundation import transaction
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant


@pytest.fixture
def rung(app, cast):
    seen = []
    transaction.after_commit("test", lambda _session, entries: seen.append(list(entries)))
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        yield seen


def test_after_the_commit_once(rung):
    transaction.add("test", 1)
    transaction.add("test", 2)
    assert rung == []
    db.session.commit()
    db.session.commit()
    assert rung == [[1, 2]]


def test_nothing_after_a_rollback(rung):
    transaction.add("test", 1)
    db.session.rollback()
    db.session.commit()
    assert rung == []


def test_a_released_savepoint_waits_for_the_outer_commit(rung):
    with db.session.begin_nested():
        transaction.add("test", "inner")
    assert rung == []
    db.session.commit()
    assert rung == [["inner"]]


def test_a_rolled_back_savepoint_takes_its_entries_along(rung):
    transaction.add("test", "outer")
    savepoint = db.session.begin_nested()
    transaction.add("test", "inner")
    savepoint.rollback()
    db.session.commit()
    assert rung == [["outer"]]


def test_a_savepoint_released_inside_one_rolled_back_is_gone(rung):
    outer = db.session.begin_nested()
    with db.session.begin_nested():
        transaction.add("test", "innermost")
    outer.rollback()
    db.session.commit()
    assert rung == []
