"""Asking: a few processes with one connection each, for a while; answers must be what they should."""

import http.client
import itertools
import multiprocessing
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ask:
    """One request and the status that it must get."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None
    status: int = 200


@dataclass(frozen=True)
class Answers:
    """How many were answered in how many seconds, and how many milliseconds one took: the median, and 19 of 20."""

    count: int
    seconds: float
    median_ms: float
    slow_ms: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


class _Connection(http.client.HTTPConnection):
    def __init__(self, place: Path) -> None:
        super().__init__("bench", timeout=30)
        self.place = place

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.place))


def ask_once(place: Path, ask: Ask) -> bytes:
    """One request on a fresh connection. Raises RuntimeError for any other status than the one that it must get."""
    connection = _Connection(place)
    try:
        connection.request(ask.method, ask.path, ask.body, ask.headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != ask.status:
        raise RuntimeError(f"{ask.method} {ask.path}: {answer.status} {body[:300]!r}")
    return body


def _keep_asking(place: Path, asks: Sequence[Ask], until: float) -> list[float]:
    taken = []
    for ask in itertools.cycle(asks):
        begun = time.perf_counter()
        if time.time() >= until:
            return taken
        ask_once(place, ask)
        taken.append(time.perf_counter() - begun)
    return taken


def load(place: Path, asks: Sequence[Ask], *, connections: int, seconds: float) -> Answers:
    """Ask with so many connections at once for so long; each has its share of the requests, or the only one."""
    context = multiprocessing.get_context("fork")
    shares = [asks[number::connections] or asks for number in range(connections)]
    with context.Pool(connections) as pool:
        begun = time.time()
        until = begun + seconds
        waiting = [pool.apply_async(_keep_asking, (place, share, until)) for share in shares]
        taken = [one for result in waiting for one in result.get(seconds + 60)]
    slow = statistics.quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0]
    return Answers(len(taken), time.time() - begun, statistics.median(taken) * 1000, slow * 1000)
