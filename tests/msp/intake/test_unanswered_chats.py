"""A chat that nobody answered: its words reach a ticket, and no clock takes them for an answer."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from contracts.clock.history import EntryKind
from contracts.timers.reading import entries_of
from msp.intake.chats import ending, queries, services
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.work import Work
from tenants.tickets.models import Message, Ticket, TicketEvent
from tests.tickets import opened


@pytest.fixture
def begun(cast, within):
    """The public id of a chat of somebody of Acme's, with so many long lines: `begun(who="Bob", lines=1)`."""

    def begin(who="Bob", lines=1):
        with within("acme"):
            user_id = cast.users.get(who)
            start = services.Start(channel="chat" if user_id else "website", name=who, user_id=user_id)
            at = time.now() - timedelta(minutes=5)
            chat = services.begin_chat(cast.tenants["acme"], start, "Is anybody there?", at=at)
            for number in range(1, lines):
                services.ask(chat, f"{number} " + "x" * 1900, at=at)
            db.session.commit()
            return str(chat.public_id)

    return begin


@pytest.fixture
def told(within):
    """What stands on a ticket: its state, the messages as (kind, side, author), and which mails were asked for."""

    def look(code):
        with within("Leo"):
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            said = select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)
            messages = [(one.kind, one.author_kind, one.author_user_id) for one in db.session.scalars(said)]
            history = db.session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id))
            replies = [
                one
                for one in entries_of(history.all())
                if one.kind is EntryKind.SPOKE_WITH_CALLER
                or (one.kind is EntryKind.REPLIED and one.by_kind == "staff" and one.is_public)
            ]
        with within("acme"):
            asked = db.session.scalars(select(Work).where(Work.kind == "notify_of_ticket")).all()
            mails = [one.arguments["what"] for one in asked if one.arguments.get("ticket") == ticket.id]
        return ticket.state, messages, len(replies), mails

    return look


def end_on(within, chat_id, code, name="Leo"):
    with within(name) as by:
        ending.end_on_ticket(queries.find_chat(chat_id, by=by), code, by=by, at=time.now())
        db.session.commit()


def answer(within, chat_id, name="Leo"):
    with within(name) as by:
        services.answer(queries.find_chat(chat_id, by=by), "Yes, I am", by=by, at=time.now())
        db.session.commit()


class TestOnATicket:
    def test_the_requester_s_words_stay_the_requester_s(self, app, cast, within, begun, told):
        code = opened(app, cast)
        end_on(within, begun("Bob"), code)
        state, messages, replies, mails = told(code)
        assert (state, replies) == ("new", 0)
        assert messages[-1] == ("public", "requester", cast.users["Bob"])
        assert "replied" not in mails

    @pytest.mark.parametrize("who", ["Alice", "A visitor"])
    def test_somebody_else_s_words_are_a_note_among_staff(self, app, cast, within, begun, told, who):
        code = opened(app, cast)
        end_on(within, begun(who), code)
        state, messages, replies, mails = told(code)
        assert (state, replies) == ("new", 0)
        assert messages[-1][:2] == ("internal", "staff")
        assert not {"replied", "answered"} & set(mails)

    def test_a_visitor_is_not_taken_for_a_requester_without_an_account(self, app, cast, within, begun, told):
        from tenants.tickets.services import Requester

        code = opened(app, cast, requester=Requester("A visitor", "visitor@example.test"))
        end_on(within, begun("A visitor"), code)
        assert told(code)[1][-1][:2] == ("internal", "staff")

    def test_one_that_was_answered_is_an_answer_when_it_is_added(self, app, cast, within, begun, told):
        code, chat = opened(app, cast), begun("Bob")
        answer(within, chat)
        end_on(within, chat, code)
        state, messages, replies, mails = told(code)
        assert (state, replies) == ("in_progress", 1)
        assert messages[-1][:2] == ("public", "staff")
        assert "replied" in mails


class TestAsATicket:
    def end(self, within, chat, name="Leo"):
        with within(name) as by:
            ticket = ending.end_as_ticket(queries.find_chat(chat, by=by), by=by, at=time.now())
            db.session.commit()
            return ticket.code

    @pytest.mark.parametrize("who", ["Bob", "A visitor"])
    def test_a_long_one_that_nobody_answered_answers_nobody(self, cast, within, begun, told, who):
        code = self.end(within, begun(who, lines=25))
        state, messages, replies, mails = told(code)
        assert (state, replies) == ("new", 0)
        assert messages == [("public", "requester", cast.users.get(who))] * 3
        assert "replied" not in mails

    def test_a_long_one_that_was_answered_meets_the_response(self, within, begun, told):
        chat = begun("Bob", lines=25)
        answer(within, chat)
        state, messages, replies, _mails = told(self.end(within, chat))
        assert state == "in_progress"
        assert replies >= 1
        assert messages[0][:2] == ("public", "requester")
