"""What a service says when it refuses. The web layer turns each into its page or problem document."""

from collections.abc import Sequence
from typing import Any


class Refused(Exception):
    """A request that cannot be carried out; `message` is for the person, translated lazily."""

    http_status = 400

    def __init__(self, message: Any, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(Refused):
    """Input that breaks a rule; `field` names it."""

    http_status = 422

    def __init__(self, field: str, message: Any) -> None:
        super().__init__(message, field=field)

    @property
    def errors(self) -> list[tuple[str, Any]]:
        """Every field at fault with its message."""
        return [(self.field or "", self.message)]


class InvalidMany(Invalid):
    """Several fields at once, reported together."""

    def __init__(self, errors: Sequence[tuple[str, Any]]) -> None:
        super().__init__(*errors[0])
        self._errors = list(errors)

    @property
    def errors(self) -> list[tuple[str, Any]]:
        return self._errors


class NotFound(Refused):
    """Nothing the asker may see has this id; the same answer as for an id that never existed."""

    http_status = 404

    def __init__(self, message: Any = "not found") -> None:
        super().__init__(message)


class Forbidden(Refused):
    """An insider without the right."""

    http_status = 403

    def __init__(self, message: Any = "forbidden") -> None:
        super().__init__(message)


class Conflict(Refused):
    """The state does not allow it; `allowed` lists what would be allowed."""

    http_status = 409

    def __init__(self, message: Any, *, allowed: Sequence[str] = (), field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.allowed = list(allowed)


class TooMany(Refused):
    """A limit was reached; try again after `retry_after` seconds."""

    http_status = 429

    def __init__(self, message: Any, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
