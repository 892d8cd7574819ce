"""The worker's start: RQ takes our serializer, queue and job class as they are."""

from flask import Flask

from msp.background import doorbell
from msp.worker import PortalWorker


def test_a_worker_can_be_made_for_every_queue(app: Flask) -> None:
    serializer = app.extensions["job_serializer"]
    for name in doorbell.QUEUES:
        queue = doorbell.queue(name, app.extensions["redis"], serializer)
        worker = PortalWorker(
            [queue], connection=app.extensions["redis"], job_class=doorbell.OnlyOurs, serializer=serializer
        )
        assert worker.queue_names() == [name]
