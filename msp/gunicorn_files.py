"""How gunicorn serves what takes long: files that come and go. `gunicorn -c python:msp.gunicorn_files …`.

Threads, so that one slow line holds up nobody and a long upload is not taken for a worker that hangs.
"""

from msp.gunicorn import (
    control_socket_disable,
    graceful_timeout,
    max_requests,
    max_requests_jitter,
    post_fork,
    preload_app,
    timeout,
    when_ready,
)

__all__ = [
    "control_socket_disable",
    "graceful_timeout",
    "max_requests",
    "max_requests_jitter",
    "post_fork",
    "preload_app",
    "timeout",
    "when_ready",
]
worker_class = "gthread"
workers = 1
threads = 8
