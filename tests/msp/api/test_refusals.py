"""How every call refuses: without token, with too little, with what is not one's own, and with what cannot be read."""

import uuid

import pytest

from msp.api.document import operations
from msp.web import limits
from tests import tickets

TICKET = {
    "tenant": "acme",
    "subject": "Printer on fire",
    "body": "Smoke.",
    "impact": "high",
    "urgency": "high",
}


def paths(app, **values):
    """Every operation with its path filled in."""
    usual = {"slug": "acme", "code": "ACME-2222-2222", "id": str(uuid.uuid4()), **values}
    for rule, method in operations(app):
        path = rule.rule
        for name, value in usual.items():
            path = path.replace(f"<{name}>", value)
        yield method, path


def test_without_a_token_everything_is_401(app, client):
    for method, path in paths(app):
        answer = client.open(path, method=method.upper(), json={} if method == "post" else None)
        assert answer.status_code == 401, path
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_unknown_token_is_no_token(client, cast):
    answer = client.get("/api/v1/tickets", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


def test_a_signed_in_browser_is_nobody_here(sign_in):
    """A foreign page could make a browser send its cookie, never a header."""
    assert sign_in("Alice").get("/api/v1/tickets").status_code == 401


def test_the_token_s_rights_are_a_part_of_its_maker_s(app, superuser, call):
    superuser.execute("UPDATE api_tokens SET permissions = '[\"api.use\"]'")
    caller = call("Owen")
    superuser.execute("UPDATE api_tokens SET permissions = '[\"api.use\"]'")
    assert caller.get("/tickets").status_code == 403
    assert caller.get("/tenants/acme").status_code == 403


def test_rights_of_another_tenant_never_help(superuser, call):
    """A revoked token is unknown at once."""
    caller = call("Alice")
    assert caller.get("/tenants").status_code == 200
    superuser.execute("UPDATE api_tokens SET revoked_at = now()")
    assert caller.get("/tenants").status_code == 401


@pytest.mark.parametrize("name", ["Alice", "Bob", "Tina", "Owen"])
def test_what_is_not_there_is_404_byte_for_byte(app, cast, call, name):
    """A foreign ticket's code, a code never issued and one mistyped: nobody can tell them apart."""
    foreign = tickets.opened(app, cast, slug="globex")
    if name == "Owen":
        foreign = "GLBX-2222-2222"
    answers = set()
    for code in (foreign, "ACME-2345-6789", "ACME-7K3Q", "x", str(uuid.uuid4()), "ACME-%00"):
        answer = call(name).get(f"/tickets/{code}")
        assert answer.status_code == 404
        answers.add(answer.data)
    assert answers == {call(name).get("/nothing/here").data}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "{'a': 1}",
        '{"a": NaN}',
        b"\xff\xfe",
        "[" * 100_000,
        '{"a": 1e999999}x',
        '{"subject": "\ud800"'.encode("utf-8", "surrogatepass"),
    ],
)
def test_what_is_not_json_is_400(call, body):
    caller = call("Bob")
    answer = caller.client.post(
        "/api/v1/tickets", data=body, content_type="application/json", headers=caller.headers()
    )
    assert answer.status_code == 400
    assert answer.get_json()["detail"]


@pytest.mark.parametrize("body", ["[]", "null", "1", '"x"'])
def test_json_that_is_no_object_is_422(call, body):
    caller = call("Bob")
    answer = caller.client.post(
        "/api/v1/tickets", data=body, content_type="application/json", headers=caller.headers()
    )
    assert answer.status_code == 422
    assert answer.get_json()["errors"]


def test_other_kinds_of_body_are_415(call):
    caller = call("Bob")
    answer = caller.client.post("/api/v1/tickets", data={"subject": "x"}, headers=caller.headers())
    assert answer.status_code == 415


def test_a_body_too_large_is_413(call):
    answer = call("Bob").post("/tickets", TICKET | {"body": "x" * 2_000_000})
    assert answer.status_code == 413


def test_unknown_members_are_named_and_a_time_is_never_taken(call, fields):
    answer = call("Bob").post("/tickets", TICKET | {"at": "2020-01-01T00:00:00Z", "colour": "red"})
    assert answer.status_code == 422
    assert sorted(fields(answer)) == ["at", "colour"]


def test_text_that_cannot_be_stored_is_named(call, fields):
    answer = call("Bob").post("/tickets", TICKET | {"subject": "a\x00b", "body": "\ud800"})
    assert answer.status_code == 422
    assert sorted(fields(answer)) == ["body", "subject"]
    assert fields(call("Bob").get("/tickets", q="a\x00b")) == ["q"]


def test_every_list_refuses_what_is_no_page(app, call, cast, fields):
    code = tickets.opened(app, cast)
    for path in ("/tenants", "/tickets", f"/tickets/{code}/events", "/assets", "/contracts", "/campaigns"):
        for query, field in (
            ({"limit": "0"}, "limit"),
            ({"limit": "201"}, "limit"),
            ({"limit": "x"}, "limit"),
            ({"after": "nonsense"}, "after"),
            ({"after": "WzFd"}, "after"),
            ({"colour": "red"}, "colour"),
        ):
            answer = call("Owen").get(path, **query)
            if (path, query) in [
                (f"/tickets/{code}/events", {"after": "WzFd"}),
                ("/campaigns", {"after": "WzFd"}),
            ]:
                assert answer.status_code == 200
                continue
            assert answer.status_code == 422, (path, query)
            assert fields(answer) == [field]


def test_a_method_that_is_not_there_is_405(call):
    caller = call("Bob")
    answer = caller.client.delete("/api/v1/tickets", headers=caller.headers())
    assert answer.status_code == 405
    assert answer.content_type == "application/problem+json"


def test_too_many_requests_are_429_per_credential(call, monkeypatch):
    monkeypatch.setattr(limits, "API", "3/minute")
    answers = [call("Bob").get(path) for path in ("/tenants", "/tickets", "/tenants/acme", "/tickets")]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[3].headers["Retry-After"]) <= 60
    assert answers[3].content_type == "application/problem+json"
    assert call("Mallory").get("/tickets").status_code == 200


def test_posts_need_no_csrf_token(app, call):
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        assert call("Bob").post("/tickets", TICKET).status_code == 201
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_refusals_speak_the_caller_s_language(superuser, call):
    superuser.execute("UPDATE users SET language = 'id'")
    assert call("Bob").post("/tickets", {}).status_code == 422
