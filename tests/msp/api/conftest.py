"""Calling the API as somebody of the cast."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

BASE = "/api/v1"


@dataclass
class Caller:
    """A client that sends one person's token."""

    client: FlaskClient
    token: str

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(BASE + path, query_string=query, headers=self.headers())

    def post(self, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> TestResponse:
        more = {"Idempotency-Key": key} if key is not None else {}
        return self.client.post(
            BASE + path, json={} if body is None else body, headers=self.headers() | more, **options
        )

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def call(app, cast, token) -> Callable[[str], Caller]:
    """`call("Tina").get("/tickets")`."""
    callers: dict[str, Caller] = {}

    def by(name: str) -> Caller:
        if name not in callers:
            callers[name] = Caller(app.test_client(), token(name))
        return callers[name]

    return by


@pytest.fixture
def fields() -> Callable[[TestResponse], list[str]]:
    """The fields that a 422 names."""
    return lambda answer: [one["field"] for one in answer.get_json()["errors"]]
