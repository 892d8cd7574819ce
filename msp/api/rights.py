"""Which right a call needs, for the provider's people and for a client's."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from msp.web.access import actor
from tenants.foundation.errors import Forbidden
from tenants.foundation.permissions import Permission

View = TypeVar("View", bound=Callable[..., Any])


class Rights(NamedTuple):
    """The right asked of staff and of clients; None closes the call to that side."""

    staff: Permission | None
    client: Permission | None


def allow(*, staff: Permission | None = None, client: Permission | None = None) -> Callable[[View], View]:
    """Let those through who hold the right of their side. The view raises Forbidden for the others."""
    rights = Rights(staff, client)

    def mark(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            demand(rights.staff if actor().is_staff else rights.client)
            return view(*args, **kwargs)

        checked._rights = rights  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return mark


def demand(permission: Permission | None) -> None:
    """Raise Forbidden unless the caller holds the right; None is held by nobody."""
    if permission is None or not actor().may(permission):
        raise Forbidden
