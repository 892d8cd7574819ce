"""A page that renders the API's description, by the server and without anybody's scripts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Response, current_app, jsonify, render_template
from markdown_it import MarkdownIt
from markupsafe import Markup

from msp.api.blueprint import bp
from msp.api.document import document_of
from msp.web.access import public

_markdown = MarkdownIt("js-default")


@bp.get("/openapi.json")
@public("the description of the API holds no data and is read before there is a token")
def show_openapi() -> Response:
    """The description, for programs."""
    return jsonify(document_of(current_app))


@bp.get("/docs")
@public("the description of the API holds no data and is read before there is a token")
def show_docs() -> str:
    """The description, for people."""
    document = document_of(current_app)
    return render_template(
        "api/show_docs.html",
        info=document["info"],
        introduction=Markup(_markdown.render(document["info"]["description"])),  # noqa: S704 - our own words
        groups=list(groups(document)),
        pretty=pretty,
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A member of a body or a parameter, at its depth."""

    name: str
    sort: str
    required: bool
    words: str
    choices: tuple[str, ...]
    depth: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation may answer."""

    status: str
    words: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call, as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    rights: dict[str, str | None]
    parameters: tuple[Line, ...]
    body: tuple[Line, ...]
    example: Any
    answers: tuple[Answer, ...]


def groups(document: dict[str, Any]) -> Iterator[tuple[dict[str, str], list[Operation]]]:
    """Operations under their tags, in the order of the document."""
    for tag in document["tags"]:
        yield (
            tag,
            [
                _operation(document, path, method, one)
                for path, methods in document["paths"].items()
                for method, one in methods.items()
                if tag["name"] in one.get("tags", ())
            ],
        )


def _operation(document: dict[str, Any], path: str, method: str, one: dict[str, Any]) -> Operation:
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {})
    asked = tuple(_lines(document, body["schema"])) if body else ()
    return Operation(
        id=one["operationId"],
        method=method.upper(),
        path=path,
        summary=one.get("summary", ""),
        description=one.get("description", ""),
        rights=one["x-rights"],
        parameters=tuple(_parameter(document, parameter) for parameter in one.get("parameters", ())),
        body=asked,
        example=body.get("example") or example_of(document, body.get("schema")),
        answers=tuple(_answer(document, status, answer) for status, answer in one["responses"].items()),
    )


def resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a reference points at."""
    while "$ref" in node:
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def _parameter(document: dict[str, Any], node: dict[str, Any]) -> Line:
    found = resolve(document, node)
    schema = found.get("schema", {})
    return Line(
        found["name"],
        _sort(document, schema),
        bool(found.get("required")),
        found.get("description", ""),
        _choices(schema),
        place=found["in"],
    )


def _answer(document: dict[str, Any], status: str, node: dict[str, Any]) -> Answer:
    found = resolve(document, node)
    content = found.get("content", {}).get("application/json")
    lines = tuple(_lines(document, content["schema"])) if content else ()
    return Answer(status, found.get("description", ""), lines)


def _lines(document: dict[str, Any], node: dict[str, Any], depth: int = 0) -> Iterator[Line]:
    schema = resolve(document, node)
    for name, one in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        words = one.get("description", "") or resolve(document, _inner(one)).get("description", "")
        yield Line(name, _sort(document, one), required, words, _choices(one), depth)
        yield from _lines(document, _inner(one), depth + 1)


def _inner(node: dict[str, Any]) -> dict[str, Any]:
    """The schema below: of a list's items, or of one of several forms."""
    if "items" in node:
        return _inner(node["items"])
    forms: list[dict[str, Any]] = [one for key in ("oneOf", "anyOf", "allOf") for one in node.get(key, ())]
    return next((one for one in forms if "$ref" in one), node if "$ref" in node else {})


def _sort(document: dict[str, Any], node: dict[str, Any]) -> str:
    if "items" in node:
        return f"[{_sort(document, node['items'])}]"
    for key in ("oneOf", "anyOf", "allOf"):
        if key in node:
            return " | ".join(_sort(document, one) for one in node[key])
    if "const" in node:
        return json.dumps(node["const"])
    kinds = resolve(document, node).get("type", "object")
    words = " | ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return f"{words} ({node['format']})" if "format" in node else words


def _choices(node: dict[str, Any]) -> tuple[str, ...]:
    listed = node.get("enum") or node.get("items", {}).get("enum") or ()
    return tuple(str(one) for one in listed if one not in (None, ""))


def example_of(document: dict[str, Any], node: dict[str, Any] | None) -> Any:
    """An example put together from its members' examples; None where there are none."""
    if node is None:
        return None
    members = resolve(document, node).get("properties", {})
    return {name: one["example"] for name, one in members.items() if "example" in one} or None


def pretty(value: Any) -> str:
    """JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)
