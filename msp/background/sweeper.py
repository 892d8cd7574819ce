"""The sweeper: finds due rows in PostgreSQL and rings for them, again and again. Several may run."""

import signal
import threading
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog
from flask import Flask

from msp.background import doorbell
from msp.background.periodic import Periodic
from tenants.foundation import work
from tenants.foundation.db import db
from tenants.foundation.scope import enter, sweeper

log = structlog.get_logger()
PAUSE_SECONDS = 0.5
RING_AGAIN_AFTER = timedelta(seconds=3)
BATCH = 200


def sweep_due_work(app: Flask) -> int:
    """Ring once for each row that is due and was not rung lately; returns how many."""
    with enter(sweeper()):
        due = work.list_due(
            db.session(),
            limit=BATCH,
            ring_again_after=RING_AGAIN_AFTER,
            backlogged=doorbell.list_backlogged(app.extensions["redis"]),
        )
        db.session.commit()
    if due:
        doorbell.ring(app.extensions["redis"], app.extensions["job_serializer"], due)
    return len(due)


def _attempt(name: str, function: Any) -> None:
    """One bad part never stops the sweep."""
    try:
        function()
    except Exception as error:
        log.exception("sweep failed", part=name, error=type(error).__name__)
        db.engine.dispose()


def run(app: Flask, schedule: Sequence[Periodic]) -> None:
    """Sweep until SIGTERM or SIGINT."""
    stopping = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stopping.set())
    next_run = {entry.name: 0.0 for entry in schedule}
    log.info("sweeper started", entries=len(schedule))
    while not stopping.is_set():
        with app.app_context():
            _attempt("due work", lambda: sweep_due_work(app))
        for entry in schedule:
            if monotonic() >= next_run[entry.name]:
                next_run[entry.name] = monotonic() + entry.every_seconds
                with app.app_context():
                    _attempt(entry.name, entry.run)
        stopping.wait(PAUSE_SECONDS)
    log.info("sweeper stopped")
