"""What went over the wire: every request to the portal with its answer, in order."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, request

Answer = Callable[[], Response | None]


def hurried(answer: Response) -> Response:
    """The same answer with a poll every second, so that a test need not wait for the half minute that is the least."""
    if answer.is_json and "config" in (content := answer.get_json() or {}):
        content["config"]["polling"]["sleep"] = "00:00:01"
        answer.set_data(json.dumps(content))
    return answer


@dataclass
class Wire:
    """Requests as (method, last part of the path, status), bodies of feedback, and what to answer instead."""

    seen: list[tuple[str, str, int]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    # Answers in place of the portal's, for the first path that contains the word.
    instead: dict[str, Answer] = field(default_factory=dict)
    change: Callable[[Response], Response] | None = hurried

    def count(self, method: str, word: str) -> int:
        return sum(one[0] == method and word in one[1] for one in self.seen)

    def answers(self, method: str, word: str) -> list[int]:
        return [one[2] for one in self.seen if one[0] == method and word in one[1]]

    def ends(self) -> list[tuple[str, str]]:
        """Execution and result of every closing report."""
        found = [one["status"] for one in self.said if isinstance(one.get("status"), dict)]
        return [
            (one["execution"], one["result"]["finished"]) for one in found if one["execution"] == "closed"
        ]


@contextmanager
def recording(app: Flask) -> Iterator[Wire]:
    """Record, and answer instead of the portal where a test says so."""
    wire = Wire()

    def before() -> Response | None:
        for word, answer in wire.instead.items():
            if word in request.path:
                return answer()
        return None

    def after(answer: Response) -> Response:
        if wire.change is not None:
            answer = wire.change(answer)
        if request.method in ("POST", "PUT"):
            try:
                said = json.loads(request.get_data(cache=True), strict=False)
                wire.said.append(said if isinstance(said, dict) else {"list": said})
            except (ValueError, TypeError):
                wire.said.append({})
        wire.headers.append(dict(request.headers))
        wire.seen.append((request.method, request.path, answer.status_code))
        return answer

    app.before_request_funcs.setdefault(None, []).insert(0, before)
    app.after_request_funcs.setdefault(None, []).append(after)
    try:
        yield wire
    finally:
        app.before_request_funcs[None].remove(before)
        app.after_request_funcs[None].remove(after)
