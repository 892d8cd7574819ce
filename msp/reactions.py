"""One page that says what follows from what: WITHIN the same transaction, and AFTER it succeeded."""

from contracts.statements.events import StatementClosed
from contracts.timers import events as timer
from contracts.timers.beside import start_acceptance, start_vendor, stop_acceptance, stop_vendor
from contracts.timers.deadlines import follow_rest, put_off_closing
from contracts.timers.services import follow_terms, follow_ticket
from msp.account import jobs as account
from msp.campaigns.events import ClientAsked, LaneStarted
from msp.campaigns.freezing import follow_freeze
from msp.campaigns.planned import record_lane
from msp.campaigns.rooms import follow_windows
from msp.intake.texts.acknowledging import acknowledge_text
from msp.intake.texts.sending import answer_by_text
from msp.intake.vendor_mail import ask_vendor
from msp.knowledge.jobs import tick_steps
from msp.mail import notices
from msp.portal import jobs as portal
from msp.reports import jobs as reports
from msp.threads import consent_mail, telling, visiting
from msp.timers import jobs as timers
from msp.windows.events import ClientFroze, WindowsChanged
from tenants.foundation.events import Event, Reaction
from tenants.people import events as people
from tenants.tickets import events as ticket

WITHIN: dict[type[Event], tuple[Reaction, ...]] = {
    ticket.TicketOpened: (follow_ticket,),
    ticket.MessageAdded: (follow_ticket, put_off_closing, tick_steps),
    ticket.TicketStateChanged: (follow_ticket, tick_steps),
    ticket.TicketReprioritised: (follow_ticket,),
    ticket.TermsApplied: (follow_terms,),
    ticket.TicketResolved: (follow_ticket, follow_rest, tick_steps),
    ticket.TicketReopened: (follow_ticket, follow_rest, tick_steps),
    ticket.TicketClosed: (follow_ticket, follow_rest, tick_steps),
    ticket.TicketCancelled: (follow_ticket, tick_steps),
    ticket.HandOverMade: (start_acceptance, tick_steps),
    ticket.HandOverAccepted: (stop_acceptance, tick_steps),
    ticket.HandOverReturned: (stop_acceptance,),
    ticket.HandOverWithdrawn: (stop_acceptance,),
    ticket.VendorAsked: (start_vendor, tick_steps),
    ticket.VendorAnswered: (stop_vendor, tick_steps),
    ticket.RemoteSessionEnded: (tick_steps,),
    ticket.VisitDone: (tick_steps,),
    LaneStarted: (record_lane,),
    WindowsChanged: (follow_windows,),
    ClientFroze: (follow_freeze,),
}

AFTER: dict[type[Event], tuple[Reaction, ...]] = {
    ticket.TicketOpened: (notices.acknowledge_ticket, acknowledge_text, telling.tell_tier),
    ticket.MessageAdded: (notices.pass_on_message, answer_by_text),
    ticket.TicketResolved: (notices.announce_solution, visiting.call_off),
    ticket.TicketAssigned: (telling.tell_holder,),
    ticket.TicketRated: (telling.tell_of_bad_rating,),
    ticket.HandOverMade: (telling.tell_next_tier,),
    ticket.HandOverAccepted: (telling.tell_sender,),
    ticket.HandOverReturned: (telling.tell_sender,),
    ticket.TicketClosed: (visiting.call_off,),
    ticket.TicketCancelled: (visiting.call_off,),
    ticket.RemoteSessionAsked: (consent_mail.ask_by_mail,),
    ticket.VisitPlanned: (visiting.invite,),
    ticket.VisitChanged: (visiting.invite,),
    ticket.VisitCancelled: (visiting.invite,),
    ticket.VendorAsked: (ask_vendor,),
    timer.TimerWarned: (timers.act_on_timer,),
    timer.TimerMissed: (timers.act_on_timer,),
    timer.SideTimerWarned: (timers.warn_of_side_timer,),
    timer.SideTimerMissed: (timers.act_on_side_timer,),
    people.PersonInvited: (account.send_invitation,),
    people.LinkIssued: (account.send_link,),
    people.AccountChanged: (account.send_notice,),
    people.RightsChanged: (account.hand_on,),
    people.StaffLeft: (account.hand_on,),
    StatementClosed: (reports.announce_statement,),
    ClientAsked: (portal.ask_administrators,),
}
