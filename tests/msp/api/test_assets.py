"""Assets through the API."""

import uuid

import pytest

NEW = {"tenant": "acme", "name": "acme-srv-9", "kind": "server", "serial": "SN-9", "tags": ["Rack", "rack"]}


@pytest.fixture
def made(call):
    return call("Leo").post("/assets", NEW).get_json()


def test_entering_and_reading(call, made):
    assert (made["tenant"], made["name"], made["kind"], made["state"]) == (
        "acme",
        "acme-srv-9",
        "server",
        "active",
    )
    assert made["tags"] == ["rack"]
    assert call("Tina").get(f"/assets/{made['id']}").get_json() == made
    shown = call("Alice").get(f"/assets/{made['id']}").get_json()
    assert shown["notes"] is None
    listed = call("Alice").get("/assets", name="acme-srv-9").get_json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert call("Alice").get("/assets", name="acme-srv").get_json()["items"] == []


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("Alice", 403),
        ("Bob", 403),
        ("Tina", 403),
        ("Dana", 403),
        ("Leo", 201),
        ("Nadia", 201),
        ("Mia", 201),
        ("Owen", 201),
    ],
)
def test_who_may_enter_assets(call, name, status):
    assert call(name).post("/assets", NEW).status_code == status


def test_a_client_s_user_sees_none(call, made):
    assert call("Bob").get("/assets").status_code == 403
    assert call("Bob").get(f"/assets/{made['id']}").status_code == 403


def test_a_foreign_asset_is_unknown(call, made):
    theirs = call("Leo").post("/assets", NEW | {"tenant": "globex", "serial": "SN-10"}).get_json()["id"]
    for name in ("Alice", "Tina"):
        answers = [call(name).get(f"/assets/{one}") for one in (theirs, uuid.uuid4(), "x", "acme-srv-9")]
        assert {one.status_code for one in answers} == {404}
        assert len({one.data for one in answers}) == 1
        assert theirs not in call(name).get("/assets", limit=200).get_data(as_text=True)
    assert theirs in call("Mallory").get("/assets").get_data(as_text=True)
    assert (
        call("Tina").get("/assets", tenant="globex").data == call("Tina").get("/assets", tenant="nobody").data
    )


def test_faults_are_named(call, fields, made):
    leo = call("Leo")
    assert sorted(fields(leo.post("/assets", {"colour": 1}))) == ["colour", "name", "tenant"]
    assert fields(leo.post("/assets", NEW | {"kind": "toaster"})) == ["kind"]
    assert fields(leo.post("/assets", NEW | {"tags": ["a b"]})) == ["tags"]
    assert fields(leo.post("/assets", NEW)) == ["serial"]
    assert leo.post("/assets", NEW | {"site": str(uuid.uuid4()), "serial": None}).status_code == 404
    assert leo.post("/assets", NEW | {"tenant": "nobody"}).status_code == 404


def test_retired_ones_are_hidden_from_clients(call, made, superuser):
    superuser.execute("UPDATE assets SET state = 'retired', retired_at = now() WHERE name = 'acme-srv-9'")
    assert call("Alice").get(f"/assets/{made['id']}").status_code == 404
    assert call("Alice").get("/assets", state="retired").status_code == 403
    assert call("Tina").get(f"/assets/{made['id']}").get_json()["state"] == "retired"
    assert len(call("Tina").get("/assets", state="retired").get_json()["items"]) == 1


def test_pages_follow_each_other(call):
    for number in range(5):
        call("Leo").post("/assets", {"tenant": "acme", "name": f"acme-x-{number}"})
    names, after = [], None
    while True:
        page = (
            call("Alice")
            .get("/assets", limit=2, q="acme-x", **({"after": after} if after else {}))
            .get_json()
        )
        names += [one["name"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert names == [f"acme-x-{number}" for number in range(5)]
