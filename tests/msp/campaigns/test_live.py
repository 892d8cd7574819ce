"""Streams of changes: who hears what, when, how many may, and that one reading serves all who listen."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import update

from msp.campaigns import live, services
from msp.web import headers, streams
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people.models import SignInSession
from tests import personas
from tests.msp.campaigns import fleet

PAGES = "http://portal.test"


@pytest.fixture
def rollout(app, cast):
    for slug, count in (("provider", 1), ("acme", 2), ("globex", 2)):
        fleet.enrol(app, cast.tenants[slug], slug, [f"{slug}-{n}" for n in range(count)])
    found = fleet.draft(app, cast)
    fleet.approve(found)
    return found


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


class Stream:
    """An open stream: its answer, and its events one by one."""

    def __init__(self, answer):
        self.answer = answer
        self._parts = self._split(answer.iter_encoded())

    @staticmethod
    def _split(chunks):
        rest = ""
        for chunk in chunks:
            rest += chunk.decode()
            while "\n\n" in rest:
                event, _, rest = rest.partition("\n\n")
                if not event.startswith("retry"):
                    yield event.removeprefix("event: ").replace("\ndata: ", " ").strip()

    def next(self, kind=""):
        """The next event, or the next of a kind."""
        return next(one for one in self._parts if one.startswith(kind))


@contextmanager
def listening(live_app, app, cast, who, rollout, **headers):
    """A person's stream, with the session that the portal itself gave out."""
    client = personas.sign_in(app, cast, who)
    cookie = client.get_cookie("portal", domain="portal.test") or client.get_cookie("portal")
    other = live_app.test_client()
    other.set_cookie("portal", cookie.value)
    with app.app_context(), rollout.seen():
        path = f"/streams/campaigns/{rollout.load().public_id}"
    answer = other.get(path, headers=headers, buffered=False)
    try:
        yield Stream(answer)
    finally:
        answer.close()


def version(app, cast, who, rollout):
    with app.app_context(), enter(personas.actor(app, cast, who).scope()):
        return live.version_of(rollout.id)


def test_the_page_and_the_stream_speak_of_the_same_version(app, cast, live_app, rollout):
    for who in ("Nadia", "Tina"):
        with listening(live_app, app, cast, who, rollout) as stream:
            assert stream.answer.mimetype == "text/event-stream"
            assert stream.next() == f"version {version(app, cast, who, rollout)}"


def test_a_change_is_heard_by_whom_it_concerns_and_by_nobody_else(app, cast, live_app, rollout):
    with (
        listening(live_app, app, cast, "Nadia", rollout) as nadia,
        listening(live_app, app, cast, "Tina", rollout) as tina,
    ):
        first = (nadia.next(), tina.next())
        rollout.let_in("globex")
        assert nadia.next("version") != first[0]
        assert tina.next() == "beat", "Tina is not granted Globex"
        rollout.let_in("acme")
        assert tina.next("version") == f"version {version(app, cast, 'Tina', rollout)}" != first[1]


def test_nothing_new_is_said_by_a_beat(app, cast, live_app, rollout):
    with listening(live_app, app, cast, "Nadia", rollout) as stream:
        stream.next()
        assert [stream.next(), stream.next()] == ["beat", "beat"]


def test_one_reading_serves_everybody_and_none_is_made_for_nobody(app, cast, live_app, rollout, monkeypatch):
    hub, reads = live_app.extensions["streams"], []
    honest = hub._read
    monkeypatch.setattr(
        hub, "_read", lambda one: reads.append(threading.current_thread().name) or honest(one)
    )
    with (
        listening(live_app, app, cast, "Nadia", rollout) as first,
        listening(live_app, app, cast, "Leo", rollout) as second,
    ):
        assert hub.listeners == 2
        for stream in (first, second):
            stream.next("beat")
    assert set(reads) == {"streams"}
    assert hub.listeners == 0
    hub._reader.join(5)
    assert hub._reader is None
    count = len(reads)
    assert count > 0
    assert not hub._topics


@pytest.mark.parametrize(("who", "status"), [("Alice", 403), ("Mallory", 403)])
def test_clients_have_no_such_stream(app, cast, live_app, rollout, who, status):
    with listening(live_app, app, cast, who, rollout) as stream:
        assert stream.answer.status_code == status


def test_what_is_not_one_s_own_is_not_there(app, cast, live_app, rollout):
    foreign = fleet.draft(app, cast, slugs=("globex",))
    foreign.act("Leo", services.submit_campaign, at=time.now())
    with listening(live_app, app, cast, "Tina", foreign) as stream:
        assert stream.answer.status_code == 404
    with listening(live_app, app, cast, "Nadia", foreign) as stream:
        assert stream.answer.status_code == 200
    assert live_app.test_client().get("/streams/campaigns/junk").status_code == 401


def test_without_a_session_nobody_listens(app, live_app, rollout):
    with app.app_context(), rollout.seen():
        path = f"/streams/campaigns/{rollout.load().public_id}"
    assert live_app.test_client().get(path).status_code == 401


def test_a_person_has_six_streams_and_the_process_as_many_as_it_may(
    app, cast, live_app, rollout, monkeypatch
):
    monkeypatch.setattr(streams, "PER_PERSON", 1)
    with listening(live_app, app, cast, "Nadia", rollout):
        with listening(live_app, app, cast, "Nadia", rollout) as second:
            assert second.answer.status_code == 429
        live_app.extensions["streams"].most = 1
        with listening(live_app, app, cast, "Leo", rollout) as other:
            assert other.answer.status_code == 503
    with listening(live_app, app, cast, "Nadia", rollout) as again:
        assert again.answer.status_code == 200, "a seat that was left is free, though nothing had been read"


def test_a_session_that_ends_ends_its_stream(app, cast, live_app, rollout):
    with listening(live_app, app, cast, "Nadia", rollout) as stream:
        stream.next()
        end_sessions(app)
        assert stream.next("end") == "end"
        assert list(stream._parts) == []


def end_sessions(app):
    with app.app_context(), enter(gate()):
        db.session.execute(update(SignInSession).values(revoked_at=time.now()))
        db.session.commit()


def test_a_process_that_is_told_to_stop_ends_its_streams(app, cast, live_app, rollout):
    with listening(live_app, app, cast, "Nadia", rollout) as stream:
        stream.next()
        live_app.extensions["streams"].is_serving = lambda: False
        assert list(stream._parts) == []


def test_a_stream_ends_when_the_database_does_not_answer(app, cast, live_app, rollout, monkeypatch):
    monkeypatch.setattr(live_app.extensions["streams"], "_read", lambda _one: None)
    with listening(live_app, app, cast, "Nadia", rollout) as stream:
        stream.next()
        assert list(stream._parts) == []


def test_only_the_portal_s_own_pages_may_read_it(app, cast, live_app, rollout):
    with listening(live_app, app, cast, "Nadia", rollout, Origin=PAGES) as stream:
        assert stream.answer.headers["Access-Control-Allow-Origin"] == PAGES
        assert stream.answer.headers["Access-Control-Allow-Credentials"] == "true"
    with listening(live_app, app, cast, "Nadia", rollout, Origin="http://elsewhere.test") as stream:
        assert "Access-Control-Allow-Origin" not in stream.answer.headers


def test_pages_may_listen_where_streams_are_served(app, cast, rollout, sign_in, monkeypatch):
    elsewhere = replace(app.extensions["settings"], live_url="http://portal.test:8443")
    monkeypatch.setitem(app.extensions, "settings", elsewhere)
    monkeypatch.setitem(app.config, "CSP", headers.policy(live_at=elsewhere.live_url))
    with app.app_context(), rollout.seen():
        page = f"/console/campaigns/{rollout.load().public_id}"
    answer = sign_in("Nadia").get(page)
    assert "connect-src 'self' http://portal.test:8443;" in answer.headers["Content-Security-Policy"]
    assert f'data-stream="http://portal.test:8443/streams{page.removeprefix("/console")}"' in answer.text
    assert f'data-version="{version(app, cast, "Nadia", rollout)}"' in answer.text
