"""What happens to windows and freezes."""

from dataclasses import dataclass
from datetime import datetime

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class WindowsChanged(Event):
    """When changes may be made at this client is different from now on."""


@dataclass(frozen=True, kw_only=True)
class ClientFroze(Event):
    """A client's administrator wants nothing changed in this time."""

    begins_at: datetime
    ends_at: datetime
