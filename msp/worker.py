"""The worker's own entry point: the app is imported before the fork, one queue per process, short intervals.

Several queues on one RQ worker lose jobs when it is killed, and importing the app after the fork costs a factor of ten.
"""

import gc
import os

from rq import Worker

from msp.background import doorbell
from msp.background.application import application
from tenants.foundation.db import db


class PortalWorker(Worker):
    """Drops the parent's database connections in the forked child and runs no scheduler of its own."""

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        with application().app_context():
            db.engine.dispose(close=False)


def run(queue_name: str) -> None:
    """Work one queue until SIGTERM; the job in hand is finished first."""
    app = application()
    settings = app.extensions["settings"]
    connection = doorbell.connect(settings.redis_url, blocking=True)
    queue = doorbell.queue(queue_name, connection, app.extensions["job_serializer"])
    with app.app_context():
        db.engine.dispose()
    # The application lives as long as the process: looking for garbage in it took a third of a campaign's tick.
    gc.collect()
    gc.freeze()
    PortalWorker(
        [queue],
        name=f"{queue_name}-{os.getpid()}",
        connection=connection,
        job_class=doorbell.OnlyOurs,
        serializer=app.extensions["job_serializer"],
        worker_ttl=30,
        maintenance_interval=15,
        job_monitoring_interval=5,
        log_job_description=False,
    ).work(logging_level="WARNING")
