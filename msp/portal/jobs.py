"""Telling a client's administrators that a decision waits for them."""

from flask import current_app
from sqlalchemy import select

from msp.background.jobs import job
from msp.campaigns.events import ClientAsked
from msp.campaigns.models import CampaignTenant
from msp.campaigns.parts import waits_for_word
from msp.mail.addresses import address_of
from msp.mail.readers import list_readers
from msp.mail.services import queue_mail
from msp.portal.coming import look_ahead
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole
from tenants.foundation.work import Claimed, request_work
from tenants.people.queries import list_members
from tenants.tenancy.queries import find_tenant_by_id


def ask_administrators(event: ClientAsked) -> None:
    """Reaction: the client's administrators are asked by mail, each time for its own reason."""
    request_work(
        "ask_client",
        tenant_id=event.tenant_id,
        arguments={"part": event.part_id, "why": event.why, "at": event.at.isoformat()},
        queue="mail",
        key=f"{event.part_id}:{_occasion(event.why, event.at.isoformat())}",
    )


def _occasion(why: str, at: str) -> str:
    """What tells one asking from another; the first one is always the same."""
    return "" if why == "asked" else f"{why}:{at}"


@job("ask_client", queue="mail")
def ask_client(claimed: Claimed) -> None:
    """Queue a mail to each administrator, unless one has decided meanwhile; a repeat queues nothing more."""
    part = db.session.scalars(
        select(CampaignTenant).where(CampaignTenant.id == int(claimed.arguments["part"]))
    ).one()
    now, why = time.now(), claimed.arguments.get("why", "asked")
    occasion = _occasion(why, claimed.arguments.get("at", ""))
    if not waits_for_word(part, now):
        return
    tenant = find_tenant_by_id(part.tenant_id)
    shared = {
        "part": part,
        "why": why,
        "zone": tenant.time_zone,
        "ends_at": part.deadline_at,
        "ahead": look_ahead(part.tenant_id, now),
        "current_tenant": tenant,
        "provider_name": current_app.extensions["settings"].provider_name,
        "action_url": address_of("portal.show_maintenance", part=str(part.public_id)),
    }
    admins = [one for one in list_members(part.tenant_id) if one.role == MemberRole.CLIENT_ADMIN]
    readers = list_readers(one.user_id for one in admins)
    for one in admins:
        queue_mail(
            part.tenant_id,
            to=one.email,
            template="maintenance_asked",
            language=readers[one.user_id].language or tenant.language,
            context={**shared, "name": one.name},
            unwanted=readers[one.user_id].unwanted,
            key=f"maintenance:{part.id}:{one.user_id}" + (f":{occasion}" if occasion else ""),
        )
