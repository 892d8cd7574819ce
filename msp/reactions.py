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
from msp.intake.texts.sending import answer_by_text
from msp.mail import notices
from msp.portal import jobs as portal
from msp.reports import jobs as reports
from msp.timers import jobs as timers
from msp.windows.events import ClientFroze, WindowsChanged
from tenants.foundation.events import Event, Reaction
from tenants.people import events as people
from tenants.tickets import events as ticket

WITHIN: dict[type[Event], tuple[Reaction, ...]] = {
    ticket.TicketOpened: (follow_ticket,),
    ticket.MessageAdded: (follow_ticket, put_off_closing),
    ticket.TicketStateChanged: (follow_ticket,),
    ticket.TicketReprioritised: (follow_ticket,),
    ticket.TermsApplied: (follow_terms,),
    ticket.TicketResolved: (follow_ticket, follow_rest),
    ticket.TicketReopened: (follow_ticket, follow_rest),
    ticket.TicketClosed: (follow_ticket, follow_rest),
    ticket.TicketCancelled: (follow_ticket,),
    ticket.HandOverMade: (start_acceptance,),
    ticket.HandOverAccepted: (stop_acceptance,),
    ticket.HandOverReturned: (stop_acceptance,),
    ticket.HandOverWithdrawn: (stop_acceptance,),
    ticket.VendorAsked: (start_vendor,),
    ticket.VendorAnswered: (stop_vendor,),
    LaneStarted: (record_lane,),
    WindowsChanged: (follow_windows,),
    ClientFroze: (follow_freeze,),
}

AFTER: dict[type[Event], tuple[Reaction, ...]] = {
    ticket.TicketOpened: (notices.acknowledge_ticket,),
    ticket.MessageAdded: (notices.pass_on_message, answer_by_text),
    ticket.TicketResolved: (notices.announce_solution,),
    timer.TimerWarned: (timers.act_on_timer,),
    timer.TimerMissed: (timers.act_on_timer,),
    timer.SideTimerWarned: (timers.warn_of_side_timer,),
    timer.SideTimerMissed: (timers.act_on_side_timer,),
    people.PersonInvited: (account.send_invitation,),
    people.LinkIssued: (account.send_link,),
    people.AccountChanged: (account.send_notice,),
    people.StaffLeft: (account.hand_on,),
    StatementClosed: (reports.announce_statement,),
    ClientAsked: (portal.ask_administrators,),
}
