"""The portal on a socket of its own, its background work done on demand, and its clock in the test's hand."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from msp import schedule
from msp.background import runner
from tenants.foundation import time
from tenants.foundation.db import db


class Portal:
    """The running portal: its address, its mail, and hands to do the background work at once."""

    def __init__(self, app: Flask, url: str, database: str, mails: Path) -> None:
        self.app, self.url, self.database, self.mails = app, url, database, mails
        self._moment: datetime | None = None
        self.streams: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request at the moment that is set."""
        with self.clock():
            return self.app(environ, start_response)

    def beside(self, app: Callable[..., Any]) -> Callable[..., Any]:
        """Another process of the installation, in which it is the same time."""

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            with self.clock():
                found: Iterable[bytes] = app(environ, start_response)
                return found

        return answer

    def end_streams(self) -> None:
        """No stream is open any more, and nothing is read for one: the database may go away."""
        hub = self.streams
        if hub is None:
            return
        hub.is_serving = lambda: False
        reader = hub._reader
        for _ in range(500):
            if hub.listeners == 0 and (reader is None or not reader.is_alive()):
                break
            threading.Event().wait(0.02)
        hub.is_serving = lambda: True
        with hub.app.app_context():
            db.engine.dispose()

    def clock(self) -> Any:
        """The moment that is set, in force; real time if none is. Each use is a millisecond later than the last."""
        if self._moment is None:
            return nullcontext()
        self._moment += timedelta(milliseconds=1)
        return time.frozen(self._moment)

    def set_clock(self, moment: datetime | None) -> None:
        """What time it is for the portal from now on; it has to lie in the past, since work falls due by real time."""
        self._moment = moment

    def later(self, **span: float) -> None:
        """Let time go by: `later(minutes=20)`."""
        assert self._moment is not None
        self._moment += timedelta(**span)

    def work(self) -> int:
        """Do all work that is due, as sweeper and workers would."""
        with self.app.app_context(), self.clock():
            for periodic in schedule.table():
                periodic.run()
            return runner.run_all_due()

    def mails_to(self, address: str) -> list[EmailMessage]:
        """What was sent to this address, the latest last."""
        files = sorted(self.mails.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [mail for mail in found if mail["To"] == address]  # type: ignore[misc]

    def forget_mails(self) -> None:
        """Empty the mailboxes."""
        for file in self.mails.glob("*.eml"):
            file.unlink()


@contextmanager
def serving(application: Callable[..., Any], port: int = 0) -> Iterator[str]:
    """The application on a loopback port; yields its address."""
    server = make_server("127.0.0.1", port, application, threaded=True)
    server.log_startup = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
