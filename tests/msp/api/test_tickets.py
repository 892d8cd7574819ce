"""Tickets through the API: the same rules as on the pages."""

import re
import uuid

import pytest

from msp.api.views import tickets as views
from tests import tickets

NEW = {"subject": "Printer on fire", "body": "It burns.", "impact": "medium", "urgency": "high"}
HAND_OVER = {"to_tier": "L2", "symptoms": "Smoke.", "tried": "Unplugged.", "told_requester": "Keep away."}
ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def code(app, cast):
    """A ticket of Bob's at Acme."""
    return tickets.opened(app, cast)


@pytest.fixture
def foreign(app, cast):
    """A ticket of Mallory's at Globex."""
    return tickets.opened(app, cast, slug="globex")


def test_a_client_opens_reads_and_finds_a_ticket(call):
    answer = call("Bob").post("/tickets", NEW)
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["tenant"], made["state"], made["priority"], made["source"]) == ("acme", "new", "P2", "api")
    assert made["requester"] == {"name": "Bob", "email": "bob@example.test"}
    assert made["messages"][0]["body"] == "It burns."
    assert ZULU.fullmatch(made["opened_at"])
    assert call("Bob").get(f"/tickets/{made['code'].lower()}").get_json() == made
    listed = call("Bob").get("/tickets").get_json()
    assert [one["code"] for one in listed["items"]] == [made["code"]]
    assert listed["next"] is None


def test_a_long_story_is_read_in_parts(call, code, monkeypatch, fields):
    """The newest messages first; each answer says where there are more."""
    monkeypatch.setattr(views, "MESSAGES", 2)
    for number in range(3):
        call("Bob").post(f"/tickets/{code}/messages", {"body": f"Message {number}", "kind": "public"})
    newest = call("Bob").get(f"/tickets/{code}").get_json()
    assert [one["body"] for one in newest["messages"]] == ["Message 1", "Message 2"]
    rest = call("Bob").get(f"/tickets/{code}", before=newest["earlier_messages"]).get_json()
    assert [one["body"] for one in rest["messages"]] == ["It burns since this morning.", "Message 0"]
    assert rest["earlier_messages"] is None
    for odd in ("x", "0", "-1", "9" * 30):
        assert fields(call("Bob").get(f"/tickets/{code}", before=odd)) == ["before"]


def test_staff_open_for_somebody(call):
    asked = NEW | {"tenant": "acme", "requester": "Bob@example.test"}
    assert call("Tina").post("/tickets", asked).get_json()["requester"]["name"] == "Bob"
    by_name = call("Tina").post("/tickets", asked | {"requester": "Somebody on the phone"}).get_json()
    assert by_name["requester"] == {"name": "Somebody on the phone", "email": None}
    assert call("Tina").post("/tickets", NEW | {"tenant": "acme"}).get_json()["requester"]["name"] == "Tina"


def test_staff_name_the_client(call, fields):
    answer = call("Leo").post("/tickets", NEW)
    assert answer.status_code == 422
    assert fields(answer) == ["tenant"]


def test_clients_ask_for_themselves(call, fields):
    answer = call("Bob").post("/tickets", NEW | {"requester": "alice@example.test"})
    assert answer.status_code == 422
    assert fields(answer) == ["requester"]


@pytest.mark.parametrize(
    "change",
    [
        {"subject": ""},
        {"subject": "x" * 201},
        {"impact": "huge"},
        {"urgency": 1},
        {"body": " "},
        {"kind": "wish"},
    ],
)
def test_each_field_s_fault_is_named(call, fields, change):
    answer = call("Bob").post("/tickets", NEW | change)
    assert answer.status_code == 422
    assert fields(answer) == list(change)


def test_all_faults_come_at_once(call, fields):
    assert sorted(fields(call("Bob").post("/tickets", {}))) == ["body", "impact", "subject", "urgency"]


@pytest.mark.parametrize("name", ["Bob", "Alice", "Tina"])
def test_a_foreign_client_is_as_unknown_as_none(call, name):
    answers = [call(name).post("/tickets", NEW | {"tenant": slug}) for slug in ("globex", "nobody", "x'--")]
    assert {one.status_code for one in answers} == {404}
    assert len({one.data for one in answers}) == 1


def test_a_foreign_asset_is_as_unknown_as_none(call, superuser):
    foreign = superuser.execute("SELECT public_id FROM assets WHERE name = 'globex-pc-1'").fetchone()[0]
    answers = [
        call("Tina").post("/tickets", NEW | {"tenant": "acme", "asset": str(one)})
        for one in (foreign, uuid.uuid4(), "x")
    ]
    assert {one.status_code for one in answers} == {404}
    assert len({one.data for one in answers}) == 1
    across = call("Leo").post("/tickets", NEW | {"tenant": "acme", "asset": str(foreign)})
    assert across.status_code == 422


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Bob", {"Bob"}),
        ("Alice", {"Bob", "Alice"}),
        ("Mallory", {"Mallory"}),
        ("Gus", set()),
        ("Tina", {"Bob", "Alice"}),
    ],
)
def test_everybody_lists_what_is_theirs(app, cast, call, name, seen):
    for who, slug in (("Bob", "acme"), ("Alice", "acme"), ("Mallory", "globex")):
        tickets.opened(app, cast, slug=slug, who=who)
    for query in ({}, {"state": "open"}, {"state": "new"}, {"q": "printer"}):
        items = call(name).get("/tickets", **query).get_json()["items"]
        assert {one["requester"]["name"] for one in items} == seen


def test_lists_are_narrowed_and_paged(app, cast, call):
    for minute in range(5):
        tickets.opened(app, cast, at=tickets.later(minutes=minute))
    call("Leo").post("/tickets", NEW | {"tenant": "globex", "impact": "high"})
    leo = call("Leo")
    assert len(leo.get("/tickets", tenant="acme").get_json()["items"]) == 5
    assert len(leo.get("/tickets", tenant="globex", priority="P1").get_json()["items"]) == 1
    assert len(leo.get("/tickets", assignee="nobody", tier="L1").get_json()["items"]) == 6
    assert leo.get("/tickets", assignee="me").get_json()["items"] == []
    assert leo.get("/tickets", assignee="tina@example.test").get_json()["items"] == []
    assert leo.get("/tickets", assignee="nobody@nowhere.test").status_code == 404
    for state in ("all", "open"):
        codes, after = [], None
        while after is not None or not codes:
            page = leo.get("/tickets", limit=2, state=state, **({"after": after} if after else {})).get_json()
            codes += [one["code"] for one in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert len(codes) == len(set(codes)) == 6
    assert leo.get("/tickets", tenant="nobody").status_code == 404
    assert (
        call("Tina").get("/tickets", tenant="globex").data
        == call("Tina").get("/tickets", tenant="nobody").data
    )


def test_only_staff_ask_for_assignees(call, fields):
    assert fields(call("Alice").get("/tickets", assignee="tina@example.test")) == ["assignee"]


def test_words_of_filters_are_checked(call, fields):
    answer = call("Leo").get("/tickets", state="solved", tier="L9", priority="P0")
    assert answer.status_code == 422
    assert sorted(fields(answer)) == ["priority", "state", "tier"]


def test_a_reply_and_a_note(call, code):
    said = call("Tina").post(f"/tickets/{code}/messages", {"body": "On our way."})
    assert said.status_code == 201
    assert said.get_json()["kind"] == "public"
    assert (
        call("Tina")
        .post(f"/tickets/{code}/messages", {"body": "Bring sand.", "kind": "internal"})
        .status_code
        == 201
    )
    seen = call("Tina").get(f"/tickets/{code}").get_json()
    assert [one["kind"] for one in seen["messages"]] == ["public", "public", "internal"]
    assert seen["state"] == "in_progress"
    shown = call("Bob").get(f"/tickets/{code}")
    assert "sand" not in shown.get_data(as_text=True)
    assert len(shown.get_json()["messages"]) == 2


def test_clients_write_no_notes(call, code):
    assert call("Bob").post(f"/tickets/{code}/messages", {"body": "x", "kind": "internal"}).status_code == 403
    assert call("Bob").post(f"/tickets/{code}/messages", {"body": "Still burning."}).status_code == 201


def test_transitions_and_what_is_allowed(call, code, fields):
    tina = call("Tina")
    path = f"/tickets/{code}/transitions"
    refused = tina.post(path, {"to": "closed"})
    assert refused.status_code == 409
    assert refused.get_json()["allowed"] == ["in_progress", "cancelled"]
    assert tina.post(path, {"to": "in_progress"}).get_json()["state"] == "in_progress"
    assert fields(tina.post(path, {"to": "waiting"})) == ["reason"]
    assert fields(tina.post(path, {"to": "waiting", "reason": "weather"})) == ["reason"]
    waits = tina.post(path, {"to": "waiting", "reason": "requester"}).get_json()
    assert (waits["state"], waits["waiting_reason"]) == ("waiting", "requester")
    assert tina.post(path, {"to": "resolved"}).get_json()["allowed_transitions"] == ["in_progress", "closed"]
    assert fields(tina.post(path, {"to": "solved"})) == ["to"]
    assert fields(tina.post(path, {"to": "closed", "at": "2020-01-01T00:00:00Z"})) == ["at"]


def test_clients_make_their_own_steps_only(call, code):
    bob = call("Bob")
    refused = bob.post(f"/tickets/{code}/transitions", {"to": "in_progress"})
    assert refused.status_code == 409
    assert refused.get_json()["allowed"] == ["cancelled"]
    assert bob.post(f"/tickets/{code}/transitions", {"to": "cancelled", "reason": "Out."}).status_code == 200


def test_handing_over(call, code, fields):
    assert call("Bob").post(f"/tickets/{code}/hand-overs", HAND_OVER).status_code == 403
    assert fields(call("Tina").post(f"/tickets/{code}/hand-overs", HAND_OVER | {"tried": ""})) == ["tried"]
    made = call("Tina").post(f"/tickets/{code}/hand-overs", HAND_OVER)
    assert made.status_code == 201
    assert made.get_json()["made_by"] == "Tina"
    assert call("Tina").get(f"/tickets/{code}").get_json()["tier"] == "L2"
    again = call("Tina").post(f"/tickets/{code}/hand-overs", HAND_OVER | {"to_tier": "L3"})
    assert again.status_code == 409


def test_history_for_both_sides(call, code):
    call("Tina").post(f"/tickets/{code}/messages", {"body": "Bring sand.", "kind": "internal"})
    call("Tina").post(f"/tickets/{code}/hand-overs", HAND_OVER)
    call("Leo").post(f"/tickets/{code}/messages", {"body": "Coming."})
    staff = call("Tina").get(f"/tickets/{code}/events").get_json()["items"]
    assert [one["seq"] for one in staff] == list(range(1, len(staff) + 1))
    assert "hand_over_made" in {one["kind"] for one in staff}
    client = call("Bob").get(f"/tickets/{code}/events").get_json()["items"]
    assert [one["kind"] for one in client] == ["opened", "message_added", "state_changed"]
    assert {one["data"].get("kind") for one in client} <= {"public", None}
    page = call("Bob").get(f"/tickets/{code}/events", limit=1).get_json()
    after = call("Bob").get(f"/tickets/{code}/events", limit=1, after=page["next"]).get_json()
    assert [after["items"][0]["kind"]] == ["message_added"]


@pytest.mark.parametrize("name", ["Bob", "Alice", "Tina"])
def test_a_foreign_ticket_is_unknown_through_every_door(call, foreign, name):
    caller = call(name)
    unknown = "GLBX-2222-2222"
    for path in ("", "/events", "/timers"):
        answers = {caller.get(f"/tickets/{one}{path}").data for one in (foreign, unknown)}
        assert len(answers) == 1
        assert caller.get(f"/tickets/{foreign}{path}").status_code == 404
    for path, body in (
        ("messages", {"body": "x"}),
        ("transitions", {"to": "cancelled"}),
        ("hand-overs", HAND_OVER),
    ):
        answers = [caller.post(f"/tickets/{one}/{path}", body) for one in (foreign, unknown)]
        assert {one.status_code for one in answers} <= {403, 404}
        assert len({one.data for one in answers}) == 1
    assert call("Mallory").get(f"/tickets/{foreign}").get_json()["state"] == "new"


def test_a_colleague_s_ticket_is_unknown_to_a_client_s_user(app, cast, call):
    hers = tickets.opened(app, cast, who="Alice")
    assert call("Bob").get(f"/tickets/{hers}").status_code == 404
    assert call("Alice").get(f"/tickets/{hers}").status_code == 200
