"""Streams of chats: who hears what, and who does not; and that listening is being there."""

import pytest

from msp.campaigns import live
from msp.intake.chats import doors, presence, queries, services
from msp.web import streams
from tenants.foundation import time
from tenants.foundation.db import db
from tests import personas
from tests.msp.campaigns.test_live import Stream


@pytest.fixture
def live_app(app, monkeypatch):
    """The process of streams on the same database; it looks twenty times a second."""
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.3)
    application = live.create_live_app(app.extensions["settings"])
    yield application
    reader = application.extensions["streams"]._reader
    if reader is not None:
        reader.join(5)
    with application.app_context():
        db.engine.dispose()


@pytest.fixture
def begin(within, cast):
    """Somebody begins a chat; returns its public id."""

    def begin(slug="acme", who="Bob", **more):
        with within(who):
            start = services.Start(channel="chat", name=who, user_id=cast.users[who], **more)
            chat = services.begin_chat(cast.tenants[slug], start, "Hello", at=time.now())
            db.session.commit()
            return str(chat.public_id)

    return begin


@pytest.fixture
def listen(app, cast, live_app):
    """Streams that are closed at the end."""
    opened = []

    def listen(path, who=None):
        client = live_app.test_client()
        if who is not None:
            cookie = personas.sign_in(app, cast, who).get_cookie("portal", domain="portal.test")
            cookie = cookie or personas.sign_in(app, cast, who).get_cookie("portal")
            client.set_cookie("portal", cookie.value)
        answer = client.get(path, buffered=False)
        opened.append(answer)
        return Stream(answer)

    yield listen
    for answer in opened:
        answer.close()


def test_the_queue_moves_for_whom_it_concerns_and_for_nobody_else(listen, begin):
    leo, tina = listen("/streams/chats", "Leo"), listen("/streams/chats", "Tina")
    first = (leo.next(), tina.next())
    begin("globex", "Mallory")
    assert leo.next("version") != first[0]
    assert tina.next() == "beat", "Tina is not granted Globex"
    begin()
    assert tina.next("version") != first[1]


def test_listening_to_the_queue_is_being_there(app, cast, listen):
    stream = listen("/streams/chats", "Tina")
    stream.next("beat")
    with app.app_context():
        assert presence.is_somebody_there(cast.tenants["acme"], at=time.now())
        assert not presence.is_somebody_there(cast.tenants["globex"], at=time.now())


def test_both_sides_hear_what_the_other_says(listen, begin, within):
    chat = begin()
    tina, bob = (
        listen(f"/streams/desk/chats/{chat}", "Tina"),
        listen(f"/streams/portal/chats/{chat}", "Bob"),
    )
    before = (tina.next(), bob.next())
    with within("Tina") as person:
        services.answer(queries.find_chat(chat, by=person), "Yes?", by=person, at=time.now())
        db.session.commit()
    assert tina.next("version") == bob.next("version") != before[0] == before[1]


@pytest.mark.parametrize(
    ("who", "side", "status"),
    [
        ("Mallory", "portal", 404),
        ("Alice", "portal", 404),
        ("Bob", "desk", 403),
        ("Tina", "portal", 403),
        (None, "desk", 401),
    ],
)
def test_others_hear_nothing(listen, begin, who, side, status):
    assert listen(f"/streams/{side}/chats/{begin()}", who).answer.status_code == status


def test_staff_without_the_grant_hear_nothing(listen, begin):
    assert listen(f"/streams/desk/chats/{begin('globex', 'Mallory')}", "Tina").answer.status_code == 404


@pytest.fixture
def visiting(app, client, cast, within):
    """The keys of two websites, and the token of a conversation on the first."""
    with within("Mia") as mia:
        keys = [
            doors.set_door(cast.tenants[slug], is_open=True, origins="", by=mia, at=time.now()).public_key
            for slug in ("acme", "globex")
        ]
        db.session.commit()
    with app.app_context():
        presence.note_presence(cast.users["Leo"], at=time.now())
    data = {"name": "Wati", "email": "wati@example.test", "body": "Hello"}
    return keys, client.post(f"/chat/{keys[0]}", data=data).location.rsplit("/", 1)[1]


def test_a_visitor_hears_the_own_conversation_only(visiting, listen):
    keys, token = visiting
    stream = listen(f"/streams/visitors/{keys[0]}/{token}")
    assert stream.answer.mimetype == "text/event-stream"
    assert stream.next().startswith("version ")
    assert listen(f"/streams/visitors/{keys[1]}/{token}").answer.status_code == 404
    assert listen(f"/streams/visitors/{keys[0]}/junk").answer.status_code == 404


def test_visitors_leave_seats_for_staff(visiting, live_app, listen):
    (key, _other), token = visiting
    live_app.extensions["streams"].most = 4
    answers = [listen(f"/streams/visitors/{key}/{token}").answer.status_code for _ in range(3)]
    assert answers == [200, 200, 503]
    assert [listen("/streams/chats", who).answer.status_code for who in ("Leo", "Tina")] == [200, 200]
