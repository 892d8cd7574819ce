"""Limits count in PostgreSQL: exactly, for many at once, and with Redis gone."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import redis

from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import TooMany
from tenants.foundation.scope import enter, gate
from tenants.people import limits
from tests.personas import PASSWORD, email

AT = datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
FEW = limits.Limit("few", 3, timedelta(hours=1))


@pytest.fixture
def take(app, database):
    def once(limit=FEW, of="somebody", at=AT):
        with app.app_context():
            try:
                limits.take_at_once(limit, of, at=at)
            except TooMany as refused:
                return refused.retry_after
        return 0

    return once


def test_the_fourth_of_three_is_refused(take):
    assert [take() > 0 for _one in range(5)] == [False, False, False, True, True]
    assert take(of="somebody else") == 0


def test_refused_tries_do_not_prolong_the_wait(take):
    for _one in range(3):
        take()
    wait = take()
    for minutes in (10, 20, 30):
        assert take(at=AT + timedelta(minutes=minutes)) == wait - minutes * 60
    assert take(at=AT + timedelta(seconds=wait)) == 0


def test_never_more_than_allowed_in_any_hour(take):
    taken = []
    for minute in range(0, 300, 3):
        at = AT + timedelta(minutes=minute)
        if take(at=at) == 0:
            taken.append(at)
    for first in taken:
        assert sum(first <= one < first + timedelta(hours=1) for one in taken) <= 3
    assert len(taken) >= 9


def test_many_at_once_are_counted_one_by_one(app, take):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(take())) for _one in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(answer == 0 for answer in answers) == 3


def test_what_turned_out_right_is_given_back(app, take):
    for _one in range(20):
        assert take() == 0
        with app.app_context(), enter(gate()):
            limits.give_back(FEW, "somebody", at=AT)
            db.session.commit()


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("rubbish", "unknown"),
        (None, "unknown"),
    ],
)
def test_sources(address, source):
    assert limits.source_of(address) == source


def test_old_counts_are_forgotten(app, superuser, take):
    take()
    with app.app_context(), enter(gate()):
        limits.forget_old(at=AT + timedelta(hours=4))
        db.session.commit()
    assert superuser.execute("SELECT count(*) FROM attempts").fetchone() == (0,)


@pytest.fixture
def no_redis(app):
    """Redis is gone: its place is a socket that nobody listens on."""
    working = app.extensions["redis"]
    app.extensions["redis"] = redis.Redis(unix_socket_path="/nonexistent/redis.sock", socket_timeout=1)
    yield
    app.extensions["redis"] = working


def sign_in(client, name, password=PASSWORD, address="198.51.100.1"):
    data = {"email": email(name), "password": password}
    return client.post("/sign-in", data=data, environ_base={"REMOTE_ADDR": address})


def test_an_account_is_tried_ten_times_an_hour_from_however_many_places(app, cast, no_redis):
    with time.frozen(AT):
        answers = [
            sign_in(app.test_client(), "Alice", "wrong wrong wrong", f"198.51.100.{one}").status_code
            for one in range(14)
        ]
    assert answers == [401] * 10 + [429] * 4


def test_the_limit_says_when_to_come_back_and_the_same_for_nobody(app, cast, no_redis):
    with time.frozen(AT):
        for name in ("Alice", "Nobody"):
            for one in range(10):
                assert (
                    sign_in(app.test_client(), name, "wrong wrong wrong", f"198.51.100.{one}").status_code
                    == 401
                )
        known = sign_in(app.test_client(), "Alice")
        unknown = sign_in(app.test_client(), "Nobody")
    assert known.status_code == unknown.status_code == 429
    assert known.headers["Retry-After"] == unknown.headers["Retry-After"]
    assert known.data == unknown.data
    with time.frozen(AT + timedelta(seconds=int(known.headers["Retry-After"]))):
        assert sign_in(app.test_client(), "Alice").status_code == 302


def test_the_owner_gets_in_from_a_known_device_all_the_same(app, cast, no_redis):
    home = app.test_client()
    with time.frozen(AT):
        assert sign_in(home, "Alice", address="203.0.113.9").status_code == 302
        home.post("/sign-out")
        for one in range(12):
            sign_in(app.test_client(), "Alice", "wrong wrong wrong", f"198.51.100.{one}")
        assert sign_in(app.test_client(), "Alice", address="203.0.113.9").status_code == 429
        assert sign_in(home, "Alice", address="203.0.113.9").status_code == 302
        home.post("/sign-out")
        tries = [sign_in(home, "Alice", "wrong wrong wrong", "203.0.113.9").status_code for _one in range(11)]
        assert tries == [401] * 10 + [429]


def test_a_device_of_one_is_no_device_of_another(app, cast):
    home = app.test_client()
    with time.frozen(AT):
        sign_in(home, "Bob")
        for one in range(10):
            sign_in(app.test_client(), "Alice", "wrong wrong wrong", f"198.51.100.{one}")
        assert sign_in(home, "Alice").status_code == 429


def test_a_source_is_limited_over_all_accounts(app, cast, no_redis):
    with time.frozen(AT):
        answers = [
            sign_in(app.test_client(), f"person{one}", "wrong wrong wrong").status_code for one in range(32)
        ]
        assert answers == [401] * 30 + [429] * 2
        assert sign_in(app.test_client(), "Alice", address="203.0.113.9").status_code == 302


def test_right_passwords_are_not_counted(app, cast):
    with time.frozen(AT):
        assert {sign_in(app.test_client(), "Alice").status_code for _one in range(15)} == {302}


def test_typed_addresses_are_not_stored(app, superuser, cast):
    sign_in(app.test_client(), "Alice", "wrong wrong wrong")
    subjects = [one for (one,) in superuser.execute("SELECT subject FROM attempts").fetchall()]
    assert subjects
    assert not any("alice" in one or "198" in one for one in subjects)
