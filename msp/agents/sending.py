"""How many files each machine is being sent, and for how long one that takes nothing is waited for.

The process that keeps artifacts has few threads, and each file takes one: no machine may have them all.
"""

import socket
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Response, request

from tenants.foundation.errors import TooMany

# A client downloads one file at a time; another place for the download that broke off and is not noticed yet.
MOST_AT_ONCE = 2
RETRY_AFTER = 30
STALLED_SECONDS = 30.0


class Sendings:
    """The files that are on their way. One process sends them all, so that they are counted in its memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[tuple[int, int]] = Counter()

    def begin(self, asset: tuple[int, int]) -> Callable[[], None]:
        """Count one more; returns what ends it, once however often it is called. Raises TooMany."""
        with self._lock:
            if self._open[asset] >= MOST_AT_ONCE:
                raise TooMany("two files at a time", retry_after=RETRY_AFTER)
            self._open[asset] += 1
        once = threading.Lock()

        def end() -> None:
            if not once.acquire(blocking=False):
                return
            with self._lock:
                self._open[asset] -= 1
                if not self._open[asset]:
                    del self._open[asset]

        return end


def call_when_sent(answer: Response, end: Callable[[], None]) -> None:
    """Call `end` when the server lets go of the file; it is handed to the server as it is, past the response."""
    file: Any = answer.response
    let_go = file.close

    def close() -> None:
        try:
            let_go()
        finally:
            end()

    file.close = close


def give_up_on_stalled() -> None:
    """Let the server close this connection when the client takes nothing for a while."""
    connection = request.environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.settimeout(STALLED_SECONDS)
