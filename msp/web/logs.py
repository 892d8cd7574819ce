"""Structured logs: one JSON line per event with request, tenant, actor and job ids."""

import logging
import sys
import uuid
from time import perf_counter

import structlog
from flask import Flask, Response, g, request


def configure(level: str) -> None:
    """Send structlog's lines to standard error as JSON."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _begin() -> None:
    g.began = perf_counter()
    g.request_id = uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=g.request_id)


def _end(answer: Response) -> Response:
    who = g.get("actor")
    structlog.get_logger().info(
        "request",
        method=request.method,
        endpoint=request.endpoint,
        status=answer.status_code,
        ms=round((perf_counter() - g.began) * 1000, 1) if "began" in g else None,
        actor=f"{who.kind}:{who.id}" if who else None,
        tenant=getattr(g.get("principal"), "tenant_id", None),
    )
    answer.headers["X-Request-Id"] = g.get("request_id", "")
    return answer


def install(app: Flask) -> None:
    """Log every request; paths and bodies are left out, they may hold personal data or secrets."""
    app.before_request(_begin)
    app.after_request(_end)
