"""The end of a shift: tickets go to who is on duty, or back, or stay; notes are seen by those who come."""

import pytest
from sqlalchemy import select

from msp.staff import passing
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.tickets import services
from tenants.tickets.models import Ticket, TicketEvent
from tests import personas
from tests.msp.staff.conftest import MONDAY, member
from tests.tickets import opened


@pytest.fixture
def held(app, cast):
    """Tina's ticket at Acme; its code."""

    def make(name="Tina", slug="acme"):
        code = opened(app, cast, slug=slug)
        with personas.within(app, cast, name) as by:
            from tenants.tickets import queries, services

            services.take_ticket(queries.find_ticket(code, by=by), by=by, at=MONDAY)
            db.session.commit()
        return code

    return make


def by_code(code):
    return db.session.scalars(select(Ticket).where(Ticket.code == code)).one()


def test_chosen_tickets_move_in_one_act(app, cast, shift, held):
    shift("Leo", -1, 8, tier="L2")
    kept, passed, queued = held(), held(), held()
    with personas.within(app, cast, "Tina") as tina:
        choices = {by_code(passed).id: str(member("Leo").public_id), by_code(queued).id: passing.QUEUE}
        summary = passing.leave_shift("All quiet.", choices, by=tina, at=MONDAY)
        db.session.commit()
        assert [(ticket.code, name) for ticket, name in summary.passed] == [(passed, "Leo")]
        assert [ticket.code for ticket in summary.queued] == [queued]
        assert summary.note.kept_count == 1 and summary.stayed == []
        holders = {code: by_code(code).assignee_name for code in (kept, passed, queued)}
        assert holders == {kept: "Tina", passed: "Leo", queued: None}
        history = select(TicketEvent.kind).where(TicketEvent.ticket_id == by_code(passed).id)
        assert db.session.scalars(history.order_by(TicketEvent.seq.desc())).first() == "assigned"


def test_who_is_not_on_duty_gets_nothing(app, cast, shift, held):
    shift("Leo", 2, 8, tier="L2")
    code = held()
    with personas.within(app, cast, "Tina") as tina:
        choices = {by_code(code).id: str(member("Leo").public_id)}
        summary = passing.leave_shift("All quiet.", choices, by=tina, at=MONDAY)
        assert [ticket.code for ticket, _why in summary.stayed] == [code]
        assert by_code(code).assignee_name == "Tina"


def test_one_that_cannot_move_does_not_hold_up_the_others(app, cast, shift, held, monkeypatch):
    from tenants.foundation.errors import Conflict
    from tenants.tickets import services

    first, second = held(), held()
    genuine = services.assign_ticket

    def refuse_first(ticket, **more):
        if ticket.code == first:
            ticket.subject = "half done"
            db.session.flush()
            raise Conflict("Somebody was faster.")
        return genuine(ticket, **more)

    monkeypatch.setattr(services, "assign_ticket", refuse_first)
    with personas.within(app, cast, "Tina") as tina:
        choices = {by_code(one).id: passing.QUEUE for one in (first, second)}
        summary = passing.leave_shift("All quiet.", choices, by=tina, at=MONDAY)
        db.session.commit()
        assert [ticket.code for ticket in summary.queued] == [second]
        assert [(ticket.code, str(why)) for ticket, why in summary.stayed] == [
            (first, "Somebody was faster.")
        ]
    with personas.within(app, cast, "Tina"):
        assert by_code(first).subject == "Printer on fire"


def test_others_tickets_are_not_passed(app, cast, shift, held):
    code = held("Leo")
    with personas.within(app, cast, "Tina") as tina:
        passing.leave_shift("All quiet.", {by_code(code).id: passing.QUEUE}, by=tina, at=MONDAY)
        assert by_code(code).assignee_name == "Leo"


def test_what_somebody_took_meanwhile_stays_with_them(app, cast, held, monkeypatch):
    """Nadia took it over between the list and the act."""
    code, genuine = held(), passing.list_takers

    def taken_meanwhile(tickets, **more):
        with personas.within(app, cast, "Nadia") as nadia:
            services.take_ticket(by_code(code), by=nadia, at=MONDAY)
            db.session.commit()
        return genuine(tickets, **more)

    monkeypatch.setattr(passing, "list_takers", taken_meanwhile)
    with personas.within(app, cast, "Tina") as tina:
        choices = {by_code(code).id: passing.QUEUE}
        summary = passing.leave_shift("All quiet.", choices, by=tina, at=MONDAY)
        db.session.commit()
        assert ([one.code for one, _why in summary.stayed], summary.queued) == ([code], [])
    with personas.within(app, cast, "Tina"):
        assert by_code(code).assignee_name == "Nadia"


@pytest.mark.parametrize("body", ["", "  \n ", "x" * 5001])
def test_a_note_says_something(app, cast, body):
    with personas.within(app, cast, "Tina") as tina, pytest.raises(Invalid) as refused:
        passing.leave_shift(body, {}, by=tina, at=MONDAY)
    assert refused.value.field == "body"


def test_notes_are_shown_until_they_are_read(app, cast):
    with personas.within(app, cast, "Tina") as tina:
        passing.leave_shift("Watch the till.", {}, by=tina, at=MONDAY)
        db.session.commit()
        assert passing.list_unread(tina, at=MONDAY) == []
    with personas.within(app, cast, "Leo") as leo:
        (note,) = passing.list_unread(leo, at=MONDAY)
        for _again in range(2):
            passing.read_note(note, by=leo, at=MONDAY)
        db.session.commit()
        assert passing.list_unread(leo, at=MONDAY) == []
        assert passing.count_readers([note]) == {note.id: 1}
    with personas.within(app, cast, "Dana") as dana:
        assert passing.list_unread(dana, at=MONDAY)
        assert passing.list_unread(dana, at=MONDAY + passing.SHOWN_FOR) == []


def test_a_note_s_tickets_are_seen_by_who_is_granted_their_client(app, cast, held):
    codes = {held("Leo"), held("Leo", "globex")}
    with personas.within(app, cast, "Leo") as leo:
        mine = {one.id: passing.QUEUE for one in passing.list_own_open(leo)}
        note = passing.leave_shift("Both are open.", mine, by=leo, at=MONDAY).note
        db.session.commit()
        seen = {ticket.code for _line, ticket in passing.tickets_of([note])[note.id]}
        assert seen == codes
    with personas.within(app, cast, "Tina"):
        (only,) = passing.tickets_of([note])[note.id]
        assert only[1].code.startswith("ACME")
