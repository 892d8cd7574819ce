"""The wall inside PostgreSQL, read from the catalogue, and each layer alone."""

import psycopg
import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, ProgrammingError

from tenants.assets.models import Asset
from tenants.foundation import guard, time
from tenants.foundation.db import db
from tenants.foundation.kinds import Kind, kind_of, models, tenant_column, tenant_models
from tenants.foundation.rowsecurity import UnsafeRole, refuse_powerful_role
from tenants.foundation.scope import (
    ALL,
    Role,
    Scope,
    ScopeBreached,
    ScopeMissing,
    current,
    enter,
    gate,
    of_tenant,
    sweeper,
)
from tenants.tenancy.models import Tenant

ROLES = tuple(role.value for role in Role)


def _asset(tenant_id, name="a machine"):
    return Asset(tenant_id=tenant_id, name=name, created_at=time.now())


@pytest.fixture
def two_assets(app, cast):
    with app.app_context():
        for slug in ("acme", "globex"):
            with enter(of_tenant(cast.tenants[slug])):
                db.session.add(_asset(cast.tenants[slug], f"canary of {slug}"))
                db.session.commit()


def test_every_table_has_a_kind(app):
    assert {kind_of(model) for model in models()} <= set(Kind)
    assert len(tenant_models()) > 5


def test_every_tenant_table_is_forced_and_has_both_conditions(superuser):
    for model in models():
        name = model.__table__.name
        enabled, forced, owner = superuser.execute(
            "SELECT relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) FROM pg_class WHERE relname = %s",
            (name,),
        ).fetchone()
        assert enabled and forced, name
        assert owner == "portal_owner", name
        policies = superuser.execute(
            "SELECT qual, with_check FROM pg_policies WHERE tablename = %s", (name,)
        ).fetchall()
        assert policies, name
        assert all(qual and check for qual, check in policies), name


def test_tenant_policies_are_narrow(superuser):
    """Only the gate, the sweeper and the search (on words alone) may have a policy without a condition."""
    for model in tenant_models():
        for roles, qual in superuser.execute(
            "SELECT roles::text[], qual FROM pg_policies WHERE tablename = %s", (model.__table__.name,)
        ).fetchall():
            if qual == "true":
                searched = {"portal_search"} if model.__table__.name == "ticket_texts" else set()
                assert set(roles) <= {"portal_gate", "portal_sweeper"} | searched, model.__table__.name
            else:
                assert f"({tenant_column(model.__table__)} = ANY" in qual and "app.tenants" in qual


def test_no_table_view_or_function_escapes(superuser):
    strays = superuser.execute(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = 'public' AND relkind IN ('r', 'p')"
        " AND relname <> 'alembic_version' AND NOT relforcerowsecurity"
    ).fetchall()
    assert strays == []
    views = superuser.execute(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = 'public' AND relkind IN ('v', 'm')"
    ).fetchall()
    assert views == []
    definers = superuser.execute(
        "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace"
        " WHERE nspname = 'public' AND prosecdef"
    ).fetchall()
    assert {name for (name,) in definers} == {"search_tickets", "learn_ticket_words"}


def test_nobody_can_take_the_role_of_the_search(superuser):
    """It cannot log in, owns two functions and no table, and only the owner of the tables is a member."""
    role = "SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'portal_search'"
    assert superuser.execute(role).fetchall() == [(False, False, False)]
    members = "SELECT member::regrole::text FROM pg_auth_members WHERE roleid = 'portal_search'::regrole"
    assert superuser.execute(members).fetchall() == [("portal_owner",)]
    owned = "SELECT count(*) FROM pg_class WHERE relowner = 'portal_search'::regrole"
    assert superuser.execute(owned).fetchall() == [(0,)]
    made = "SELECT has_schema_privilege('portal_search', 'public', 'CREATE')"
    assert superuser.execute(made).fetchall() == [(False,)]


def test_foreign_keys_between_tenant_tables_carry_the_tenant():
    owned = {model.__table__.name for model in tenant_models()} - {"tenants"}
    for model in tenant_models():
        for constraint in model.__table__.foreign_key_constraints:
            if constraint.referred_table.name in owned:
                pairs = {(key.parent.name, key.column.name) for key in constraint.elements}
                assert ("tenant_id", "tenant_id") in pairs, f"{model.__table__.name}: {constraint.name}"


def test_unique_indexes_of_tenant_tables_lead_with_the_tenant():
    for model in tenant_models():
        if model is Tenant:
            continue
        for index in model.__table__.indexes:
            if index.unique:
                assert next(iter(index.columns)).name == "tenant_id", index.name


def test_roles_own_nothing_and_bypass_nothing(superuser):
    rows = superuser.execute(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = ANY(%s)",
        (list(ROLES),),
    ).fetchall()
    assert len(rows) == len(ROLES)
    assert all(row[1:] == (False, False, False, False) for row in rows)
    owned = superuser.execute(
        "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = ANY(%s)", ([*ROLES, "portal_app"],)
    ).fetchall()
    assert owned == []
    assert superuser.execute("SELECT rolinherit FROM pg_roles WHERE rolname = 'portal_app'").fetchone() == (
        False,
    )


def test_the_login_role_sees_nothing_before_a_transaction_takes_a_role(app, two_assets):
    with (
        app.app_context(),
        db.engine.connect() as connection,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        connection.execute(text("SELECT * FROM assets"))


def test_no_scope_no_rows(app, cast):
    with app.app_context(), pytest.raises(ScopeMissing):
        db.session.scalars(select(Asset)).all()
    with pytest.raises(ScopeMissing):
        current()


def test_an_empty_scope_means_none(app, two_assets):
    with app.app_context(), enter(Scope(Role.STAFF, frozenset())):
        assert db.session.scalars(select(Asset)).all() == []


def test_only_the_gate_and_the_sweeper_may_be_unnarrowed():
    for role in set(Role) - {Role.GATE, Role.SWEEPER}:
        with pytest.raises(ValueError, match="must name its tenants"):
            Scope(role, ALL)


@pytest.mark.parametrize("scope", [gate, sweeper])
def test_unnarrowed_roles_do_not_reach_tickets_or_assets(app, two_assets, scope):
    with app.app_context(), enter(scope()), pytest.raises(ProgrammingError, match="permission denied"):
        db.session.scalars(select(Asset)).all()


def test_row_security_alone_hides_foreign_rows(app, cast, two_assets):
    with app.app_context(), guard.disabled(), enter(of_tenant(cast.tenants["acme"])):
        names = set(db.session.scalars(select(Asset.name)))
        assert "canary of acme" in names
        assert "canary of globex" not in names


def test_row_security_alone_refuses_foreign_writes(app, cast, two_assets):
    acme, globex = cast.tenants["acme"], cast.tenants["globex"]
    with app.app_context(), guard.disabled():
        with enter(of_tenant(acme)), pytest.raises(DBAPIError, match="row-level security"):
            db.session.add(_asset(globex))
            db.session.commit()
        with enter(of_tenant(acme)), pytest.raises(DBAPIError, match="row-level security"):
            db.session.execute(insert(Asset).values(tenant_id=globex, name="x", created_at=time.now()))
        with enter(of_tenant(acme)):
            changed = db.session.execute(update(Asset).where(Asset.tenant_id == globex).values(name="taken"))
            assert changed.rowcount == 0


@pytest.fixture
def without_row_security(superuser):
    superuser.execute("ALTER TABLE assets NO FORCE ROW LEVEL SECURITY")
    superuser.execute("ALTER TABLE assets DISABLE ROW LEVEL SECURITY")


def test_the_guard_alone_hides_foreign_rows(app, cast, two_assets, without_row_security):
    globex = cast.tenants["globex"]
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        assert (
            db.session.execute(
                text("SELECT count(*) FROM assets WHERE tenant_id = :t"), {"t": globex}
            ).scalar()
            >= 1
        )
        assert {row.tenant_id for row in db.session.scalars(select(Asset))} == {cast.tenants["acme"]}
        foreign = select(Asset.id).where(Asset.tenant_id == globex)
        assert db.session.execute(foreign).all() == []
        assert (
            db.session.execute(update(Asset).where(Asset.tenant_id == globex).values(name="taken")).rowcount
            == 0
        )


def test_the_guard_narrows_several_tenants_and_subqueries(app, cast, two_assets, without_row_security):
    both = frozenset({cast.tenants["acme"], cast.tenants["provider"]})
    with app.app_context(), enter(Scope(Role.STAFF, both)):
        names = set(db.session.scalars(select(Asset.name)))
        assert "canary of acme" in names and "canary of globex" not in names
        outer = select(text("1")).where(
            select(Asset.id).where(Asset.tenant_id == cast.tenants["globex"]).exists()
        )
        assert db.session.execute(outer).all() == []


def test_asking_for_one_tenant_of_several_shows_no_more(app, cast, two_assets, without_row_security):
    acme, globex = cast.tenants["acme"], cast.tenants["globex"]
    with app.app_context(), enter(Scope(Role.STAFF, frozenset({acme, cast.tenants["provider"]}))):
        with guard.only(acme):
            assert "canary of acme" in set(db.session.scalars(select(Asset.name)))
        with guard.only(cast.tenants["provider"]):
            assert "canary of acme" not in set(db.session.scalars(select(Asset.name)))
        with pytest.raises(ScopeBreached), guard.only(globex):
            pass
        with guard.only(acme), enter(of_tenant(globex)):
            assert set(db.session.scalars(select(Asset.tenant_id))) == {globex}
        assert "canary of acme" in set(db.session.scalars(select(Asset.name)))


def test_the_guard_alone_refuses_foreign_writes(app, cast, without_row_security):
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        db.session.add(_asset(cast.tenants["globex"]))
        with pytest.raises(ScopeBreached):
            db.session.flush()


def test_a_row_never_moves_to_another_tenant(app, cast, two_assets):
    both = frozenset({cast.tenants["acme"], cast.tenants["globex"]})
    with app.app_context(), enter(Scope(Role.STAFF, both)):
        row = db.session.scalars(select(Asset).where(Asset.name == "canary of acme")).one()
        row.tenant_id = cast.tenants["globex"]
        with pytest.raises(ScopeBreached):
            db.session.flush()


def test_a_session_has_one_scope(app, cast, two_assets):
    acme, globex = (of_tenant(cast.tenants[slug]) for slug in ("acme", "globex"))
    with app.app_context(), enter(acme):
        outer = db.session.scalars(select(Asset)).all()
        with enter(globex):
            inner = db.session.scalars(select(Asset)).all()
        assert not {one.tenant_id for one in outer} & {one.tenant_id for one in inner}
        assert db.session.scalars(select(Asset)).first().tenant_id == cast.tenants["acme"]


def test_the_setting_does_not_outlive_the_transaction(app, cast, two_assets):
    with app.app_context():
        with enter(of_tenant(cast.tenants["acme"])):
            db.session.scalars(select(Asset)).all()
            db.session.commit()
        with db.engine.connect() as connection:
            role, tenants = connection.execute(
                text("SELECT current_user, coalesce(current_setting('app.tenants', true), '')")
            ).one()
    assert (role, tenants) == ("portal_app", "")


def test_a_foreign_parent_is_refused_by_the_schema(superuser, cast):
    """Foreign keys look through row security, so the key itself must carry the tenant."""
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        superuser.execute(
            "WITH site AS (INSERT INTO sites (tenant_id, public_id, name, address)"
            " VALUES (%s, gen_random_uuid(), 's', '') RETURNING id)"
            " INSERT INTO assets (tenant_id, public_id, name, kind, state, tags, notes, facts, trust_level,"
            " created_at, site_id)"
            " SELECT %s, gen_random_uuid(), 'a', 'server', 'active', '[]', '', '{}', 'tls-only', now(), id FROM site",
            (cast.tenants["globex"], cast.tenants["acme"]),
        )


@pytest.mark.parametrize("role", ["postgres", "portal_owner"])
def test_the_app_refuses_powerful_roles(app, database_name, role):
    from sqlalchemy import create_engine

    from tests import cluster

    engine = create_engine(cluster.sqlalchemy_url(role, database_name))
    with engine.connect() as connection, pytest.raises(UnsafeRole):
        refuse_powerful_role(connection)
    engine.dispose()


def test_the_wall_can_be_applied_again(app, database_name, cast):
    from sqlalchemy import create_engine

    from tenants.foundation.rowsecurity import apply_wall
    from tests import cluster

    engine = create_engine(cluster.sqlalchemy_url("portal_owner", database_name))
    with engine.begin() as connection:
        apply_wall(connection)
    engine.dispose()
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        assert db.session.scalars(select(Tenant.slug)).all() == ["acme"]
