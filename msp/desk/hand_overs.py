"""Passing a ticket to another tier, accepting it there, or giving it back."""

from typing import Any

from flask_babel import gettext as _

from msp.desk.blueprint import bp
from msp.desk.forms import HandOverForm, ReturnForm
from msp.desk.states import back, form_page, simple_act
from msp.threads.acting import acted
from msp.web.access import actor, require
from msp.web.fields import options
from msp.web.words import TIERS as TIER_WORDS
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tickets import queries, services
from tenants.tickets.hand_overs import latest_hand_over
from tenants.tickets.models import TIERS, HandOver, Ticket


@bp.route("/tickets/<code>/hand-over", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def hand_over_ticket(code: str) -> Any:
    """Say what the next person needs to know."""
    view = queries.find_ticket_view(code, by=actor())
    ticket, returned = view.ticket, _returned_to(view.ticket)
    form = HandOverForm(data=_said(returned) if returned else None)
    form.files.choices = options((str(one.public_id), one.name) for one in view.files)
    form.to_tier.choices = options((tier, _named(tier)) for tier in _next_tiers(ticket.tier))
    if acted(form, lambda: _hand_over(view, form)):
        return back(ticket, _("Handed over. It waits there to be accepted."))
    return form_page("hand_over_ticket", ticket, form, returned=returned)


def _returned_to(ticket: Ticket) -> HandOver | None:
    """The hand-over that came back last and is to be completed; None where the ticket went on meanwhile."""
    last = latest_hand_over(ticket)
    return last if last and (last.state, last.from_tier) == ("returned", ticket.tier) else None


def _said(passed: HandOver) -> dict[str, Any]:
    words = ("to_tier", "symptoms", "tried", "evidence", "suspected_cause", "told_requester")
    return {name: getattr(passed, name) for name in words} | {
        "files": [one["public_id"] for one in passed.files]
    }


def _next_tiers(tier: str) -> list[str]:
    """The other tiers, the next one up first."""
    place = TIERS.index(tier)
    return [*TIERS[place + 1 :], *TIERS[:place]]


def _named(tier: str) -> str:
    words = str(TIER_WORDS[tier])
    return words if tier == "vendor" else f"{tier} · {words}"


def _hand_over(view: queries.TicketView, form: HandOverForm) -> None:
    chosen = [one for one in view.files if str(one.public_id) in (form.files.data or ())]
    briefing = services.Briefing(
        symptoms=form.symptoms.data or "",
        tried=form.tried.data or "",
        evidence=form.evidence.data or "",
        suspected_cause=form.suspected_cause.data or "",
        told_requester=form.told_requester.data or "",
        files=[{"public_id": str(one.public_id), "name": one.name} for one in chosen],
    )
    acting: dict[str, Any] = {"by": actor(), "at": time.now(), "rev": form.seen}
    services.hand_over(view.ticket, briefing, to_tier=form.to_tier.data, **acting)


@bp.post("/tickets/<code>/hand-over/accept")
@require(Permission.WORK_TICKETS)
def accept_hand_over(code: str) -> Any:
    """Take it over: it is one's own from then on."""
    return simple_act(code, services.accept_hand_over, _("Accepted. The ticket is yours."))


@bp.route("/tickets/<code>/hand-over/return", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def return_hand_over(code: str) -> Any:
    """Give it back, and say what is missing."""
    ticket, form = queries.find_ticket(code, by=actor()), ReturnForm()
    if acted(
        form,
        lambda: services.return_hand_over(
            ticket, reason=form.reason.data or "", by=actor(), at=time.now(), rev=form.seen
        ),
    ):
        return back(ticket, _("Returned."))
    return form_page("return_hand_over", ticket, form)
