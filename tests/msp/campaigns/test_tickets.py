"""Tickets about a campaign's failures: one for each client and cause, and which of them are a veto."""

from dataclasses import replace

from sqlalchemy import select

from msp.campaigns.tickets import find_lane_of_ticket, list_tickets_of
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets.messages import Requester
from tenants.tickets.models import Ticket
from tenants.tickets.opening import Request, open_ticket
from tests import personas
from tests.msp.campaigns import fleet
from tests.msp.campaigns.scenes import WIDE


class TestTickets:
    def tickets(self, app, tenant_id):
        with app.app_context(), enter(of_tenant(tenant_id)):
            return [
                (one.request_key, one.source)
                for one in db.session.scalars(select(Ticket))
                if one.source == "campaign"
            ]

    def test_a_failure_opens_one_ticket_for_each_client_and_cause(self, app, cast, machines, sign_in):
        rollout = fleet.start(fleet.draft(app, cast, gate=fleet.replace_gate(max_bad=2)))
        machines[0].cycle()
        rollout.tick()
        for machine in machines[1:]:
            machine.fails = True
            machine.cycle()
        assert rollout.tick() == "paused"
        rollout.tick()
        key = f"campaign:{rollout.id}:write"
        assert self.tickets(app, cast.tenants["acme"]) == [(key, "campaign")]
        assert self.tickets(app, cast.tenants["globex"]) == [(key, "campaign")]
        assert self.tickets(app, cast.tenants["provider"]) == []
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            ((link, ticket),) = list_tickets_of(rollout.id)
            assert find_lane_of_ticket(ticket).id == link.lane_id
        assert "/console/campaigns/" in sign_in("Leo").get(f"/desk/tickets/{ticket.code}").text
        assert "/portal/maintenance/" in sign_in("Alice").get(f"/portal/tickets/{ticket.code}").text

    def test_its_own_tickets_do_not_veto_a_wave_and_people_s_urgent_ones_do(self, app, cast, machines):
        gate = replace(WIDE, soak_seconds=600)
        rollout = fleet.start(fleet.draft(app, cast, gate=gate))
        machines[0].cycle()
        assert rollout.tick() == "running"
        own = cast.tenants["provider"]
        with app.app_context(), enter(of_tenant(own)):
            asset = db.session.get_one(Asset, (own, machines[0].asset_id))
            request = Request(
                subject="It is gone",
                body="Since the update nothing works.",
                impact="high",
                urgency="high",
                requester=Requester(name="Tina", user_id=None, email=None),
                source="phone",
                asset=asset,
            )
            open_ticket(find_tenant_by_id(own), request, by=personas.actor(app, cast, "Tina"), at=time.now())
            db.session.commit()
        assert rollout.tick() == "paused"
        assert [one.reason for one in rollout.lanes() if one.state == "failed"] == ["veto: new tickets"]
