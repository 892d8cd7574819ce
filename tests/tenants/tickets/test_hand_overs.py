"""Who may hold a ticket, and how it is handed to another tier: what changes, and what is refused."""

import pytest
from sqlalchemy import select

from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, InvalidMany
from tenants.tickets import services
from tenants.tickets.models import HandOver
from tests.tenants.tickets.told import names
from tests.tickets import MONDAY, later, leo, open_in_scope, tina


class TestAssignments:
    def test_needs_grant_and_tier(self, desk):
        ticket = open_in_scope(desk, leo(desk), slug="globex")
        with pytest.raises(Invalid, match="does not work"):
            services.assign_ticket(ticket, to_user_id=desk.users["Tina"], by=leo(desk), at=MONDAY)
        with pytest.raises(Invalid, match="does not work"):
            services.assign_ticket(ticket, to_user_id=desk.users["Mallory"], by=leo(desk), at=MONDAY)
        services.assign_ticket(ticket, to_user_id=desk.users["Nadia"], by=leo(desk), at=MONDAY)
        assert ticket.assignee_name == "Nadia"
        services.assign_ticket(ticket, to_user_id=None, by=leo(desk), at=MONDAY)
        assert ticket.assignee_user_id is None

    def test_a_lower_tier_can_not_hold_it(self, ticket, desk):
        ticket.tier = "L2"
        with pytest.raises(Invalid, match="works in L1"):
            services.assign_ticket(ticket, to_user_id=desk.users["Tina"], by=leo(desk), at=MONDAY)

    def test_engineers_of_a_client(self, desk):
        found = [one.name for one in services.list_engineers(desk.tenants["globex"])]
        assert found == ["Dana", "Leo", "Mia", "Nadia", "Owen"]
        assert "Tina" in [one.name for one in services.list_engineers(desk.tenants["acme"])]
        assert [one.name for one in services.list_engineers(desk.tenants["acme"], "L3")] == [
            "Mia",
            "Nadia",
            "Owen",
        ]


BRIEFING = services.Briefing(symptoms="Smoke.", tried="Water. Did not help.", told_requester="Wait outside.")


class TestHandOvers:
    def test_accepted(self, ticket, desk, heard):
        services.take_ticket(ticket, by=tina(desk), at=MONDAY)
        heard.clear()
        services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(desk), at=later(minutes=1))
        assert (ticket.tier, ticket.assignee_user_id) == ("L2", None)
        services.accept_hand_over(ticket, by=leo(desk), at=later(minutes=2))
        assert ticket.assignee_name == "Leo"
        assert names(heard) == ["HandOverMade", "TicketAssigned", "HandOverAccepted", "TicketAssigned"]

    def test_returned_goes_back_to_whom_it_came_from(self, ticket, desk):
        services.take_ticket(ticket, by=tina(desk), at=MONDAY)
        services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(desk), at=later(minutes=1))
        services.return_hand_over(ticket, reason="Which printer?", by=leo(desk), at=later(minutes=2))
        assert (ticket.tier, ticket.assignee_name) == ("L1", "Tina")
        row = db.session.scalars(select(HandOver)).one()
        assert (row.state, row.return_reason, row.decided_by_name) == ("returned", "Which printer?", "Leo")

    def test_briefing_is_never_left_out(self, ticket, desk):
        with pytest.raises(InvalidMany) as refused:
            services.hand_over(ticket, services.Briefing(" ", "", ""), to_tier="L9", by=tina(desk), at=MONDAY)
        assert {field for field, _ in refused.value.errors} == {
            "symptoms",
            "tried",
            "told_requester",
            "to_tier",
        }

    def test_only_once_and_to_another_tier(self, ticket, desk):
        with pytest.raises(Conflict, match="in L1 already"):
            services.hand_over(ticket, BRIEFING, to_tier="L1", by=tina(desk), at=MONDAY)
        services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(desk), at=MONDAY)
        with pytest.raises(Conflict, match="already"):
            services.hand_over(ticket, BRIEFING, to_tier="L3", by=tina(desk), at=MONDAY)

    def test_decided_once_and_by_the_right_tier(self, ticket, desk):
        services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(desk), at=MONDAY)
        with pytest.raises(Invalid, match="for L2"):
            services.accept_hand_over(ticket, by=tina(desk), at=MONDAY)
        services.accept_hand_over(ticket, by=leo(desk), at=MONDAY)
        with pytest.raises(Conflict):
            services.return_hand_over(ticket, reason="No.", by=leo(desk), at=MONDAY)
