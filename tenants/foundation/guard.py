"""The query guard: the session adds the tenants in force to every ORM statement and refuses foreign rows.

Its blind spots are Core selects on tables, `text()` and `insert()`: those are banned outside a named list, and row
security catches them underneath. `disabled()` exists so that row security can be proven alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import BigInteger, any_, bindparam, event, inspect
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from tenants.foundation.db import Ids, TenantOwned, take_scope
from tenants.foundation.scope import ScopeBreached, current, narrowed

_asked: ContextVar[int | None] = ContextVar("asked_tenant", default=None)
_disabled: ContextVar[bool] = ContextVar("guard_disabled", default=False)


@contextmanager
def disabled() -> Iterator[None]:
    """Switch the guard off: only tests of row security do this."""
    token = _disabled.set(True)
    try:
        yield
    finally:
        _disabled.reset(token)


@contextmanager
def only(tenant_id: int) -> Iterator[None]:
    """Let statements ask for one tenant of the scope: a plan that knows it reads what a plan for several would scan.

    Raises ScopeBreached for a tenant outside. Nothing becomes visible by it that was not.
    """
    if tenant_id not in narrowed():
        raise ScopeBreached("a tenant outside the scope cannot be asked for")
    token = _asked.set(tenant_id)
    try:
        yield
    finally:
        _asked.reset(token)


def _only_tenant() -> int:
    asked = _asked.get()
    if asked is not None and asked in narrowed():
        return asked
    (one,) = narrowed()
    return one


def _written_tenants() -> str:
    narrowed()
    return current().written


def _one_tenant(column: Any) -> Any:
    return column == bindparam("scope_tenant", callable_=_only_tenant, type_=BigInteger)


def _several_tenants(column: Any) -> Any:
    return column == any_(bindparam("scope_tenants", callable_=_written_tenants, type_=Ids()))


def _options(anchor: Any) -> list[list[Any]]:
    """The criteria for one tenant and for several; two lambdas, since SQLAlchemy caches them by their code."""
    return [
        [
            _with(TenantOwned, lambda model: _one_tenant(model.tenant_id)),
            with_loader_criteria(anchor, _one_tenant(anchor.id), include_aliases=True),
        ],
        [
            _with(TenantOwned, lambda model: _several_tenants(model.tenant_id)),
            with_loader_criteria(anchor, _several_tenants(anchor.id), include_aliases=True),
        ],
    ]


def _with(mixin: type[Any], condition: Any) -> Any:
    return with_loader_criteria(mixin, condition, include_aliases=True, track_closure_variables=False)


def install(anchor: type[Any]) -> None:
    """Attach the guard to every session; `anchor` is the class of tenants, whose own id is the tenant.

    A listener is attached once, however often this is called.
    """
    if event.contains(Session, "do_orm_execute", _narrow):
        return
    _criteria.extend(_options(anchor))
    event.listen(Session, "do_orm_execute", _narrow)
    event.listen(Session, "after_begin", _begin)
    event.listen(Session, "before_flush", _refuse_foreign_rows)


_criteria: list[list[Any]] = []


def _narrow(state: ORMExecuteState) -> None:
    scope = current()
    _check_one_scope(state.session)
    if _disabled.get() or not isinstance(scope.tenants, frozenset):
        return
    if state.is_select or state.is_update or state.is_delete:
        one, several = _criteria
        is_one = len(scope.tenants) == 1 or _asked.get() in scope.tenants
        state.statement = state.statement.options(*(one if is_one else several))


def _begin(session: Session, transaction: SessionTransaction, connection: Any) -> None:
    scope = current()
    session.info.setdefault("scope_role", scope.role)
    _check_one_scope(session)
    if not transaction.nested:
        take_scope(session, scope, connection)


def _check_one_scope(session: Session) -> None:
    if session.info.get("scope_role", current().role) is not current().role:
        raise ScopeBreached("a session is used under a second scope")


def _refuse_foreign_rows(session: Session, *_: Any) -> None:
    if _disabled.get():
        return
    scope = current()
    for row in [*session.new, *session.dirty, *session.deleted]:
        if isinstance(row, TenantOwned):
            _refuse_moved(row)
            if not scope.covers(row.tenant_id):
                raise ScopeBreached(f"{type(row).__name__} of a tenant outside the scope")


def _refuse_moved(row: TenantOwned) -> None:
    # Only what was set since it was loaded is there: most rows need no look at their history.
    known = inspect(row)
    if "tenant_id" not in known.committed_state:
        return
    if known.persistent and known.attrs.tenant_id.history.has_changes():
        raise ScopeBreached(f"{type(row).__name__} may not move to another tenant")
