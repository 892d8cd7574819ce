"""Every verb: what it changes, what it writes into the history, and what it refuses."""

import pytest
from sqlalchemy import select

from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, InvalidMany, NotFound
from tenants.tickets import events as happened
from tenants.tickets import queries, services
from tenants.tickets.models import Message, Ticket, TicketEvent
from tenants.tickets.stories import read_story
from tests.tenants.tickets.told import lines, names
from tests.tickets import MONDAY, alice, bob, later, leo, open_in_scope

SYSTEM = Actor.system("sweeper")


class TestOpening:
    def test_opens_with_message_history_and_event(self, ticket, heard):
        assert (ticket.state, ticket.tier, ticket.priority, ticket.rev) == ("new", "L1", "P2", 1)
        assert (ticket.requester_name, ticket.requester_email) == ("Bob", "bob@example.test")
        assert ticket.code.startswith("ACME-")
        assert lines(ticket) == ["opened"]
        assert names(heard) == ["TicketOpened"]
        (first,) = queries.list_messages(ticket, by=SYSTEM)
        assert (first.body, first.author_kind, first.kind) == (
            "It burns since this morning.",
            "requester",
            "public",
        )

    def test_same_form_twice_is_one_ticket(self, desk, heard):
        codes = {open_in_scope(desk, bob(desk), request_key="form-1").code for _ in range(2)}
        assert len(codes) == 1
        assert names(heard) == ["TicketOpened"]

    def test_spoken_with_the_caller_meets_response(self, desk, heard):
        tenant = queries.find_ticket(open_in_scope(desk, bob(desk)).code, by=leo(desk))
        heard.clear()
        from tests.tickets import request

        services.open_ticket(
            db.session.get_one(services_tenant(), tenant.tenant_id),
            request(desk, source="phone"),
            by=leo(desk),
            at=MONDAY,
            spoke_with_caller=True,
        )
        assert names(heard) == ["TicketOpened", "MessageAdded", "TicketStateChanged"]
        assert heard[1].meets_response

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"subject": " \n "}, "subject"),
            ({"subject": "x" * 201}, "subject"),
            ({"body": "  "}, "body"),
            ({"body": "x" * 20_001}, "body"),
            ({"body": "a\x00b"}, "body"),
            ({"impact": "huge"}, "impact"),
            ({"urgency": ""}, "urgency"),
            ({"kind": "joke"}, "kind"),
            ({"requester": services.Requester(" ")}, "requester"),
        ],
    )
    def test_wrong_input_names_its_field(self, desk, change, field):
        with pytest.raises(InvalidMany) as refused:
            open_in_scope(desk, bob(desk), **change)
        assert [name for name, _message in refused.value.errors] == [field]

    def test_lines_in_a_subject_become_one(self, desk):
        assert open_in_scope(desk, bob(desk), subject=" A\r\nBcc: x ").subject == "A Bcc: x"


def services_tenant():
    from tenants.tenancy.models import Tenant

    return Tenant


class TestMessages:
    def test_first_public_staff_reply_takes_into_work_and_meets_response(self, ticket, desk, heard):
        heard.clear()
        services.add_message(ticket, body="Looking.", by=leo(desk), at=later(minutes=5))
        assert ticket.state == "in_progress"
        assert names(heard) == ["MessageAdded", "TicketStateChanged"]
        assert heard[0].meets_response

    def test_internal_note_is_no_answer(self, ticket, desk, heard):
        services.add_message(ticket, body="Hm.", kind="internal", by=leo(desk), at=later(minutes=5))
        assert ticket.state == "new"
        assert not heard[-1].meets_response

    def test_requesters_reply_ends_the_wait_for_them_only(self, ticket, desk):
        services.take_ticket(ticket, by=leo(desk), at=later(minutes=1))
        services.change_state(ticket, to="waiting", reason="vendor", by=leo(desk), at=later(minutes=2))
        services.add_message(ticket, body="?", by=bob(desk), at=later(minutes=3))
        assert ticket.state == "waiting"
        services.change_state(ticket, to="waiting", reason="requester", by=leo(desk), at=later(minutes=4))
        services.add_message(ticket, body="Here it is.", by=bob(desk), at=later(minutes=5))
        assert (ticket.state, ticket.waiting_reason, ticket.waiting_since) == ("in_progress", None, None)

    def test_double_click_says_it_once(self, ticket, desk, heard):
        heard.clear()
        for _ in range(2):
            services.add_message(ticket, body="Once", by=bob(desk), at=later(minutes=1), request_key="k1")
        assert names(heard) == ["MessageAdded"]

    def test_clients_write_no_notes_and_speak_for_nobody(self, ticket, desk):
        with pytest.raises(Forbidden):
            services.add_message(ticket, body="x", kind="internal", by=bob(desk), at=MONDAY)
        with pytest.raises(Forbidden):
            services.add_message(ticket, body="x", spoke_with_caller=True, by=bob(desk), at=MONDAY)

    def test_closed_ticket_takes_notes_only(self, ticket, desk):
        services.cancel_ticket(ticket, reason="", by=bob(desk), at=later(minutes=1))
        with pytest.raises(Conflict):
            services.add_message(ticket, body="Hello?", by=bob(desk), at=later(minutes=2))
        services.add_message(ticket, body="Noted.", kind="internal", by=leo(desk), at=later(minutes=2))

    @pytest.mark.parametrize("body", ["", "  \n", "x" * 20_001, "a\x00"])
    def test_wrong_text_is_refused(self, ticket, desk, body):
        with pytest.raises(Invalid) as refused:
            services.add_message(ticket, body=body, by=bob(desk), at=MONDAY)
        assert refused.value.field == "body"


class TestStates:
    def test_whole_life(self, ticket, desk, heard):
        services.take_ticket(ticket, by=leo(desk), at=later(minutes=1))
        services.change_state(ticket, to="waiting", reason="part", by=leo(desk), at=later(minutes=2))
        assert (ticket.waiting_reason, ticket.waiting_since) == ("part", later(minutes=2))
        services.change_state(ticket, to="in_progress", by=leo(desk), at=later(minutes=3))
        services.resolve_ticket(ticket, solution="New toner.", by=leo(desk), at=later(minutes=4))
        assert ticket.resolved_at == later(minutes=4)
        services.reopen_ticket(ticket, because="Still burns.", by=bob(desk), at=later(minutes=5))
        assert (ticket.state, ticket.resolved_at) == ("in_progress", None)
        services.resolve_ticket(ticket, solution="", by=leo(desk), at=later(minutes=6))
        services.close_ticket(ticket, by=bob(desk), at=later(minutes=7))
        assert ticket.closed_at == later(minutes=7)
        assert lines(ticket) == [
            "opened",
            "assigned",
            "state_changed",
            "state_changed",
            "state_changed",
            "message_added",
            "resolved",
            "message_added",
            "reopened",
            "resolved",
            "closed",
        ]
        assert names(heard)[-1] == "TicketClosed"
        assert [line.seq for line in queries.list_history(ticket.id)] == list(range(1, 12))
        assert ticket.rev == 11

    def test_waiting_needs_a_known_reason(self, ticket, desk):
        services.take_ticket(ticket, by=leo(desk), at=MONDAY)
        for reason in (None, "", "lunch"):
            with pytest.raises(Invalid) as refused:
                services.change_state(ticket, to="waiting", reason=reason, by=leo(desk), at=MONDAY)
            assert refused.value.field == "reason"

    def test_impossible_step_names_the_possible_ones(self, ticket, desk):
        with pytest.raises(Conflict) as refused:
            services.change_state(ticket, to="closed", by=leo(desk), at=MONDAY)
        assert refused.value.allowed == ["in_progress", "cancelled"]

    def test_requester_may_not_resolve(self, ticket, desk):
        services.take_ticket(ticket, by=leo(desk), at=MONDAY)
        with pytest.raises(Conflict) as refused:
            services.change_state(ticket, to="resolved", by=bob(desk), at=MONDAY)
        assert refused.value.allowed == ["cancelled"]

    def test_unknown_state_is_refused(self, ticket, desk):
        with pytest.raises(Invalid):
            services.change_state(ticket, to="asleep", by=leo(desk), at=MONDAY)

    def test_same_state_again_is_no_change_even_on_a_stale_page(self, ticket, desk):
        services.take_ticket(ticket, by=leo(desk), at=MONDAY, rev=1)
        before = ticket.rev
        services.change_state(ticket, to="in_progress", by=leo(desk), at=MONDAY, rev=1)
        services.take_ticket(ticket, by=leo(desk), at=MONDAY, rev=1)
        assert ticket.rev == before

    def test_stale_page_is_refused(self, ticket, desk):
        services.add_message(ticket, body="News!", by=bob(desk), at=MONDAY)
        with pytest.raises(Conflict, match="reading it"):
            services.take_ticket(ticket, by=leo(desk), at=MONDAY, rev=1)


class TestPriorities:
    def test_override_with_reason(self, ticket, desk, heard):
        services.set_priority(ticket, priority="P1", reason="The CEO's.", by=leo(desk), at=MONDAY)
        assert (ticket.priority, ticket.priority_overridden) == ("P1", True)
        assert (heard[-1].from_priority, heard[-1].to_priority) == ("P2", "P1")

    def test_reassessing_ends_the_override(self, ticket, desk):
        tenant = db.session.get_one(services_tenant(), ticket.tenant_id)
        services.set_priority(ticket, priority="P1", reason="x", by=leo(desk), at=MONDAY)
        services.reassess(ticket, impact="low", urgency="low", tenant=tenant, by=leo(desk), at=MONDAY)
        assert (ticket.priority, ticket.priority_overridden, ticket.impact) == ("P4", False, "low")

    def test_override_needs_reason_right_and_open_ticket(self, ticket, desk):
        with pytest.raises(Invalid):
            services.set_priority(ticket, priority="P1", reason=" ", by=leo(desk), at=MONDAY)
        with pytest.raises(Invalid):
            services.set_priority(ticket, priority="P0", reason="x", by=leo(desk), at=MONDAY)
        with pytest.raises(Forbidden):
            services.set_priority(ticket, priority="P1", reason="x", by=alice(desk), at=MONDAY)
        services.cancel_ticket(ticket, reason="", by=bob(desk), at=MONDAY)
        with pytest.raises(Conflict):
            services.set_priority(ticket, priority="P1", reason="x", by=leo(desk), at=MONDAY)


class TestReplays:
    def test_nothing_is_sent_or_audited_for_the_past(self, desk, heard):
        sent = []
        events.connect({}, dict.fromkeys([happened.TicketOpened, happened.TicketResolved], (sent.append,)))
        from tests.tickets import request

        tenant = db.session.get_one(services_tenant(), desk.tenants["acme"])
        old = services.open_ticket(
            tenant,
            request(desk, source="import", external_number="INC1", priority="P1"),
            by=Actor.system("import", via="import"),
            at=MONDAY,
            replay=True,
        )
        services.change_state(old, to="in_progress", by=SYSTEM, at=later(minutes=1), replay=True)
        services.resolve_ticket(old, solution="", by=SYSTEM, at=later(minutes=2), replay=True)
        assert (old.priority, old.priority_overridden, old.opened_at) == ("P1", True, MONDAY)
        assert sent == []
        assert [topic for topic, *_rest in db.session.info.get("waiting", [])] == []


class TestDoors:
    def test_clients_user_sees_the_own_ones_admin_all(self, desk):
        ticket = open_in_scope(desk, alice(desk), who="Alice")
        assert queries.find_ticket(ticket.code.lower().replace("-", " "), by=alice(desk)) is ticket
        with pytest.raises(NotFound):
            queries.find_ticket(ticket.code, by=bob(desk))

    @pytest.mark.parametrize("code", ["", "ACME", "ACME-0000-0000", "x" * 500, "ACME-7K3Q-XP4\x00"])
    def test_malformed_code_is_not_found(self, desk, code):
        with pytest.raises(NotFound):
            queries.find_ticket(code, by=leo(desk))

    def test_clients_never_load_internal_notes(self, ticket, desk):
        services.add_message(ticket, body="Secret", kind="internal", by=leo(desk), at=MONDAY)
        bodies = [said and said.body for _line, said in read_story(ticket, by=bob(desk)).told]
        assert bodies == ["It burns since this morning.", None]
        assert [one.body for one in queries.list_messages(ticket, by=bob(desk))] == [
            "It burns since this morning."
        ]


def test_history_only_grows(ticket, desk, within):
    """The database lets nobody change or remove lines and messages."""
    from sqlalchemy.exc import ProgrammingError

    for model in (TicketEvent, Message):
        row = db.session.scalars(select(model)).first()
        with pytest.raises(ProgrammingError), db.session.begin_nested():
            db.session.delete(row)


def test_queue_shows_what_runs_out_first_and_pages_by_key(desk):
    tickets = [open_in_scope(desk, bob(desk), subject=f"T{n}") for n in range(5)]
    for ticket, minutes in zip(tickets, (30, None, 10, None, 20), strict=True):
        ticket.next_due_at = minutes and later(minutes=minutes)
    db.session.flush()
    seen, after = [], None
    while True:
        db.session.expire_all()
        page = queries.list_queue(queries.Filter(), by=leo(desk), after=after, limit=2)
        seen += [ticket.subject for ticket in page[:2]]
        if len(page) <= 2:
            break
        after = queries.queue_key(page[1])
    assert seen == ["T2", "T4", "T0", "T1", "T3"]


@pytest.mark.parametrize(
    ("narrowed", "subjects"),
    [
        ({"q": "FIRE"}, ["fire"]),
        ({"q": "100%"}, []),
        ({"priority": "P1"}, ["urgent"]),
        ({"assignee": 0}, ["fire", "urgent"]),
        ({"state": "in_progress"}, ["mine"]),
        ({"tier": "L3"}, []),
    ],
)
def test_queue_is_narrowed(desk, narrowed, subjects):
    open_in_scope(desk, bob(desk), subject="fire")
    open_in_scope(desk, bob(desk), subject="urgent", impact="high")
    services.take_ticket(open_in_scope(desk, bob(desk), subject="mine"), by=leo(desk), at=MONDAY)
    found = queries.list_queue(queries.Filter(**narrowed), by=leo(desk))
    assert sorted(ticket.subject for ticket in found) == subjects
    assert isinstance(found[0], Ticket) if found else True
