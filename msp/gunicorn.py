"""How gunicorn serves the portal, here and in production: `gunicorn -c python:msp.gunicorn wsgi:app`.

Names are gunicorn's settings; what the command line says beats them.
"""

import gc
from typing import Any

worker_class = "sync"
workers = 2
preload_app = True  # the workers share the application's memory
timeout = 60
graceful_timeout = 20
# A fresh worker costs milliseconds and gives back what the largest request once needed.
max_requests = 2000
max_requests_jitter = 500
# gunicorn's own remote control would put a socket into the home folder, where two portals meet.
control_socket_disable = True


def when_ready(_server: Any) -> None:
    """Keep the application's objects from the collector: it would look them over in every worker, and copy them."""
    gc.collect()
    gc.freeze()


def post_fork(_server: Any, worker: Any) -> None:
    """Give a new worker database connections of its own: one that two processes use answers the wrong one."""
    from flask import Flask

    from tenants.foundation.db import db

    app = worker.app.wsgi()
    if isinstance(app, Flask) and "sqlalchemy" in app.extensions:
        with app.app_context():
            db.engine.dispose(close=False)
    if isinstance(app, Flask) and "streams" in app.extensions:
        # Streams never end by themselves in time: a worker that was told to stop ends them.
        app.extensions["streams"].is_serving = lambda: worker.alive
