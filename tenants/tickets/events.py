"""What happens to tickets, in the past tense. Everything above (clocks, mail) follows these."""

from dataclasses import dataclass

from tenants.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class OnTicket(Event):
    """Something that happened to one ticket; `seq` is the number of its line in the ticket's history."""

    ticket_id: int
    seq: int
    replay: bool = False


@dataclass(frozen=True, kw_only=True)
class TicketOpened(OnTicket):
    """A ticket exists from now on, with its first message."""

    priority: str


@dataclass(frozen=True, kw_only=True)
class MessageAdded(OnTicket):
    """Something was said after the opening.

    `meets_response`: a person of the provider answered the requester, in a public reply or on the phone. `leads_to`:
    the state into which the ticket is moved in the same breath.
    """

    message_id: int
    kind: str
    author_kind: str
    meets_response: bool
    leads_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class TicketStateChanged(OnTicket):
    """The state, or the reason for waiting, changed; the four below are the changes with a name of their own.

    `reason` is one of the waiting reasons while waiting, else free text or None.
    """

    from_state: str
    to_state: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class TicketResolved(TicketStateChanged):
    """The provider says that it is done."""


@dataclass(frozen=True, kw_only=True)
class TicketReopened(TicketStateChanged):
    """It was not done after all."""


@dataclass(frozen=True, kw_only=True)
class TicketClosed(TicketStateChanged):
    """Confirmed by the requester, or nothing more was said."""


@dataclass(frozen=True, kw_only=True)
class TicketCancelled(TicketStateChanged):
    """No longer wanted."""


@dataclass(frozen=True, kw_only=True)
class TicketReprioritised(OnTicket):
    """The priority changed; a change of impact or urgency alone is in the history but not here."""

    from_priority: str
    to_priority: str


@dataclass(frozen=True, kw_only=True)
class TicketRated(OnTicket):
    """The requester said whether the solution was `good` or `bad`."""

    score: str


@dataclass(frozen=True, kw_only=True)
class TermsApplied(OnTicket):
    """Another version measures the ticket from now on; tickets do not know what that means."""

    version_id: int


@dataclass(frozen=True, kw_only=True)
class TicketAssigned(OnTicket):
    """Somebody else holds the ticket, or nobody (None)."""

    from_user_id: int | None
    to_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class HandOverMade(OnTicket):
    """The ticket was passed to another tier and waits there to be accepted."""

    hand_over_id: int
    from_tier: str
    to_tier: str


@dataclass(frozen=True, kw_only=True)
class HandOverAccepted(HandOverMade):
    """Somebody of the next tier took it."""


@dataclass(frozen=True, kw_only=True)
class HandOverReturned(HandOverMade):
    """The next tier gave it back, with a reason."""


@dataclass(frozen=True, kw_only=True)
class HandOverWithdrawn(HandOverMade):
    """Nobody had accepted it yet when the portal passed the ticket further up."""


@dataclass(frozen=True, kw_only=True)
class VendorAsked(OnTicket):
    """The ticket waits for a vendor of whom something is known."""

    case_id: int


@dataclass(frozen=True, kw_only=True)
class VendorAnswered(VendorAsked):
    """It waits for the vendor no more."""


@dataclass(frozen=True, kw_only=True)
class VendorAcknowledged(VendorAsked):
    """The vendor said that they have it."""


@dataclass(frozen=True, kw_only=True)
class RemoteSessionAsked(OnTicket):
    """The requester's side is asked in the portal whether staff may work on the machine."""

    session_id: int


@dataclass(frozen=True, kw_only=True)
class RemoteSessionEnded(RemoteSessionAsked):
    """The work on the machine is over, and what was done is written down."""


@dataclass(frozen=True, kw_only=True)
class VisitPlanned(OnTicket):
    """Somebody goes there; `sequence` counts what people were told, `left_user_id` goes no more."""

    visit_id: int
    sequence: int
    left_user_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class VisitChanged(VisitPlanned):
    """Another time, place or technician."""


@dataclass(frozen=True, kw_only=True)
class VisitDone(VisitPlanned):
    """It was written down what came of it."""


@dataclass(frozen=True, kw_only=True)
class VisitCancelled(VisitPlanned):
    """Nobody goes there."""
