"""Behind proxies of ours everybody has an address of their own; without them nobody chooses one."""

from dataclasses import replace

import pytest
from flask import Flask, request

from msp.agents.artifacts import create_artifacts_app
from msp.app import create_app
from msp.campaigns.live import create_live_app
from msp.settings import SettingsRefused, load
from msp.web import proxies, streams
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.people import limits
from tests.msp.test_settings import GOOD

OURS = "192.0.2.1"


def called_from(app, forwarded, path="/probe"):
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test"}
    return app.test_client().get(path, headers=headers, environ_base={"REMOTE_ADDR": OURS}).text


@pytest.fixture
def behind():
    """An application behind so many proxies that says who called."""

    def build(number):
        app = Flask("probe")
        app.add_url_rule("/probe", "probe", lambda: f"{request.remote_addr} {request.host} {request.scheme}")
        proxies.install(app, number)
        return app

    return build


@pytest.mark.parametrize(
    ("number", "forwarded", "address"),
    [
        (0, "203.0.113.9", OURS),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 192.0.2.2", "203.0.113.9"),
        (2, "203.0.113.9", OURS),
    ],
)
def test_only_what_our_own_proxies_add_counts(behind, number, forwarded, address):
    assert called_from(behind(number), forwarded) == f"{address} localhost http"


@pytest.mark.parametrize("create", [create_app, create_artifacts_app, create_live_app])
@pytest.mark.parametrize("number", [0, 1])
def test_every_application_believes_them_alike(app, create, number):
    built = create(replace(app.extensions["settings"], trusted_proxies=number))
    try:
        seen = []
        built.before_request_funcs.setdefault(None, []).insert(0, lambda: seen.append(request.remote_addr))
        called_from(built, "203.0.113.9", "/healthz")
        assert seen == ["203.0.113.9" if number else OURS]
    finally:
        with built.app_context():
            db.engine.dispose()


@pytest.mark.parametrize("value", ["-1", "10", "one", "1.0", "²"])
def test_the_number_is_checked(value):
    assert load(GOOD).trusted_proxies == 0
    assert load(GOOD | {"TRUSTED_PROXIES": "2"}).trusted_proxies == 2
    with pytest.raises(SettingsRefused, match="TRUSTED_PROXIES"):
        load(GOOD | {"TRUSTED_PROXIES": value})


def test_one_caller_s_tries_are_not_another_s(app, database, behind):
    few = limits.Limit("few", 2, limits.HOUR)
    with app.app_context():
        for caller in ("203.0.113.1", "203.0.113.2"):
            for _ in range(2):
                address = called_from(behind(1), caller).split()[0]
                limits.take_at_once(few, limits.source_of(address), at=time.now())


class TestSeats:
    @pytest.fixture
    def hub(self, monkeypatch):
        monkeypatch.setattr(streams.Hub, "_read_on", lambda self: None)
        return streams.Hub(Flask("probe"), most=10)

    def test_guests_take_at_most_half_and_whoever_works_here_finds_a_seat(self, hub):
        for number in range(5):
            hub.sit("chat", streams.Guest(f"203.0.113.{number}"), {})
        with pytest.raises(streams.Full) as full:
            hub.sit("chat", streams.Guest("203.0.113.9"), {})
        assert not full.value.is_person
        for person in range(5):
            hub.sit("queue", person, {})
        with pytest.raises(streams.Full):
            hub.sit("queue", 99, {})

    def test_a_guest_s_seat_is_free_again_and_others_seats_are_not_guests(self, hub):
        for person in range(5):
            hub.sit("queue", person, {})
        for number in range(5):
            hub.sit("chat", streams.Guest(f"203.0.113.{number}"), {})
        hub.rise("chat", streams.Guest("203.0.113.0"))
        hub.sit("chat", streams.Guest("203.0.113.9"), {})
