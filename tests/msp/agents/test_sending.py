"""Downloads that stall: one machine never holds up the files of the others."""

import http.client
import socket
from urllib.parse import urlsplit

import pytest

from msp.agents import sending
from tests.msp.agents.conftest import serving
from tests.msp.campaigns import fleet

LARGE = b"0123456789abcdef" * (1024 * 1024)


@pytest.fixture
def paths(app, cast, machine, stranger):
    """The signed address of the same large file for a machine of each client."""
    found = {}
    for one in (machine, stranger):
        fleet.start(fleet.draft(app, cast, slugs=(one.slug,), files=[("motd", LARGE)]))
        found[one.slug] = path_of(one)
    return found


def path_of(machine):
    chunk = machine.take(machine.offered())["deployment"]["chunks"][0]
    parts = urlsplit(chunk["artifacts"][0]["_links"]["download"]["href"])
    return f"{parts.path}?{parts.query}"


def stalled(base, path):
    """A client that asks for the file, reads how the answer begins and then takes nothing."""
    host = urlsplit(base)
    connection = socket.create_connection((host.hostname, host.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b" 200 " in connection.recv(64)
    return connection


def fetched(base, path):
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Retry-After"), answer.read()
    finally:
        connection.close()


def test_stalled_downloads_of_one_machine_hold_up_nobody_else(artifacts_app, paths):
    with serving(artifacts_app) as base:
        held = [stalled(base, paths["acme"]) for _ in range(sending.MOST_AT_ONCE)]
        try:
            assert fetched(base, paths["acme"])[:2] == (429, "30")
            assert fetched(base, paths["globex"]) == (200, None, LARGE)
        finally:
            for one in held:
                one.close()


@pytest.mark.parametrize(
    "headers", [{}, {"Range": "bytes=5-9"}, {"Range": "bytes=99999999-"}, {"If-Match": '"x"'}]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_was_sent_counts_no_more(artifacts_app, paths, headers, method):
    answers = set()
    for _ in range(sending.MOST_AT_ONCE + 1):
        with artifacts_app.test_client().open(paths["acme"], method=method, headers=headers) as answer:
            answers.add(answer.status_code)
    assert 429 not in answers
    assert not artifacts_app.extensions["sendings"]._open


def test_a_connection_that_takes_nothing_is_closed_after_a_while(artifacts_app, paths):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        given = {"gunicorn.socket": ours}
        with artifacts_app.test_client().get(paths["acme"], environ_overrides=given) as answer:
            assert answer.status_code == 200
        assert ours.gettimeout() == sending.STALLED_SECONDS
