"""What happened to a client company."""

from dataclasses import dataclass

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class TenantOnboarded(Event):
    """A client was taken on."""


@dataclass(frozen=True, kw_only=True)
class TenantSuspended(Event):
    """A client's people and agents are refused from now on; its data stays."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class TenantResumed(Event):
    """A suspended client is served again."""


@dataclass(frozen=True, kw_only=True)
class TenantOffboarded(Event):
    """A client left for good; the data waits for its removal."""
