"""What happened to people. Account mails belong to the provider's own tenant, invitations to the inviting one."""

from dataclasses import dataclass

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class PersonInvited(Event):
    """Somebody was invited, or is to be reminded of it; the mail carries the link."""

    invitation_id: int


@dataclass(frozen=True, kw_only=True)
class LinkIssued(Event):
    """A one-time link waits to be mailed."""

    link_id: int


@dataclass(frozen=True, kw_only=True)
class AccountChanged(Event):
    """Something about an account changed that its owner should hear of at `email`: a word of `msp.account.mails`."""

    user_id: int
    email: str
    what: str


@dataclass(frozen=True, kw_only=True)
class RightsChanged(Event):
    """A staff member has another role or other clients; `tenants` are those in which tickets may be held."""

    user_id: int
    tenants: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class StaffLeft(RightsChanged):
    """A staff member left or was removed."""


@dataclass(frozen=True, kw_only=True)
class MemberLeft(Event):
    """A person of a client left or was removed."""

    user_id: int
