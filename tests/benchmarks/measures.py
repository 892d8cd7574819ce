"""What is measured: each call of the portal beside the yardstick's."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from urllib.parse import urlencode

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.benchmarks.loading import Loaded
from tests.benchmarks.requests import Ask


@dataclass(frozen=True)
class Measure:
    """A call, its yardstick, and the part of the yardstick's throughput that it has to reach."""

    name: str
    goal: float | None
    portal: list[Ask]
    skeleton: list[Ask]
    most_statements: int | None
    # Milliseconds that nineteen of twenty answers have to keep to, at a million tickets.
    most_ms: float | None = None


FOUND_WITHIN = 100


def measures(app: Flask, loaded: Loaded) -> list[Measure]:
    """The provider's queue, one ticket, opening a ticket by API, an agent's poll."""
    dice = random.Random(11)
    cookie = {"Cookie": f"portal={_cookie(app, loaded.session)}"}
    bare = {"Cookie": f"session={_cookie(app, loaded.session)}"}
    page = [Ask("GET", "/page", bare)]
    codes = dice.sample(loaded.codes, len(loaded.codes))
    agents = dice.sample(loaded.agents, len(loaded.agents))
    tokens = dice.sample(loaded.tokens, len(loaded.tokens))
    searches = {
        "rare word": [f"kata{dice.randrange(30_000)}" for _ in range(200)],
        "common word": ["printer"],
        "two words": ["genting print"],
        "asset": [f"kasir-{dice.randrange(3_000)}" for _ in range(200)],
        "file name": [f"berkas-{dice.randrange(30_000)}.pdf" for _ in range(200)],
    }
    return [
        *(
            Measure(
                f"search, {name}", None, [_searching(one, cookie) for one in asked], page, None, FOUND_WITHIN
            )
            for name, asked in searches.items()
        ),
        Measure(
            "search, code",
            None,
            [replace(_searching(code, cookie), status=302) for code in codes],
            page,
            None,
            FOUND_WITHIN,
        ),
        Measure("queue", 0.6, [Ask("GET", "/desk/", cookie)], page, 6),
        Measure("ticket", 0.6, [Ask("GET", f"/desk/tickets/{code}", cookie) for code in codes], page, 6),
        Measure(
            "open by API",
            None,
            [_opening("/api/v1/tickets", token) for token in tokens],
            [_opening("/insert", token) for token in tokens],
            None,
        ),
        Measure(
            "poll",
            0.65,
            [_poll(*agent) for agent in agents],
            [Ask("GET", f"/check-in/{token.replace(' ', '%20')}", {}) for _slug, _name, token in agents],
            3,
        ),
    ]


def _searching(words: str, headers: dict[str, str]) -> Ask:
    return Ask("GET", f"/desk/search?{urlencode({'q': words})}", headers)


def _cookie(app: Flask, token: str) -> str:
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    signed = serializer.dumps({"_user_id": token, "_fresh": True})
    return signed if isinstance(signed, str) else signed.decode()


_number = count(1)


def _opening(path: str, token: str) -> Ask:
    body = {"subject": f"Printer {next(_number)}", "body": "Smoke.", "impact": "medium", "urgency": "high"}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return Ask("POST", path, headers, json.dumps(body).encode(), 201)


def _poll(slug: str, name: str, token: str) -> Ask:
    return Ask("GET", f"/ddi/{slug}/controller/v1/{name}", {"Authorization": f"TargetToken {token}"})


def count_statements(app: Flask, ask: Ask, listen: Callable[[Callable[..., None]], None]) -> int:
    """How many statements one call sends, in this process; the second call, when everything is warm."""
    seen: list[str] = []
    listen(lambda _connection, _cursor, statement, *_more: seen.append(statement))
    client = app.test_client(use_cookies=False)
    for _ in range(2):
        seen.clear()
        answer = client.open(ask.path, method=ask.method, headers=ask.headers, data=ask.body)
        if answer.status_code != ask.status:
            raise RuntimeError(f"{ask.path}: {answer.status_code} {answer.data[:300]!r}")
    return len(seen)


def warm_up(asks: Sequence[Ask]) -> list[Ask]:
    """The first few of each, so that every worker has compiled what it needs."""
    return list(asks[:40]) * (1 + 20 // len(asks[:40]))
