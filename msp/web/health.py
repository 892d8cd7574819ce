"""Liveness, readiness and metrics."""

import hmac
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from msp.web.access import SignInNeeded, credential, public
from tenants.foundation.db import db
from tenants.foundation.scope import Scope, gate

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public("liveness: says only that the process answers")
def show_liveness() -> Response:
    """The process answers."""
    return jsonify({"state": "alive"})


def _database_problem() -> str | None:
    try:
        version = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except SQLAlchemyError as error:
        db.session.rollback()
        return f"database: {type(error).__name__}"
    expected = current_app.extensions["migration_head"]
    return None if version == expected else f"migrations: at {version}, expected {expected}"


def _redis_problem() -> str | None:
    try:
        current_app.extensions["redis"].ping()
    except RedisError as error:
        return f"redis: {type(error).__name__}"
    return None


@bp.get("/readyz")
@public("readiness: names the part that is missing, nothing else")
def show_readiness() -> Any:
    """Database, Redis and migrations are there; 503 with the reasons otherwise."""
    problems = [problem for problem in (_database_problem(), _redis_problem()) if problem]
    return jsonify(
        {"state": "unready" if problems else "ready", "problems": problems}
    ), 503 if problems else 200


@bp.get("/metrics")
@credential("metrics")
def show_metrics() -> Response:
    """Prometheus figures, for the holder of the metrics token."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def resolve_metrics_token() -> Scope:
    """The scope of a scrape. Raises SignInNeeded for a wrong token, and always while none is set."""
    expected = current_app.extensions["settings"].metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise SignInNeeded
    return gate()
