"""A ticket for each client and cause of a campaign's failures, opened once and linked both ways."""

from collections.abc import Collection, Iterable, Mapping

from flask import current_app
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy import and_, func, select

from msp.background.jobs import job
from msp.campaigns.gates import BAD
from msp.campaigns.models import Action, CampaignTicket, WaveLane
from msp.campaigns.queries import Tally
from msp.campaigns.words import reason_words
from msp.intake.receiving import receive_ticket
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.work import Claimed, request_work
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets.messages import Requester
from tenants.tickets.models import Ticket
from tenants.tickets.opening import Request
from tenants.tickets.queries import visible_to

KIND = "open_campaign_ticket"
SILENT = "silent"
MOST_NAMED = 20


def ask_for_tickets(
    campaign_id: int, lanes: Iterable[WaveLane], tallies: Mapping[int, Tally], silent: Mapping[int, int]
) -> None:
    """Have a ticket opened for every cause of failure at every client; asking again changes nothing."""
    for lane in lanes:
        causes = set(tallies[lane.id].reasons) if lane.id in tallies else set()
        for cause in sorted(causes | ({SILENT} if silent.get(lane.id) else set())):
            request_work(
                KIND,
                tenant_id=lane.tenant_id,
                arguments={"campaign": campaign_id, "lane": lane.id, "cause": cause},
                key=f"{campaign_id}:{cause}",
            )


@job(KIND)
def open_campaign_ticket(claimed: Claimed) -> None:
    """Open the ticket, unless this client has one for this cause already."""
    asked, at = claimed.arguments, time.now()
    campaign_id, cause = int(asked["campaign"]), str(asked["cause"])
    lane = db.session.scalars(select(WaveLane).where(WaveLane.id == asked["lane"])).one()
    if _has_ticket(campaign_id, cause):
        return
    tenant = find_tenant_by_id(claimed.tenant_id)
    assets = _affected(lane, cause)
    with force_locale(tenant.language):
        request = _request(lane, cause, assets)
    ticket = receive_ticket(tenant, request, by=Actor.system("campaigns"), at=at)
    db.session.add(
        CampaignTicket(
            tenant_id=claimed.tenant_id,
            campaign_id=campaign_id,
            lane_id=lane.id,
            ticket_id=ticket.id,
            cause=cause,
            opened_at=at,
        )
    )
    db.session.flush()


def _has_ticket(campaign_id: int, cause: str) -> bool:
    known = select(CampaignTicket.id).where(
        CampaignTicket.campaign_id == campaign_id, CampaignTicket.cause == cause
    )
    return db.session.scalar(known) is not None


def _affected(lane: WaveLane, cause: str) -> list[Asset]:
    """The machines of the client that ended so, or that fell silent, as far as they can be named."""
    ended = Action.outcome == "success"
    if cause != SILENT:
        ended = and_(Action.outcome.in_(BAD), func.coalesce(Action.reason_code, Action.outcome) == cause)
    found = (
        select(Asset)
        .join(Action, and_(Action.tenant_id == Asset.tenant_id, Action.asset_id == Asset.id))
        .where(
            Action.tenant_id == lane.tenant_id,
            Action.campaign_id == lane.campaign_id,
            Action.is_last,
            ended,
        )
        .order_by(Asset.name)
        .limit(MOST_NAMED + 1)
    )
    if cause == SILENT:
        found = found.where(
            Action.lane_id == lane.id, func.coalesce(Asset.last_seen_at <= Action.closed_at, True)
        )
    return list(db.session.scalars(found))


def _request(lane: WaveLane, cause: str, assets: list[Asset]) -> Request:
    release = f"{lane.release_name} {lane.release_version}"
    words = _("silence after the installation") if cause == SILENT else reason_words(cause)
    subject = _("%(release)s: %(cause)s", release=release, cause=words)
    count = len(assets)
    affected = ngettext("It concerns %(num)s machine:", "It concerns %(num)s machines:", count)
    names = [f"- {one.name}" for one in assets[:MOST_NAMED]] + (["- …"] if count > MOST_NAMED else [])
    body = [
        _(
            "The maintenance “%(title)s” did not succeed everywhere: %(cause)s.",
            title=lane.title,
            cause=words,
        ),
        "",
        *([affected, *names] if count else []),
    ]
    provider = current_app.extensions["settings"].provider_name
    return Request(
        subject=subject[:200],
        body="\n".join(body),
        impact="medium",
        urgency="high" if cause == SILENT else "medium",
        requester=Requester(name=provider, user_id=None, email=None),
        source="campaign",
        asset=assets[0] if count == 1 else None,
        request_key=f"campaign:{lane.campaign_id}:{cause}"[:64],
    )


def list_tickets_of(campaign_id: int) -> list[tuple[CampaignTicket, Ticket]]:
    """The tickets of a campaign at the tenants in scope, oldest first."""
    return _linked(CampaignTicket.campaign_id == campaign_id)


def list_tickets_of_lanes(lane_ids: Collection[int], *, by: Actor) -> list[tuple[CampaignTicket, Ticket]]:
    """The tickets of these lanes that one may see, oldest first."""
    return _linked(and_(among(CampaignTicket.lane_id, lane_ids), visible_to(by)))


def _linked(condition: object) -> list[tuple[CampaignTicket, Ticket]]:
    asked = (
        select(CampaignTicket, Ticket)
        .join(
            Ticket, and_(Ticket.tenant_id == CampaignTicket.tenant_id, Ticket.id == CampaignTicket.ticket_id)
        )
        .where(condition)  # type: ignore[arg-type]
        .order_by(CampaignTicket.id)
    )
    return [(link, ticket) for link, ticket in db.session.execute(asked)]


def find_lane_of_ticket(ticket: Ticket) -> WaveLane | None:
    """The lane whose failures a ticket is about; None for every other ticket."""
    asked = (
        select(WaveLane)
        .join(
            CampaignTicket,
            and_(CampaignTicket.tenant_id == WaveLane.tenant_id, CampaignTicket.lane_id == WaveLane.id),
        )
        .where(CampaignTicket.tenant_id == ticket.tenant_id, CampaignTicket.ticket_id == ticket.id)
    )
    return db.session.scalars(asked).one_or_none()
