"""Whatever people do to tickets, in any order: history equals state, tenants stay apart, and holders may hold."""

from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tenants.foundation.db import db
from tenants.foundation.errors import Refused
from tenants.tenancy.models import Tenant
from tenants.tickets import merging, queries, rules, services
from tenants.tickets.hand_overs import pending_hand_over
from tenants.tickets.relation_models import LINKS
from tests.tickets import MONDAY, leo, open_in_scope, person, tina

TENANTS = ("acme", "globex")
BRIEFING = services.Briefing(symptoms="Smoke", tried="Water", told_requester="Wait")


def replayed(lines):
    """State, tier, holder and priority, from the history alone."""
    found = {"state": "new", "tier": "L1", "assignee": None, "priority": None, "waiting": None}
    for line in lines:
        data = line.data
        if line.kind == "opened":
            found["priority"] = data["priority"]
        elif "to_state" in data:
            found["state"] = data["to_state"]
            found["waiting"] = data["reason"] if data["to_state"] == "waiting" else None
        elif line.kind == "reprioritised":
            found["priority"] = data["to_priority"]
        elif line.kind == "assigned":
            found["assignee"] = data["to_user_id"]
        elif line.kind in ("hand_over_made", "hand_over_accepted"):
            found["tier"] = data["to_tier"]
        elif line.kind == "hand_over_returned":
            found["tier"] = data["from_tier"]
    return found


class Desk(RuleBasedStateMachine):
    """People of three tiers at work on tickets of two clients; everything is rolled back at the end."""

    cast = None
    tickets = Bundle("tickets")

    def __init__(self):
        super().__init__()
        from tenants.foundation.permissions import MemberRole

        everywhere = ("acme", "globex", "provider")
        self.staff = {
            "Tina": tina(self.cast),
            "Leo": leo(self.cast),
            "Nadia": person(self.cast, "Nadia", MemberRole.L3, *everywhere),
        }
        self.at, self.open, self.refusals = MONDAY, [], []

    def teardown(self):
        db.session.rollback()

    def attempt(self, ticket, act, **given):
        """Do something, or be refused in words; a person touches only clients that were granted."""
        self.at += timedelta(minutes=1)
        by = given.get("by")
        if by is not None and ticket.tenant_id not in by.tenants:
            return
        try:
            with db.session.begin_nested():
                act(ticket, at=self.at, **given)
        except Refused as refused:
            self.refusals.append(str(refused.message))

    @rule(
        target=tickets, slug=st.sampled_from(TENANTS), kind=st.sampled_from(("incident", "problem", "change"))
    )
    def open_one(self, slug, kind):
        ticket = open_in_scope(self.cast, self.staff["Leo"], slug=slug, at=self.at, kind=kind)
        self.open.append(ticket)
        return ticket

    @rule(
        ticket=tickets,
        name=st.sampled_from(("Tina", "Leo", "Nadia")),
        to=st.sampled_from(tuple(rules.TRANSITIONS)),
    )
    def move(self, ticket, name, to):
        reason = "part" if to == "waiting" else None
        self.attempt(ticket, services.change_state, to=to, reason=reason, by=self.staff[name])

    @rule(ticket=tickets, name=st.sampled_from(("Tina", "Leo", "Nadia")))
    def take(self, ticket, name):
        self.attempt(ticket, services.take_ticket, by=self.staff[name])

    @rule(ticket=tickets, to=st.sampled_from(("Tina", "Leo", "Nadia", "Dana", "Bob", "Mallory", None)))
    def assign(self, ticket, to):
        user_id = None if to is None else self.cast.users[to]
        self.attempt(ticket, services.assign_ticket, to_user_id=user_id, by=self.staff["Nadia"])

    @rule(ticket=tickets, tier=st.sampled_from(("L1", "L2", "L3", "vendor")))
    def hand_over(self, ticket, tier):
        self.attempt(ticket, services.hand_over, briefing=BRIEFING, to_tier=tier, by=self.staff["Leo"])

    @rule(ticket=tickets, name=st.sampled_from(("Tina", "Leo", "Nadia")))
    def accept(self, ticket, name):
        self.attempt(ticket, services.accept_hand_over, by=self.staff[name])

    @rule(ticket=tickets, name=st.sampled_from(("Leo", "Nadia")))
    def give_back(self, ticket, name):
        self.attempt(ticket, services.return_hand_over, reason="Evidence", by=self.staff[name])

    @rule(ticket=tickets, priority=st.sampled_from(("P1", "P4")))
    def weigh(self, ticket, priority):
        self.attempt(ticket, services.set_priority, priority=priority, reason="So", by=self.staff["Leo"])

    @rule(ticket=tickets, level=st.sampled_from(("high", "low")))
    def reassess(self, ticket, level):
        tenant = db.session.get_one(Tenant, ticket.tenant_id)
        more = {"impact": level, "urgency": level, "tenant": tenant}
        self.attempt(ticket, services.reassess, by=self.staff["Leo"], **more)

    @rule(ticket=tickets, kind=st.sampled_from(("public", "internal")))
    def say(self, ticket, kind):
        self.attempt(ticket, services.add_message, body="Words", kind=kind, by=self.staff["Leo"])

    @rule(source=tickets, other=tickets)
    def merge(self, source, other):
        self.attempt(source, services.merge_tickets, target=other, by=self.staff["Leo"])

    @rule(one=tickets, two=tickets, kind=st.sampled_from(LINKS))
    def link(self, one, two, kind):
        self.attempt(one, services.link_tickets, other=two, kind=kind, by=self.staff["Leo"])

    @invariant()
    def refusals_have_words(self):
        assert all(self.refusals)

    @invariant()
    def history_equals_state(self):
        for ticket in self.open:
            lines = queries.list_history(ticket.id)
            told = replayed(lines)
            has = {
                "state": ticket.state,
                "tier": ticket.tier,
                "assignee": ticket.assignee_user_id,
                "priority": ticket.priority,
                "waiting": ticket.waiting_reason,
            }
            assert told == has
            assert [line.seq for line in lines] == list(range(1, ticket.rev + 1))

    @invariant()
    def merges_stay_within_a_client_and_end(self):
        for ticket in self.open:
            current = merging.current_of(ticket)
            assert current.tenant_id == ticket.tenant_id
            assert current.merged_into_id is None
            if current is not ticket:
                assert ticket.state == "cancelled"

    @invariant()
    def whoever_holds_a_ticket_has_the_tier_and_the_grant(self):
        for ticket in self.open:
            if ticket.assignee_user_id is None or not rules.is_open(ticket.state):
                continue
            able = [one.user_id for one in services.list_engineers(ticket.tenant_id, ticket.tier)]
            assert ticket.assignee_user_id in able
            assert pending_hand_over(ticket) is None or ticket.assignee_user_id is not None


def test_any_order_of_verbs(cast, within):
    Desk.cast = cast
    with within("Leo"):
        run_state_machine_as_test(
            Desk,
            settings=settings(
                max_examples=12,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
