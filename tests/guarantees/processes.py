"""Real workers and sweepers over a test's database, to be killed at will."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from flask import Flask

CHECKOUT = Path(__file__).parents[2]


def environment(app: Flask) -> dict[str, str]:
    """The application's settings as its processes read them."""
    settings = app.extensions["settings"]
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PUBLIC_URL": settings.public_url,
        "SECRET_KEY": settings.secret_key,
        "FILES_DIR": str(settings.files_dir),
        "LOG_LEVEL": "ERROR",
    }


class Kept:
    """A process that is started again whenever it has ended; `kill` is kill -9 for it and its children."""

    def __init__(self, app: Flask, *words: str) -> None:
        self._words = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        self._environment = environment(app)
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def keep(self) -> None:
        """Start it if it does not run."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self._words,
                cwd=CHECKOUT,
                env=self._environment,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self.starts += 1

    def kill(self) -> None:
        """End it at once, with the job that it has in hand."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def running(app: Flask, *commands: tuple[str, ...]) -> Iterator[list[Kept]]:
    """Processes for the length of a test."""
    kept = [Kept(app, *words) for words in commands]
    try:
        for one in kept:
            one.keep()
        yield kept
    finally:
        for one in kept:
            one.kill()


def until(condition: Callable[[], bool], *, seconds: float = 60, every: float = 0.1) -> bool:
    """Wait for something that other processes do; False when it does not come in time."""
    end = monotonic() + seconds
    while not condition():
        if monotonic() > end:
            return False
        threading.Event().wait(every)
    return True
