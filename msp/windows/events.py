"""What happens to windows and freezes."""

from dataclasses import dataclass

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class WindowsChanged(Event):
    """When changes may be made at this client is different from now on."""
