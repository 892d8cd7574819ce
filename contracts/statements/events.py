"""What happens to statements."""

from dataclasses import dataclass

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class StatementClosed(Event):
    """A month was closed (`number` 1) or amended."""

    statement_id: int
    number: int
