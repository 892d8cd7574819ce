"""Each refusal becomes a page for people or a problem document (RFC 9457) for programs."""

from typing import Any

import structlog
from flask import Flask, Response, flash, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from msp.web.access import SecondFactorNeeded, SignInNeeded
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, Refused, TooMany

log = structlog.get_logger()
MACHINES = ("/api/", "/ddi/", "/inventory", "/intake/", "/streams/", "/metrics", "/healthz", "/readyz")
PAGES = (400, 401, 403, 404, 409, 413, 422, 429, 500, 503)


def is_for_machines() -> bool:
    """Whether the answer goes to a program."""
    return request.path.startswith(MACHINES)


def problem(status: int, title: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """A problem document; `detail`, `errors` and `allowed` where they help."""
    body = {"type": "about:blank", "title": title, "status": status, **more}
    answer = jsonify(body)
    answer.status_code = status
    answer.content_type = "application/problem+json"
    answer.headers.update(headers or {})
    return answer


def page(status: int, *, detail: str = "", headers: dict[str, str] | None = None) -> Response:
    """The error's page in the product's look; needs no database."""
    known = status if status in PAGES else (400 if status < 500 else 500)
    headers = headers or {}
    html = render_template(
        f"errors/{known}.html",
        detail=detail,
        retry_after=int(wait) if (wait := headers.get("Retry-After", "")).isdigit() else 0,
        reference=g.get("request_id", "") if known >= 500 else "",
    )
    answer = Response(html, status=status)
    answer.headers.update(headers)
    return answer


TITLES = {
    400: "Bad request",
    401: "Sign-in needed",
    403: "Forbidden",
    404: "Not found",
    409: "Conflict",
    413: "Too large",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


def answer_status(
    status: int, *, detail: str = "", headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """The answer for a status, in the form that fits the asker."""
    if is_for_machines():
        if detail:
            more["detail"] = detail
        return problem(status, TITLES.get(status, "Error"), headers=headers, **more)
    return page(status, detail=detail, headers=headers)


def _refused(error: Refused) -> Response:
    db.session.rollback() if g.get("scope_stack") is not None else None
    status = error.http_status
    if status == 404:
        return answer_status(404)
    if isinstance(error, TooMany):
        return answer_status(429, detail=str(error.message), headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, Conflict):
        return answer_status(409, detail=str(error.message), allowed=error.allowed)
    if isinstance(error, Invalid):
        errors = [{"field": field, "message": str(message)} for field, message in error.errors]
        return answer_status(422, detail=str(error.message), errors=errors)
    return answer_status(status, detail="" if status == 403 else str(error.message))


def _sign_in_needed(_error: SignInNeeded) -> Any:
    if is_for_machines():
        return answer_status(401, headers={"WWW-Authenticate": "Bearer"})
    # Only a path of ours is remembered, and only one that can be opened again.
    following = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("account.sign_in", next=following))


def _second_factor_needed(_error: SecondFactorNeeded) -> Any:
    if is_for_machines():
        return answer_status(403)
    return redirect(url_for("account.second_factor"))


def _csrf(_error: CSRFError) -> Response:
    return page(
        400,
        detail=_("This form is too old or was opened in another session. Go back, reload and send it again."),
    )


def _database_lost(error: DBAPIError | PoolTimeout) -> Response:
    log.error("database unavailable", error=type(error).__name__)
    return answer_status(503, headers={"Retry-After": "5"})


def _http(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return answer_status(error.code or 500, headers=headers)


def crash(error: Exception) -> Response:
    """The answer to a fault of ours, which the log tells in full."""
    log.exception("request failed", error=type(error).__name__)
    return answer_status(500)


def install(app: Flask) -> None:
    """Attach all of it."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(SignInNeeded, _sign_in_needed)
    app.register_error_handler(SecondFactorNeeded, _second_factor_needed)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(OperationalError, _database_lost)
    app.register_error_handler(PoolTimeout, _database_lost)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, crash)


def refuse_into_form(error: Invalid, form: Any) -> None:
    """Put a service's refusal beside the form's field, or above the form when the field is not in it."""
    for field, message in error.errors:
        if field in form:
            form[field].errors = [*form[field].errors, message]
        else:
            flash(str(message), "danger")
