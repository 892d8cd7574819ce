"""A connection keeps its prepared statements, drops what was not committed, and is replaced when it is lost."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from tenants.foundation.connections import PREPARED
from tenants.foundation.db import among, db
from tenants.tenancy.models import Site, Tenant
from tenants.tickets.queries import Filter, list_queue


def _prepared():
    return " ".join(db.session.scalars(text("SELECT statement FROM pg_prepared_statements")))


@pytest.fixture
def fresh(app, cast):
    with app.app_context():
        db.engine.dispose()
    return cast


def test_what_says_so_stays_prepared_from_one_reading_transaction_to_the_next(fresh, within):
    for _ in range(8):
        with within("Tina"):
            db.session.scalars(select(Tenant.slug).execution_options(**PREPARED)).all()
    with within("Tina"):
        assert "tenants.slug" in _prepared()


def test_a_list_is_planned_anew_for_the_page_and_the_tenants_asked_for(fresh, within, as_actor):
    for _ in range(8):
        with within("Dana"):
            list_queue(Filter(), by=as_actor("Dana"))
    with within("Dana"):
        found = _prepared()
        assert "set_config" in found
        assert "tickets" not in found


def test_what_was_not_committed_is_rolled_back(fresh, within):
    with within("acme"):
        db.session.add(Site(tenant_id=fresh.tenants["acme"], name="Nowhere", address=""))
        db.session.flush()
    with within("acme"):
        assert db.session.scalar(select(Site).where(Site.name == "Nowhere")) is None


def test_a_statement_that_failed_leaves_a_usable_connection(fresh, within):
    with within("Tina"), pytest.raises(Exception, match="division by zero"):
        db.session.execute(text("SELECT 1 / 0"))
    with within("Tina"):
        assert db.session.scalars(select(Tenant)).all()


def test_a_connection_that_the_server_ended_is_replaced_unnoticed(fresh, within, superuser):
    with within("Tina"):
        assert db.session.scalars(select(Tenant)).all()
    superuser.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE usename = 'portal_app' AND datname = current_database()"
    )
    with within("Tina"):
        assert db.session.scalars(select(Tenant)).all()


def test_among_finds_exactly_the_ids_it_is_given(fresh, within):
    with within("Dana"):
        everyone = {one.id for one in db.session.scalars(select(Tenant))}
        one = min(everyone)
        assert len(everyone) > 1
        assert set(db.session.scalars(select(Tenant.id).where(among(Tenant.id, [one])))) == {one}
        assert (
            set(db.session.scalars(select(Tenant.id).where(among(Tenant.id, sorted(everyone))))) == everyone
        )
        assert db.session.scalars(select(Tenant.id).where(among(Tenant.id, []))).all() == []


def test_a_connection_that_is_lost_in_the_middle_is_rolled_back_like_any_other(app, database, superuser):
    """What was lost says so itself; giving it up says nothing new."""
    with app.app_context():
        with db.engine.connect() as connection:
            number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            superuser.execute("SELECT pg_terminate_backend(%s)", (number,))
            with pytest.raises(OperationalError):
                connection.exec_driver_sql("SELECT 1")
            connection.rollback()
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
        db.engine.dispose()


def test_one_that_is_lost_before_its_end_is_given_up_with_its_pool(app, database, superuser):
    """Nothing of the driver's own comes up to whoever ends a transaction that only read."""
    with app.app_context():
        connection = db.engine.connect()
        number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (number,))
        with pytest.raises(OperationalError):
            connection.rollback()
        connection.close()
        with db.engine.connect() as another:
            assert another.exec_driver_sql("SELECT 1").scalar_one() == 1
        db.engine.dispose()
