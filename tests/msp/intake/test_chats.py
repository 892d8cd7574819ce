"""Chats: who sees which, who takes them, how they end exactly once, and what a visitor's door lets in."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from msp.intake.chats import doors, ending, presence, queries, services
from msp.intake.chats.models import Chat, ChatLine
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.tickets.models import Message, Ticket

HELLO = "The cash desk prints nothing <script>alert(1)</script>"


@pytest.fixture
def chat(app, cast, within):
    """The public id of a chat that Bob began."""
    with within("Bob"):
        start = services.Start(
            channel="chat", name="Bob", email="bob@example.test", user_id=cast.users["Bob"]
        )
        begun = services.begin_chat(cast.tenants["acme"], start, HELLO, at=time.now())
        db.session.commit()
        return str(begun.public_id)


@pytest.fixture
def door(app, cast, within, as_actor):
    """The public keys of Acme's and Globex's websites."""
    keys = {}
    for slug in ("acme", "globex"):
        with within("Mia") as mia:
            opened = doors.set_door(
                cast.tenants[slug], is_open=True, origins=f"https://www.{slug}.test", by=mia, at=time.now()
            )
            db.session.commit()
            keys[slug] = opened.public_key
    return keys


@pytest.fixture
def there(app, cast):
    """Tina is on the page of chats."""
    with app.app_context():
        presence.note_presence(cast.users["Tina"], at=time.now())


def count(within, model, **where):
    with within("Leo"):
        return db.session.scalar(select(func.count()).select_from(model).filter_by(**where))


def stored(within, chat_id):
    with within("Leo"):
        return db.session.scalar(select(Chat).where(Chat.public_id == chat_id))


class TestDesk:
    def test_the_queue_shows_one_s_own_clients_only(self, sign_in, chat):
        assert "Bob" in sign_in("Tina").get("/desk/chats").text
        assert sign_in("Alice").get("/desk/chats").status_code == 403

    def test_words_are_never_markup(self, sign_in, chat):
        page = sign_in("Tina").get(f"/desk/chats/{chat}").text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page

    def test_answering_takes_it_and_a_colleague_is_refused(self, sign_in, chat, within):
        tina, leo = sign_in("Tina"), sign_in("Leo")
        assert tina.post(f"/desk/chats/{chat}/lines", data={"body": "Hello"}).status_code == 302
        assert stored(within, chat).taken_by_name == "Tina"
        refused = leo.post(f"/desk/chats/{chat}/lines", data={"body": "Me too"})
        assert refused.status_code == 409
        assert "Tina answers this chat already" in refused.text
        assert leo.post(f"/desk/chats/{chat}/take").status_code == 409
        assert "Me too" not in tina.get(f"/desk/chats/{chat}").text

    def test_two_take_it_at_once_and_one_gets_it(self, app, within, chat, cast):
        results = []

        def take(name):
            with within(name) as person:
                found = queries.find_chat(chat, by=person)
                try:
                    services.take_chat(found, by=person, at=time.now())
                    db.session.commit()
                    results.append(name)
                except Conflict:
                    results.append(None)

        threads = [threading.Thread(target=take, args=(name,)) for name in ("Tina", "Leo")]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(results, key=bool)[0] is None
        winner = next(one for one in results if one)
        assert stored(within, chat).taken_by_name == winner

    def test_only_the_taker_or_who_assigns_gives_it_back(self, sign_in, chat, within):
        sign_in("Tina").post(f"/desk/chats/{chat}/take")
        assert sign_in("Leo").post(f"/desk/chats/{chat}/give-back").status_code == 403
        assert sign_in("Dana").post(f"/desk/chats/{chat}/give-back").status_code == 302
        assert stored(within, chat).state == "waiting"

    @pytest.mark.parametrize("body", ["", "   ", "x" * 2001, "x" * 100_000, "a\x00b", "a\x1bb"])
    def test_hostile_lines_are_refused_by_field(self, sign_in, chat, within, body):
        answer = sign_in("Tina").post(f"/desk/chats/{chat}/lines", data={"body": body})
        assert answer.status_code == 422
        assert 'href="#body"' in answer.text
        assert count(within, ChatLine, kind="staff") == 0

    def test_the_same_form_twice_says_it_once(self, sign_in, chat, within):
        tina = sign_in("Tina")
        for _ in range(2):
            tina.post(f"/desk/chats/{chat}/lines", data={"body": "Hello", "request_key": "k-1"})
        assert count(within, ChatLine, kind="staff") == 1


class TestEnding:
    def test_a_double_click_makes_one_ticket_with_all_that_was_said(self, sign_in, chat, within):
        tina = sign_in("Tina")
        tina.post(f"/desk/chats/{chat}/lines", data={"body": "Is the light green?"})
        answers = [tina.post(f"/desk/chats/{chat}/end", data={"ending": "ticket"}) for _ in range(2)]
        assert answers[0].location == answers[1].location
        assert "/desk/tickets/ACME-" in answers[0].location
        assert count(within, Ticket, source="chat") == 1
        page = tina.get(answers[0].location).text
        assert "Is the light green?" in page
        assert "&lt;script&gt;alert(1)" in page
        assert "answered the requester in the chat." in page

    def test_two_at_once_make_one_ticket(self, within, chat):
        codes = []

        def end(name):
            with within(name) as person:
                found = queries.find_chat(chat, by=person)
                ticket = ending.end_as_ticket(found, by=person, at=time.now())
                db.session.commit()
                codes.append(ticket.code)

        threads = [threading.Thread(target=end, args=(name,)) for name in ("Tina", "Leo")]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(codes) == 2
        assert len(set(codes)) == 1
        assert count(within, Ticket, source="chat") == 1

    def test_it_is_added_to_a_ticket_of_the_same_client_only(self, app, cast, sign_in, chat, within):
        from tests.tickets import opened

        own, foreign = opened(app, cast), opened(app, cast, slug="globex")
        leo = sign_in("Leo")
        refused = leo.post(f"/desk/chats/{chat}/end", data={"ending": "appended", "code": foreign})
        assert refused.status_code == 422
        assert "no ticket with this code" in refused.text
        done = leo.post(f"/desk/chats/{chat}/end", data={"ending": "appended", "code": own})
        assert done.location.endswith(own)
        assert count(within, Ticket, source="chat") == 0
        assert HELLO[:20] in leo.get(done.location).text

    def test_without_a_ticket_it_needs_a_reason(self, sign_in, chat, within):
        tina = sign_in("Tina")
        assert tina.post(f"/desk/chats/{chat}/end", data={"ending": "none"}).status_code == 422
        tina.post(f"/desk/chats/{chat}/end", data={"ending": "none", "reason": "Wrong number"})
        assert stored(within, chat).reason == "Wrong number"
        assert tina.post(f"/desk/chats/{chat}/lines", data={"body": "Still there?"}).status_code == 409
        late = tina.post(f"/desk/chats/{chat}/end", data={"ending": "ticket"})
        assert late.status_code == 409

    def test_a_long_talk_fits_into_several_messages(self, within, chat, cast):
        with within("Bob") as bob:
            found = queries.find_chat(chat, by=bob)
            for number in range(25):
                services.ask(found, f"{number} " + "x" * 1900, at=time.now())
            db.session.commit()
        with within("Tina") as tina:
            ticket = ending.end_as_ticket(queries.find_chat(chat, by=tina), by=tina, at=time.now())
            db.session.commit()
            said = db.session.scalars(select(Message).where(Message.ticket_id == ticket.id)).all()
            whole = "\n".join(one.body for one in said)
            assert all(f"{number} xxx" in whole for number in range(25))
            assert max(len(one.body) for one in said) <= 20_000


class TestSweep:
    def silent(self, within, chat, minutes):
        with within("acme"):
            then = time.now() - timedelta(minutes=minutes)
            db.session.execute(update(Chat).where(Chat.public_id == chat).values(last_at=then))
            db.session.commit()

    def test_an_unanswered_chat_becomes_a_ticket_after_half_an_hour_and_once(self, app, within, chat):
        self.silent(within, chat, 29)
        with app.app_context():
            assert ending.sweep_idle_chats() == 0
        self.silent(within, chat, 31)
        with app.app_context():
            assert ending.sweep_idle_chats() == 1
            assert ending.sweep_idle_chats() == 0
        assert stored(within, chat).ending == "ticket"
        assert count(within, Ticket, source="chat") == 1

    def test_one_that_was_answered_last_just_ends(self, app, sign_in, within, chat):
        sign_in("Tina").post(f"/desk/chats/{chat}/lines", data={"body": "Done."})
        self.silent(within, chat, 31)
        with app.app_context():
            ending.sweep_idle_chats()
        assert (stored(within, chat).ending, stored(within, chat).reason) == ("none", "idle")

    def test_emptying_redis_loses_nothing(self, app, sign_in, chat):
        app.extensions["redis"].flushall()
        assert "prints nothing" in sign_in("Tina").get(f"/desk/chats/{chat}").text


class TestPortal:
    def test_without_anybody_there_it_becomes_a_ticket(self, sign_in, within):
        bob = sign_in("Bob")
        assert "Nobody is there" in bob.get("/portal/chat").text
        answer = bob.post("/portal/chat", data={"body": "Please call me"})
        assert "/portal/tickets/ACME-" in answer.location
        assert count(within, Ticket, source="chat") == 1

    def test_somebody_who_may_not_serve_the_client_does_not_count(self, app, cast, sign_in, there):
        assert "Somebody is there" in sign_in("Bob").get("/portal/chat").text
        assert "Nobody is there" in sign_in("Mallory").get("/portal/chat").text

    def test_a_conversation_there_and_back(self, sign_in, there, within):
        bob, tina = sign_in("Bob"), sign_in("Tina")
        begun = bob.post("/portal/chat", data={"body": "Hello there", "request_key": "twice"})
        again = bob.post("/portal/chat", data={"body": "Hello there", "request_key": "twice"})
        assert begun.location == again.location
        place = begun.location.rsplit("/", 1)[1]
        tina.post(f"/desk/chats/{place}/lines", data={"body": "What is it?"})
        assert "What is it?" in bob.get(begun.location).text
        bob.post(begun.location, data={"body": "The printer"})
        assert "The printer" in tina.get(f"/desk/chats/{place}").text

    @pytest.mark.parametrize("name", ["Alice", "Mallory"])
    def test_nobody_reads_another_s_conversation(self, sign_in, chat, name):
        assert sign_in(name).get(f"/portal/chat/{chat}").status_code == 404
        assert sign_in(name).post(f"/portal/chat/{chat}", data={"body": "x"}).status_code == 404

    def test_presence_ends_after_a_minute(self, app, cast, there):
        with app.app_context():
            now = time.now()
            assert presence.is_somebody_there(cast.tenants["acme"], at=now)
            assert not presence.is_somebody_there(cast.tenants["acme"], at=now + timedelta(seconds=61))


START = {"name": "Wati", "email": "wati@example.test", "body": "Is the shop open?"}


class TestWebsite:
    def test_only_the_client_s_own_pages_may_frame_it(self, client, door):
        answer = client.get(f"/chat/{door['acme']}")
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'self' https://www.acme.test;" in policy
        assert "globex" not in policy
        assert "X-Frame-Options" not in answer.headers
        assert "Set-Cookie" not in answer.headers
        assert "frame-ancestors 'none'" in client.get("/sign-in").headers["Content-Security-Policy"]
        assert client.get("/sign-in").headers["X-Frame-Options"] == "DENY"

    def test_a_visitor_talks_without_a_cookie(self, client, door, there, sign_in, within):
        began = client.post(f"/chat/{door['acme']}", data=START)
        assert began.status_code == 303
        assert "Set-Cookie" not in began.headers
        page = client.get(began.location)
        assert "Is the shop open?" in page.text
        assert page.headers["Referrer-Policy"] == "no-referrer"
        with within("Leo"):
            found = db.session.scalar(select(Chat).where(Chat.channel == "website"))
        tina = sign_in("Tina")
        tina.post(f"/desk/chats/{found.public_id}/lines", data={"body": "Until nine"})
        assert "Until nine" in client.get(began.location).text
        assert client.post(began.location, data={"body": "Thanks"}).status_code == 303
        assert "Thanks" in tina.get(f"/desk/chats/{found.public_id}").text

    def test_with_nobody_there_it_is_a_message(self, client, door, within):
        began = client.post(f"/chat/{door['acme']}", data=START)
        page = client.get(began.location).text
        with within("Leo"):
            ticket = db.session.scalar(select(Ticket).where(Ticket.source == "website"))
        assert (ticket.requester_name, ticket.requester_email) == ("Wati", "wati@example.test")
        assert ticket.code in page

    def test_a_token_opens_its_own_conversation_behind_its_own_door_only(self, client, door, there):
        location = client.post(f"/chat/{door['acme']}", data=START).location
        token = location.rsplit("/", 1)[1]
        assert client.get(f"/chat/{door['globex']}/{token}").status_code == 404
        assert client.get(f"/chat/{door['acme']}/{token[:-2]}xx").status_code == 404
        assert client.get(f"/chat/{door['acme']}/junk").status_code == 404
        assert client.get("/chat/never-was").status_code == 404

    def test_a_new_key_ends_conversations_begun_with_the_old_one(self, client, door, there, within, cast):
        token = client.post(f"/chat/{door['acme']}", data=START).location.rsplit("/", 1)[1]
        with within("Mia") as mia:
            acme = cast.tenants["acme"]
            new = doors.set_door(acme, is_open=True, origins="", new_key=True, by=mia, at=time.now())
            db.session.commit()
        assert client.get(f"/chat/{new.public_key}/{token}").status_code == 404

    def test_a_token_ends_after_a_day(self, app, client, door, there, monkeypatch):
        location = client.post(f"/chat/{door['acme']}", data=START).location
        monkeypatch.setattr(doors, "TOKEN_SECONDS", -1)
        assert client.get(location).status_code == 404

    def test_a_portal_chat_is_not_reached_by_a_visitor_s_token(self, app, client, cast, door, chat, within):
        with within("acme"):
            found = db.session.scalar(select(Chat).where(Chat.public_id == chat))
            token = doors.token_of(doors.Door(cast.tenants["acme"], door["acme"], ()), found)
        assert client.get(f"/chat/{door['acme']}/{token}").status_code == 404

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"email": "no address"}, "email"),
            ({"body": ""}, "body"),
            ({"body": "x" * 100_000}, "body"),
            ({"body": "a\x00b"}, "body"),
            ({"website": "spam"}, "website"),
        ],
    )
    def test_bad_input_is_named_and_nothing_kept(self, client, door, within, changed, field):
        answer = client.post(f"/chat/{door['acme']}", data=START | changed)
        assert answer.status_code == 422
        assert f'href="#{field}"' in answer.text
        assert count(within, Chat) == 0

    def test_one_address_begins_so_many_and_no_more(self, client, door, monkeypatch):
        few = services.Limit("few chats", 2, timedelta(minutes=10))
        monkeypatch.setattr(services, "BEGINNINGS", few)
        answers = [client.post(f"/chat/{door['acme']}", data=START) for _ in range(3)]
        assert [one.status_code for one in answers] == [303, 303, 429]
        assert "too many tries" in answers[2].text

    def test_nobody_s_mailbox_is_filled_by_visitors(self, client, door):
        answers = [client.post(f"/chat/{door['acme']}", data=START) for _ in range(6)]
        assert [one.status_code for one in answers] == [303] * 5 + [429]
        other = client.post(f"/chat/{door['acme']}", data=START | {"email": "other@example.test"})
        assert other.status_code == 303

    def test_a_shut_door_and_a_suspended_client_are_not_there(self, client, door, within, superuser, cast):
        superuser.execute("UPDATE tenants SET state = 'suspended' WHERE slug = 'globex'")
        assert client.get(f"/chat/{door['globex']}").status_code == 404
        with within("Mia") as mia:
            doors.set_door(cast.tenants["acme"], is_open=False, origins="", by=mia, at=time.now())
            db.session.commit()
        assert client.get(f"/chat/{door['acme']}").status_code == 404

    def test_the_script_may_be_fetched_from_elsewhere(self, client):
        answer = client.get("/chat/embed.js")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "javascript" in answer.content_type

    def test_the_example_page_frames_it(self, client, door):
        answer = client.get(f"/chat/{door['acme']}/example")
        assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]
        assert door["acme"] in answer.text


class TestDoors:
    @pytest.mark.parametrize(
        "typed",
        [
            "javascript:alert(1)",
            "https://a.test/path",
            "https://a.test;script-src",
            "https://*",
            "https://u@a.test",
            "ftp://a.test",
            "https://a.test:99999",
            "'none'",
        ],
    )
    def test_origins_say_nothing_else_in_a_header(self, within, cast, typed):
        with within("Mia") as mia, pytest.raises(Invalid) as refused:
            doors.set_door(cast.tenants["acme"], is_open=True, origins=typed, by=mia, at=time.now())
        assert refused.value.field == "origins"

    def test_a_new_key_ends_the_old_one(self, sign_in, client, door):
        data = {"is_open": "y", "origins": "https://www.acme.test:8443/", "new_key": "y"}
        owen = sign_in("Owen")
        assert owen.post("/console/tenants/acme/chat", data=data).status_code == 302
        assert client.get(f"/chat/{door['acme']}").status_code == 404
        page = owen.get("/console/tenants/acme/chat").text
        assert "https://www.acme.test:8443" in page
        assert door["acme"] not in page

    def test_engineers_don_t_open_doors(self, sign_in):
        assert sign_in("Tina").get("/console/tenants/acme/chat").status_code == 403
