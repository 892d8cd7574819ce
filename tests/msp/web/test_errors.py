"""Refusals become pages for people and problem documents for programs."""

import pytest

from msp.web.assets import asset
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound, TooMany

CASES = {
    "conflict": (Conflict("no", allowed=["a", "b"]), 409),
    "forbidden": (Forbidden(), 403),
    "invalid": (Invalid("name", "too long"), 422),
    "not-found": (NotFound(), 404),
    "too-many": (TooMany("slow down", retry_after=7), 429),
}


@pytest.fixture
def raising(app, monkeypatch):
    """Let the liveness view raise, on both kinds of paths."""

    def install(error):
        def view():
            raise error

        view._access = app.view_functions["health.show_liveness"]._access
        monkeypatch.setitem(app.view_functions, "health.show_liveness", view)
        monkeypatch.setitem(app.view_functions, "account.sign_in", view)

    return install


@pytest.mark.parametrize("case", CASES)
def test_for_programs(raising, client, case):
    error, status = CASES[case]
    raising(error)
    answer = client.get("/healthz")
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["status"] == status
    if case == "invalid":
        assert answer.get_json()["errors"] == [{"field": "name", "message": "too long"}]
    if case == "conflict":
        assert answer.get_json()["allowed"] == ["a", "b"]
    if case == "too-many":
        assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize("case", CASES)
def test_for_people(raising, client, case):
    error, status = CASES[case]
    raising(error)
    answer = client.get("/sign-in")
    assert answer.status_code == status
    assert answer.content_type.startswith("text/html")
    assert "<html" in answer.text


def test_an_unknown_address_is_a_plain_404(client):
    answer = client.get("/portal/no-such-page?probe=<script>")
    assert answer.status_code == 404
    assert "<script>" not in answer.text
    assert "probe" not in answer.text


def test_a_crash_tells_nothing(raising, client):
    raising(RuntimeError("the secret plan"))
    answer = client.get("/sign-in")
    assert answer.status_code == 500
    assert "secret plan" not in answer.text


def test_a_lost_database_is_503_and_then_goes_on(app, client, superuser):
    from tenants.foundation.db import db

    assert client.get("/readyz").status_code == 200
    superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'portal_app' AND datname = current_database()"
    )
    assert client.get("/readyz").status_code in (200, 503)
    assert client.get("/readyz").status_code == 200
    with app.app_context():
        db.engine.dispose()


def test_security_headers_are_on_every_answer(client):
    for address in ("/sign-in", "/healthz", "/no-such-page"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "private, no-store"


def test_files_with_their_content_in_the_address_are_kept_by_the_browser(app, client):
    with app.test_request_context():
        own, vendor = asset("css/portal.css"), asset("bootstrap.css")
    for address in (own, vendor):
        with client.get(address) as answer:
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    with client.get("/static/css/portal.css") as plain:
        assert plain.headers["Cache-Control"] == "no-cache"
    assert "Cache-Control" not in client.get("/static/no-such.css?v=1").headers


def test_the_host_header_decides_nothing(client):
    answer = client.get("/portal/", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.headers.get("Location", "")
    assert "evil" not in answer.text


def test_a_wrong_method_has_our_look(client):
    answer = client.delete("/sign-in")
    assert answer.status_code == 405
    assert "<html" in answer.text
