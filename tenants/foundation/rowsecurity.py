"""The wall inside PostgreSQL: roles, grants and row-level security, derived from the registry of tables.

`flask database upgrade` applies it after the migrations, in the same transaction, so that policies and registry can't
drift apart. Every role that serves people, agents or jobs is NOLOGIN, owns nothing and bypasses nothing; the login role
is NOINHERIT and has no rights until a transaction takes one of them.

Nobody can take the role of the search: it owns the functions that read and write the tables of words, because text
operators lose their index under row security. Those functions look at the tenants in force themselves.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from tenants.foundation.kinds import Kind, kind_of, models, tenant_column
from tenants.foundation.scope import Role

LOGIN_ROLE = "portal_app"
OWNER_ROLE = "portal_owner"
SEARCH_ROLE = "portal_search"
_SEARCH_FUNCTIONS = {
    "search_tickets(text, bigint, integer)": (Role.CLIENT, Role.STAFF, Role.WORKER),
    "learn_ticket_words(bigint, bigint, timestamptz, bigint, text, text)": (
        Role.CLIENT,
        Role.STAFF,
        Role.WORKER,
    ),
}
_TENANTS = "((SELECT nullif(current_setting('app.tenants', true), '')::bigint[])::bigint[])"
_USER = "(SELECT nullif(current_setting('app.user', true), '')::bigint)"
_EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
_BY_KIND: dict[Kind, dict[Role, str]] = {
    Kind.TENANT: {Role.CLIENT: "SELECT", Role.STAFF: _EVERYTHING, Role.WORKER: _EVERYTHING},
    Kind.PROVIDER: {Role.STAFF: _EVERYTHING, Role.WORKER: _EVERYTHING},
    Kind.GLOBAL: {Role.GATE: _EVERYTHING},
}


def role_statements(login_role: str = LOGIN_ROLE) -> Iterator[str]:
    """Create the roles where they are missing; run by a superuser or a role that may create roles."""
    for role in Role:
        yield _create_missing(role)
        yield f"GRANT {role} TO {login_role} WITH INHERIT FALSE"
    yield _create_missing(SEARCH_ROLE)
    yield f"GRANT {SEARCH_ROLE} TO {OWNER_ROLE}"


def _create_missing(role: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN"
        f" CREATE ROLE {role} NOLOGIN NOINHERIT; END IF; END $$"
    )


def grants_of(model: type[Any]) -> dict[Role, str]:
    """What each role may do with a table: the defaults of its kind, overlaid with the model's own `__grants__`."""
    merged = {**_BY_KIND[kind_of(model)], **model.__grants__}
    return {role: rights for role, rights in merged.items() if rights}


def _policies(model: type[Any]) -> Iterator[tuple[str, Role, str]]:
    table = model.__table__
    for role in grants_of(model):
        if role in getattr(model, "__sees_all__", ()):
            yield f"{role}_all", role, "true"
        elif kind_of(model) is Kind.PROVIDER and role in model.__rows__:
            yield f"{role}_rows", role, model.__rows__[role].format(tenants=_TENANTS)
        elif kind_of(model) is Kind.TENANT and role not in (Role.GATE, Role.SWEEPER):
            yield f"{role}_tenant", role, f"{tenant_column(table)} = ANY {_TENANTS}"
        elif kind_of(model) is Kind.GLOBAL and role is not Role.GATE:
            yield f"{role}_own", role, f"{getattr(model, '__own_column__', 'user_id')} = {_USER}"
        else:
            yield f"{role}_all", role, "true"


def _wall(model: type[Any]) -> Iterator[str]:
    name = model.__table__.name
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    yield f"REVOKE ALL ON {name} FROM PUBLIC"
    for role in Role:
        yield f"REVOKE ALL ON {name} FROM {role}"
    for role, rights in grants_of(model).items():
        yield f"GRANT {rights} ON {name} TO {role}"
    for policy, role, condition in _policies(model):
        yield f"CREATE POLICY {policy} ON {name} TO {role} USING ({condition}) WITH CHECK ({condition})"
    if getattr(model, "__is_searched__", False):
        yield f"GRANT SELECT, INSERT, UPDATE ON {name} TO {SEARCH_ROLE}"
        yield f"CREATE POLICY {SEARCH_ROLE}_all ON {name} TO {SEARCH_ROLE} USING (true) WITH CHECK (true)"


def _search() -> Iterator[str]:
    """Hand the search's functions to its role; owning one takes the right to create in the schema for a moment."""
    yield f"GRANT USAGE, CREATE ON SCHEMA public TO {SEARCH_ROLE}"
    for function, roles in _SEARCH_FUNCTIONS.items():
        yield f"ALTER FUNCTION {function} OWNER TO {SEARCH_ROLE}"
        yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {function} TO {', '.join(roles)}"
    yield f"REVOKE CREATE ON SCHEMA public FROM {SEARCH_ROLE}"


_DROP_POLICIES = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT policyname, tablename FROM pg_policies WHERE schemaname = 'public' LOOP
    EXECUTE format('DROP POLICY %%I ON %%I', one.policyname, one.tablename);
  END LOOP;
END $$
"""


def wall_statements() -> Iterator[str]:
    """Row security and grants for every table of the registry; applying them again changes nothing."""
    yield _DROP_POLICIES
    roles = ", ".join(Role)
    yield f"GRANT USAGE ON SCHEMA public TO {roles}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {roles}"
    yield f"GRANT SELECT ON alembic_version TO {Role.GATE}"
    for model in models():
        yield from _wall(model)
    yield from _search()


def apply_wall(connection: Connection) -> None:
    """Apply the wall on an owner's connection; the caller commits."""
    for statement in wall_statements():
        connection.exec_driver_sql(statement)


class UnsafeRole(RuntimeError):
    """The application was given a database role that could see through the wall."""


def refuse_powerful_role(connection: Connection) -> None:
    """Refuse to run as superuser, as a role that bypasses row security, or as owner of a table. Raises UnsafeRole."""
    powerful, owner = connection.exec_driver_sql(
        "SELECT (SELECT bool_or(r.rolsuper OR r.rolbypassrls) FROM pg_roles r"
        "        WHERE pg_has_role(session_user, r.oid, 'MEMBER')),"
        "       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        "               WHERE n.nspname = 'public' AND c.relkind = 'r'"
        "               AND pg_has_role(session_user, c.relowner, 'MEMBER'))"
    ).one()
    if powerful:
        raise UnsafeRole("DATABASE_URL names a superuser or a role that bypasses row security")
    if owner:
        raise UnsafeRole("DATABASE_URL names a role that owns the portal's tables")
