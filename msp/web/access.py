"""Every view says who may use it: a permission, a kind of credential, or that it is public and why.

The declaration is read before the view runs. The app refuses to start while a view lacks one.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from tenants.foundation.actor import Actor
from tenants.foundation.errors import Forbidden, NotFound
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import Scope, enter, gate
from tenants.people.principals import Principal

View = TypeVar("View", bound=Callable[..., Any])
CREDENTIALS = (
    "agent",
    "enrolment",
    "device",
    "gateway",
    "inventory",
    "upload",
    "metrics",
    "link",
    "calendar",
    "follow",
    "roster",
    "mailgate",
    "website",
    "visitor",
    "texts",
)


class UndeclaredView(RuntimeError):
    """Views exist that say nothing of who may use them."""


class SignInNeeded(Exception):
    """The view needs a signed-in person or a credential, and there is none."""


class SecondFactorNeeded(Exception):
    """The person must set up or pass the second factor first."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a view declares: one of a permission, a credential's kind, or the reason for being public."""

    permission: Permission | None = None
    credential: str | None = None
    public: str | None = None
    any_factor: bool = False


def _declare(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        if hasattr(view, "_access"):
            raise UndeclaredView(f"{view.__name__} declares its access twice")
        view._access = access  # type: ignore[attr-defined]
        return view

    return mark


def require(permission: Permission, *, any_factor: bool = False) -> Callable[[View], View]:
    """A signed-in person with the right; `any_factor` also lets in those who still have to set up a second factor."""
    return _declare(Access(permission=permission, any_factor=any_factor))


def credential(kind: str) -> Callable[[View], View]:
    """A machine's credential, an agent's or one of those that its client's machines share, or a signed link."""
    if kind not in CREDENTIALS:
        raise ValueError(f"unknown kind of credential: {kind}")
    return _declare(Access(credential=kind))


def public(why: str) -> Callable[[View], View]:
    """Open to anybody; runs in the gate's scope, which sees accounts but no tenant's work."""
    return _declare(Access(public=why))


def access_of(app: Flask, endpoint: str) -> Access | None:
    """The declaration of an endpoint's view, looking through decorators and class-based views."""
    view: Any = app.view_functions[endpoint]
    while view is not None:
        found: Access | None = getattr(view, "_access", None) or getattr(
            getattr(view, "view_class", None), "_access", None
        )
        if found is not None:
            return found
        view = getattr(view, "__wrapped__", None)
    return None


def check_declared(app: Flask) -> None:
    """Refuse views without a declaration. Raises UndeclaredView naming them all."""
    missing = [name for name in app.view_functions if access_of(app, name) is None]
    if missing:
        raise UndeclaredView(f"views without declared access: {', '.join(sorted(missing))}")


def actor() -> Actor:
    """Who acts in this request."""
    who: Actor = g.actor
    return who


def principal() -> Principal:
    """The signed-in person of this request."""
    found: Principal = g.principal
    return found


def tenant() -> int:
    """The client company in view on the portal's pages. Raises NotFound for people without one."""
    if g.principal.tenant_id is None:
        raise NotFound
    chosen: int = g.principal.tenant_id
    return chosen


def enter_scope(scope: Scope) -> None:
    """Put a scope in force for the rest of the request, in place of the one before."""
    stack: ExitStack | None = g.get("scope_stack")
    if stack is not None:
        stack.close()
    g.scope_stack = ExitStack()
    g.scope_stack.enter_context(enter(scope))


def leave_scope(_error: BaseException | None = None) -> None:
    """End the request's scope and its session."""
    stack: ExitStack | None = g.pop("scope_stack", None)
    if stack is not None:
        stack.close()


Resolver = Callable[[str], Actor | None]


def admit() -> None:
    """Check the view's declaration against the request's credential and enter the right scope."""
    if request.endpoint is None:
        return
    access = access_of(current_app, request.endpoint)
    if access is None:
        raise UndeclaredView(request.endpoint)
    g.access = access
    if access.credential is not None:
        _admit_machine(access.credential)
    elif access.permission is not None:
        _admit_person(access, access.permission)
    elif request.endpoint != "static":
        _welcome_anybody()


def _admit_machine(kind: str) -> None:
    resolve: Callable[[], Scope] = current_app.extensions["credentials"][kind]
    enter_scope(resolve())


def _admit_person(access: Access, permission: Permission) -> None:
    found = current_app.extensions["find_principal"]()
    if found is None:
        raise SignInNeeded
    g.principal, g.actor = found, found.actor
    if not access.any_factor:
        _demand_second_factor(found)
    enter_scope(found.actor.scope())
    if not found.actor.may(permission):
        raise Forbidden


def _demand_second_factor(found: Principal) -> None:
    waived = current_app.extensions["settings"].demo
    unset = found.actor.is_staff and not found.has_second_factor and not waived
    if unset or (found.has_second_factor and not found.second_factor_passed):
        raise SecondFactorNeeded


def _welcome_anybody() -> None:
    """A public page still greets a signed-in person by name, but acts through the gate."""
    found = current_app.extensions["find_principal"]() if "api" not in (request.blueprint or "") else None
    if found is not None:
        g.principal, g.actor = found, found.actor
    enter_scope(gate())


def install(app: Flask) -> None:
    """Let every request be admitted, and every scope be left."""
    app.extensions.setdefault("credentials", {})
    app.before_request(admit)
    app.teardown_request(leave_scope)
