"""Which tenants are in force, and as which database role.

A scope is entered by sign-in, by an agent's credential or by the wrapper of a job, never from a request's body.
Without one there is no session at all: `current()` raises. A session has one scope, so entering one begins a
fresh session and leaving it ends that session.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """The database role that a transaction takes; none of them owns a table or bypasses row security."""

    GATE = "portal_gate"
    CLIENT = "portal_client"
    STAFF = "portal_staff"
    AGENTS = "portal_agents"
    WORKER = "portal_worker"
    SWEEPER = "portal_sweeper"


class _All:
    """Every tenant: only for the gate and the sweeper, whose roles see a few named tables only."""

    def __repr__(self) -> str:
        return "ALL"


ALL: Final = _All()
_UNNARROWED = (Role.GATE, Role.SWEEPER)


class ScopeMissing(RuntimeError):
    """Rows were asked for while no scope was in force."""


class ScopeBreached(RuntimeError):
    """A row of a tenant outside the scope was about to be written."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A role, the tenants it may touch, and the user it acts for (own account rows)."""

    role: Role
    tenants: frozenset[int] | _All
    user_id: int | None = None
    # The value of `app.tenants`: a PostgreSQL array, empty for none. Every statement carries it; staff see hundreds.
    written: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.tenants, _All) and self.role not in _UNNARROWED:
            raise ValueError(f"{self.role} must name its tenants")
        tenants = () if isinstance(self.tenants, _All) else sorted(self.tenants)
        object.__setattr__(self, "written", "{" + ",".join(map(str, tenants)) + "}")

    def covers(self, tenant_id: int | None) -> bool:
        """Whether rows of this tenant are inside; an unnarrowed scope leaves that to the database's policies."""
        return isinstance(self.tenants, _All) or tenant_id in self.tenants


_current: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current() -> Scope:
    """The scope in force. Raises ScopeMissing outside one."""
    scope = _current.get()
    if scope is None:
        raise ScopeMissing("no tenant scope is in force")
    return scope


def narrowed() -> frozenset[int]:
    """The tenants in force. Raises ScopeMissing outside a scope or in an unnarrowed one."""
    tenants = current().tenants
    if isinstance(tenants, _All):
        raise ScopeMissing("this scope names no tenants")
    return tenants


@contextmanager
def enter(scope: Scope) -> Iterator[Scope]:
    """Put a scope in force with a session of its own; the outer one continues afterwards."""
    from tenants.foundation.db import own_session

    token = _current.set(scope)
    try:
        with own_session():
            yield scope
    finally:
        _current.reset(token)


def gate() -> Scope:
    """The scope in which credentials are resolved: sees accounts, never tickets or assets."""
    return Scope(Role.GATE, ALL)


def sweeper() -> Scope:
    """The scope in which due work is found: sees work rows of all tenants and nothing else."""
    return Scope(Role.SWEEPER, ALL)


def of_tenant(tenant_id: int) -> Scope:
    """A background job's scope: one tenant."""
    return Scope(Role.WORKER, frozenset({tenant_id}))


def widen(tenant_id: int) -> None:
    """Add a tenant that is being created in this very transaction; only onboarding may call it."""
    from tenants.foundation.db import db, take_scope

    wider = replace(current(), tenants=narrowed() | {tenant_id})
    _current.set(wider)
    take_scope(db.session(), wider)
