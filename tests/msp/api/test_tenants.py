"""Clients through the API."""

import pytest


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        ("Alice", ["acme"]),
        ("Bob", ["acme"]),
        ("Mallory", ["globex"]),
        ("Tina", ["acme"]),
        ("Leo", ["acme", "globex", "provider"]),
        ("Owen", ["acme", "globex", "provider"]),
    ],
)
def test_everybody_sees_the_clients_that_are_theirs(call, name, slugs):
    listed = call(name).get("/tenants").get_json()
    assert sorted(one["slug"] for one in listed["items"]) == slugs
    for slug in ("acme", "globex", "provider", "nobody"):
        answer = call(name).get(f"/tenants/{slug}")
        assert answer.status_code == (200 if slug in slugs else 404)
    assert call(name).get("/tenants/nobody").data == call(name).get("/nothing").data


def test_a_client_s_document(call):
    found = call("Alice").get("/tenants/acme").get_json()
    assert found == {
        "slug": "acme",
        "prefix": "ACME",
        "name": "Acme",
        "kind": "client",
        "state": "active",
        "time_zone": "Asia/Jakarta",
        "language": "id",
        "created_at": "2026-01-05T02:00:00Z",
    }


def test_pages_follow_each_other(call):
    first = call("Owen").get("/tenants", limit=2).get_json()
    second = call("Owen").get("/tenants", limit=2, after=first["next"]).get_json()
    assert [one["slug"] for one in first["items"] + second["items"]] == ["acme", "globex", "provider"]
    assert second["next"] is None


def test_words_and_states_narrow(call, fields):
    assert [one["slug"] for one in call("Owen").get("/tenants", q="GLOB").get_json()["items"]] == ["globex"]
    assert call("Owen").get("/tenants", state="suspended").get_json()["items"] == []
    assert fields(call("Owen").get("/tenants", state="gone")) == ["state"]
