"""`Idempotency-Key`: what is sent again creates once."""

import threading
from datetime import timedelta

from msp.api.idempotency import forget_old_answers
from tenants.foundation import time

NEW = {"tenant": "acme", "subject": "Printer on fire", "body": "Smoke.", "impact": "low", "urgency": "low"}


def count(superuser, table="tickets"):
    return superuser.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_the_same_key_and_body_give_the_same_answer(call, superuser):
    first = call("Bob").post("/tickets", NEW, key="k1")
    again = call("Bob").post("/tickets", dict(reversed(NEW.items())), key="k1")
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert count(superuser) == 1


def test_another_body_or_path_is_refused_and_named(call, superuser, fields):
    code = call("Bob").post("/tickets", NEW, key="k1").get_json()["code"]
    other = call("Bob").post("/tickets", NEW | {"subject": "Another"}, key="k1")
    assert other.status_code == 422
    assert fields(other) == ["Idempotency-Key"]
    assert call("Bob").post(f"/tickets/{code}/messages", {"body": "x"}, key="k1").status_code == 422
    assert (count(superuser), count(superuser, "messages")) == (1, 1)


def test_keys_belong_to_their_token(call, superuser):
    assert call("Bob").post("/tickets", NEW, key="k1").status_code == 201
    assert call("Alice").post("/tickets", NEW, key="k1").get_json()["requester"]["name"] == "Alice"
    assert count(superuser) == 2


def test_a_refusal_keeps_no_key(call, superuser):
    assert call("Bob").post("/tickets", NEW | {"impact": "huge"}, key="k1").status_code == 422
    assert call("Bob").post("/tickets", NEW, key="k1").status_code == 201
    assert count(superuser) == 1


def test_a_step_is_not_made_twice(call):
    code = call("Bob").post("/tickets", NEW).get_json()["code"]
    path = f"/tickets/{code}/transitions"
    first = call("Tina").post(path, {"to": "in_progress"}, key="s1")
    call("Tina").post(path, {"to": "resolved"})
    assert call("Tina").post(path, {"to": "in_progress"}, key="s1").data == first.data
    assert call("Tina").get(f"/tickets/{code}").get_json()["state"] == "resolved"


def test_every_creation_takes_a_key(call, superuser):
    asset = {"tenant": "acme", "name": "acme-srv-9"}
    code = call("Bob").post("/tickets", NEW).get_json()["code"]
    for path, body, who, table in (
        ("/assets", asset, "Leo", "assets"),
        (f"/tickets/{code}/messages", {"body": "Hello"}, "Tina", "messages"),
    ):
        before = count(superuser, table)
        answers = {call(who).post(path, body, key=path).data for _ in range(3)}
        assert len(answers) == 1
        assert count(superuser, table) == before + 1


def test_concurrent_twins_create_once(app, call, superuser):
    bob = call("Bob")
    answers = []

    def send():
        client = app.test_client()
        headers = bob.headers() | {"Idempotency-Key": "twin"}
        answers.append(client.post("/api/v1/tickets", json=NEW, headers=headers))

    twins = [threading.Thread(target=send) for _ in range(4)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert {one.status_code for one in answers} == {201}
    assert len({one.data for one in answers}) == 1
    assert count(superuser) == 1


def test_keys_that_are_none_are_named(call, fields):
    for key in ("", "x" * 201, "schl\u00fcssel"):
        answer = call("Bob").post("/tickets", NEW, key=key)
        assert answer.status_code == 422
        assert fields(answer) == ["Idempotency-Key"]


def test_after_a_day_a_key_is_free_again(app, call, superuser):
    call("Bob").post("/tickets", NEW, key="k1")
    with time.frozen(time.now() + timedelta(hours=25)):
        assert call("Bob").post("/tickets", NEW | {"subject": "Another"}, key="k1").status_code == 201
    assert count(superuser) == 2


def test_old_answers_are_forgotten(app, call, superuser):
    call("Bob").post("/tickets", NEW, key="k1")
    with app.app_context():
        forget_old_answers()
        assert count(superuser, "idempotent_answers") == 1
        with time.frozen(time.now() + timedelta(hours=25)):
            forget_old_answers()
    assert count(superuser, "idempotent_answers") == 0
