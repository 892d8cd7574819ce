"""Hand-overs and vendors' cases under the provider's own promises, and the clocks that run beside."""

from datetime import date

from sqlalchemy import select

from contracts.terms.document import default_terms
from contracts.terms.services import add_contract
from contracts.timers.models import SideTimer
from contracts.timers.sweep import sweep_due_side_timers
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tickets import services as tickets

MISSED, WARNED = "timer_missed", "timer_warned"


BRIEFING = tickets.Briefing(symptoms="Smoke.", tried="Water.", told_requester="To stay calm.")
ASK = tickets.VendorAsk(vendor="Printco", reference="PC-77", promised_minutes=120)


def promise_ourselves(desk, calendar="always", warnings=None, **minutes):
    """The provider's own terms: how long a hand-over may wait, and whom each warning tells."""
    own = desk.cast.tenants["provider"]
    terms = {**default_terms("Asia/Jakarta"), "calendar": calendar, "warn_at_percent": sorted(warnings or ())}
    terms["actions"] = [{"at_percent": one, "notify": told} for one, told in (warnings or {}).items()]
    with desk.app.app_context(), enter(of_tenant(own)):
        add_contract(
            own,
            name="Among ourselves",
            time_zone="Asia/Jakarta",
            starts_on=date(2026, 1, 1),
            ends_on=None,
            terms={**terms, "ola": {"acceptance_minutes": minutes}},
            by=Actor.system("test"),
            at=desk.june,
        )
        db.session.commit()


def handed_over(desk, hours=1.0):
    """Tina's P3, handed to L2."""
    ticket = desk.open()
    desk.assign(ticket, "Tina")
    desk.do(ticket, tickets.hand_over, "Tina", hours, briefing=BRIEFING, to_tier="L2")
    desk.work(hours)
    return ticket


def sweep(desk, hours):
    with desk.app.app_context(), time.frozen(desk.at(hours)):
        swept = sweep_due_side_timers()
    return swept, [one for one in desk.work(hours) if one[1] == MISSED]


def timers(desk):
    return desk.rows(select(SideTimer).order_by(SideTimer.id))


def waiting_for_vendor(desk, ask=ASK, hours=1.0):
    """Leo's ticket, which waits for what he asked a vendor."""
    ticket = desk.open()
    desk.assign(ticket, "Leo")
    desk.do(ticket, tickets.take_ticket, "Leo", 0.1)
    desk.do(ticket, tickets.wait_for_vendor, "Leo", hours, ask=ask)
    desk.work(hours)
    return ticket
