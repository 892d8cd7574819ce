"""Whose budget a request counts against: nobody gets a fresh one by a header that the view does not read."""

import pytest

PUBLIC, PAGE, API = "/follow/", "/console/agents/enrol", "/api/v1/tickets"


def left(client, path, authorization="", *, method="GET", address="203.0.113.9"):
    headers = {"Authorization": authorization} if authorization else {}
    answer = client.open(path, method=method, headers=headers, environ_base={"REMOTE_ADDR": address})
    return int(answer.headers["X-RateLimit-Remaining"])


@pytest.mark.parametrize("scheme", ["Bearer", "TargetToken", "Basic", "Nothing"])
@pytest.mark.parametrize("path", [PUBLIC, "/api/v1/openapi.json"])
def test_a_public_view_counts_the_address_whatever_header_is_sent(client, path, scheme):
    counts = [left(client, path, f"{scheme} {number}") for number in range(3)]
    assert counts == [counts[0], counts[0] - 1, counts[0] - 2]
    assert left(client, path, address="203.0.113.10") == counts[0]


def test_a_whole_network_of_one_host_is_one_address(client):
    first = left(client, PUBLIC, address="2001:db8::1")
    assert left(client, PUBLIC, address="2001:db8::2") == first - 1
    assert left(client, PUBLIC, address="2001:db8:1::1") == first


def test_a_page_counts_the_person_whatever_header_is_sent(sign_in):
    nadia, owen = sign_in("Nadia"), sign_in("Owen")
    first = left(nadia, PAGE, "Bearer 1", method="POST")
    assert left(nadia, PAGE, "Bearer 2", method="POST") == first - 1
    assert left(nadia, PAGE, "Bearer 3", method="POST", address="203.0.113.10") == first - 2
    assert left(owen, PAGE, "Bearer 1", method="POST") == first


def test_the_api_counts_the_token(client, token):
    first, second = (f"Bearer {token('Leo')}" for _ in range(2))
    whole = left(client, API, first)
    assert left(client, API, first) == whole - 1
    assert left(client, API, second) == whole
