"""RQ with signed bodies and one allowed function.

A JSON serializer alone lets whoever can write to Redis run any dotted name. Here a body without our signature is
refused, the one function is looked up in our own table, and callbacks and webhooks of a stored job are ignored.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

import redis
import structlog
from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.job import Job

from tenants.foundation import work

log = structlog.get_logger()
QUEUES = ("default", "mail", "campaigns")
ENTRY = "msp.background.runner.run_work"
JOB_TIMEOUT = 300


class PlantedJob(PermissionError):
    """A job in Redis that we did not put there."""


class SignedJson:
    """Serializer: JSON behind an HMAC of the portal's secret key."""

    def __init__(self, secret_key: str) -> None:
        self._key = hashlib.sha256(b"job bodies\0" + secret_key.encode()).digest()
        self.__qualname__ = type(self).__qualname__  # RQ's worker asks for a name, as of a class

    def _sign(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha256).hexdigest().encode()

    def dumps(self, obj: Any, /) -> bytes:
        """Signature, a dot, and the JSON."""
        body = json.dumps(obj).encode()
        return self._sign(body) + b"." + body

    def loads(self, data: bytes, /) -> Any:
        """The body of a signed message. Raises PlantedJob for anything else."""
        signature, _, body = data.partition(b".")
        if not hmac.compare_digest(signature, self._sign(body)):
            raise PlantedJob("a job body without our signature")
        return json.loads(body)


class OnlyOurs(Job):
    """A job that can call the one entry point and nothing else, whatever Redis says."""

    @property
    def func(self) -> Callable[..., Any]:
        """The entry point. Raises PlantedJob for any other name."""
        if self.func_name != ENTRY:
            raise PlantedJob(f"{self.func_name!r} is not a job of ours")
        from msp.background.runner import run_work

        return run_work

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, *_: Any, **__: Any) -> None:
        """Never calls an address that somebody wrote into Redis."""


def connect(url: str, *, blocking: bool = False) -> "redis.Redis":
    """A client with short timeouts and no repeats; `blocking` for a worker, which waits on purpose."""
    waits = 600 if blocking else 1
    return redis.Redis.from_url(
        url, socket_timeout=waits, socket_connect_timeout=1, retry=Retry(NoBackoff(), 1 if blocking else 0)
    )


def queue(name: str, connection: Any, serializer: SignedJson) -> Queue:
    """One of our queues."""
    return Queue(name, connection=connection, serializer=serializer, job_class=OnlyOurs)


def ring(connection: Any, serializer: SignedJson, asked: Sequence[tuple[int, int, str]]) -> bool:
    """Ring for rows of work: ids only. Whether it worked matters little, the sweeper rings again."""
    try:
        for tenant_id, work_id, name in asked:
            queue(name, connection, serializer).enqueue(
                ENTRY,
                args=(tenant_id, work_id),
                job_timeout=JOB_TIMEOUT,
                result_ttl=0,
                failure_ttl=3600,
                ttl=120,
            )
    except RedisError as error:
        log.warning("doorbell not rung", error=type(error).__name__, rows=len(asked))
        return False
    return True


def list_backlogged(connection: Any) -> list[str]:
    """The queues in which rings wait for a worker; none while Redis is away."""
    try:
        return [name for name in QUEUES if connection.llen(f"rq:queue:{name}")]
    except RedisError:
        return []


def install(app: Flask) -> None:
    """Ring after each commit that asked for work."""
    app.extensions["job_serializer"] = SignedJson(app.config["SECRET_KEY"])
    work.on_doorbell(_ring_here)


def _ring_here(asked: Sequence[tuple[int, int, str]]) -> None:
    """Ring at the application whose transaction ended: a process of tests has several."""
    ours = current_app.extensions
    ring(ours["redis"], ours["job_serializer"], asked)
