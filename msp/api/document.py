"""The API's description, OpenAPI 3.1: generated from the views and their schemas, completed with what holds for all."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

from apiflask.schemas import FileSchema
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from werkzeug.routing import Rule

from msp.api.blueprint import bp
from msp.api.idempotency import HEADER, LONGEST_KEY
from msp.api.payload import LARGEST_BODY
from msp.api.rights import Rights
from msp.api.schemas.calculations import CalendarIn
from msp.api.schemas.common import Problem
from msp.web.access import access_of
from tenants.foundation.permissions import Permission

VERSION = "1"
DESCRIPTION = """Tickets, clocks, assets, contracts and campaigns, with the same rules as on the pages.

Send `Authorization: Bearer TOKEN`. Tokens are made on one's own account page; they carry a part of their maker's rights
and expire. Bodies are JSON in UTF-8; members that are not described are refused. Times are UTC, like
`2026-11-20T09:30:00Z`; the time of an act is always the portal's own. Lists come in pages: `next` is the `after` of the
following one, null on the last. Refusals are problem documents by RFC 9457. What is not yours answers 404, the same as
what does not exist. Each token may send 600 requests a minute."""
TAGS = [
    {"name": "Tenants", "description": "The companies that are served."},
    {"name": "Tickets", "description": "What they ask for, with its history and clocks."},
    {"name": "Assets", "description": "What they run."},
    {"name": "Contracts", "description": "What they were promised."},
    {"name": "SLA", "description": "The clock, to calculate with."},
    {
        "name": "Campaigns",
        "description": "Rollouts over the assets of several clients; for the provider's people.",
    },
]
PATH_WORDS = {
    "slug": ("Slug of the client.", "acme"),
    "code": ("The ticket's code.", "ACME-7K3Q-XP4M"),
    "id": ("Public id.", "0f8fad5b-d9cb-469f-a165-70867728950e"),
}
_PROBLEMS: dict[int, tuple[str, dict[str, Any]]] = {
    400: ("The body is not JSON.", {"detail": "The body is not JSON."}),
    401: ("There is no token, or it is unknown, expired or revoked.", {}),
    403: ("The token or its maker lacks the right.", {}),
    404: ("Nothing that you may see has this name or id.", {}),
    409: ("The present state does not allow it.", {"allowed": ["in_progress", "cancelled"]}),
    413: (f"The body is larger than {LARGEST_BODY} bytes.", {}),
    415: ("The body is not declared as application/json.", {}),
    422: ("Fields are at fault.", {"errors": [{"field": "limit", "message": "Ask for 1 to 200 rows."}]}),
    429: ("Too many requests with this token.", {}),
}
_TITLES = {
    400: "Bad request",
    401: "Sign-in needed",
    403: "Forbidden",
    404: "Not found",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
}


def document_of(app: Flask) -> dict[str, Any]:
    """The description of an app's API, put together once."""
    if "api_document" not in app.extensions:
        app.extensions["api_document"] = _build(app)
    document: dict[str, Any] = app.extensions["api_document"]
    return document


def _build(app: Flask) -> dict[str, Any]:
    settings = app.extensions["settings"]
    spec = APISpec(
        title=f"{settings.provider_name} API",
        version=VERSION,
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin(schema_name_resolver=_name)],
        info={"summary": "What people do on the pages, for programs.", "description": DESCRIPTION},
        servers=[{"url": settings.public_url}],
        tags=TAGS,
        security=[{"token": []}],
    )
    spec.components.security_scheme(
        "token", {"type": "http", "scheme": "bearer", "description": "A token of one's own account page."}
    )
    for schema in (Problem, CalendarIn):
        spec.components.schema(_name(schema), schema=schema)
    spec.components.parameter(HEADER, "header", _key_parameter())
    for status in _PROBLEMS:
        spec.components.response(str(status), _problem(status))
    for rule, method in operations(app):
        spec.path(path=path_of(rule), operations={method: _operation(app, rule)})
    document: dict[str, Any] = spec.to_dict()
    _describe_calendar(document["components"]["schemas"])
    return document


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


def operations(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every described rule of the API with its method in small letters."""
    for rule in app.url_map.iter_rules():
        described = rule.endpoint.startswith(f"{bp.name}.") and access_of(app, rule.endpoint)
        if described and described.permission is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method.lower()


def path_of(rule: Rule) -> str:
    """A rule as OpenAPI writes it."""
    return re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule)


def _operation(app: Flask, rule: Rule) -> dict[str, Any]:
    """One call, from what the decorators noted on its view."""
    view: Any = app.view_functions[rule.endpoint]
    noted, declared = view._spec, access_of(app, rule.endpoint)
    rights = getattr(view, "_rights", None) or Rights(*[declared.permission if declared else None] * 2)
    summary, _, description = (view.__doc__ or "").strip().partition("\n")
    parameters: list[Any] = [_path_parameter(name) for name in sorted(rule.arguments)]
    parameters += [{"in": place, "schema": schema} for schema, place in noted.get("args", ())]
    if hasattr(view, "_creates"):
        parameters.append(HEADER)
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix(f"{bp.name}."),
        "tags": noted["tags"],
        "summary": summary,
        "description": inspect.cleandoc(description),
        "parameters": parameters,
        "x-rights": {side: _word(right) for side, right in rights._asdict().items()},
        "responses": _good_answer(noted["response"]),
    }
    if "body" in noted:
        operation["requestBody"] = {"required": True, "content": {"application/json": _body(noted)}}
    fails = _statuses(view, has_path=bool(rule.arguments))
    operation["responses"] |= {str(status): str(status) for status in fails}
    return operation


def _path_parameter(name: str) -> dict[str, Any]:
    words, example = PATH_WORDS[name]
    shape = {"type": "string"}
    return {
        "in": "path", "name": name, "required": True, "schema": shape, "description": words, "example": example,
    }  # fmt: skip


def _good_answer(noted: dict[str, Any]) -> dict[str, Any]:
    status, media_type, schema = noted["status_code"], noted["content_type"], noted["schema"]
    # A download is described by its media type alone.
    content = {media_type: {} if isinstance(schema, FileSchema) else {"schema": schema}}
    return {str(status): {"description": "Created." if status == 201 else "The answer.", "content": content}}


def _body(noted: dict[str, Any]) -> dict[str, Any]:
    example = noted.get("body_example")
    return {"schema": noted["body"]} | ({"example": example} if example else {})


def _statuses(view: Any, *, has_path: bool) -> list[int]:
    noted, repeatable = view._spec, hasattr(view, "_creates")
    has_body, has_query = "body" in noted, bool(noted.get("args"))
    chosen = {
        400: has_body,
        404: has_path or repeatable or has_query,
        409: repeatable,
        413: has_body,
        415: has_body,
        422: has_body or has_query,
    }
    return [401, 403, *(status for status, wanted in chosen.items() if wanted), 429]


def _word(right: Permission | None) -> str | None:
    return str(right) if right is not None else None


def _key_parameter() -> dict[str, Any]:
    return {
        "required": False,
        "description": "Your own word for this request: sent again with the same body within 24 hours, it gives"
        " the same answer and does nothing new; with another body it is refused with 422.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
        "example": "monitor-7f3a-2026-11-20",
    }


def _problem(status: int) -> dict[str, Any]:
    words, more = _PROBLEMS[status]
    example: dict[str, Any] = {"type": "about:blank", "title": _TITLES[status], "status": status, **more}
    answer: dict[str, Any] = {
        "description": words,
        "content": {"application/problem+json": {"schema": Problem, "example": example}},
    }
    if status == 429:
        seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        answer["headers"] = {"Retry-After": seconds}
    return answer


def _describe_calendar(schemas: dict[str, Any]) -> None:
    """A calendar is an object or one word, which marshmallow has no field for."""
    asked = schemas["CalculationIn"]["properties"]["calendar"]
    asked.pop("type", None)
    asked["oneOf"] = [{"$ref": "#/components/schemas/CalendarIn"}, {"const": "always"}]
