"""The API's own refusals as problem documents; everything else is answered by msp.web.errors."""

from collections.abc import Iterator, Mapping
from typing import Any

from apiflask import HTTPError
from flask import Flask, Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from msp.web.errors import TITLES, answer_status, problem
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound

NOT_KNOWN = _l("Nothing that you may see has this name or id.")


class UnknownReference(NotFound):
    """A body or query names something that does not exist for the caller."""

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field


def _unknown_reference(error: UnknownReference) -> Response:
    db.session.rollback()
    return problem(404, TITLES[404], errors=[{"field": error.field, "message": str(NOT_KNOWN)}])


def _not_loaded(error: HTTPError) -> Response:
    """Shape and words of fields that a schema refused."""
    if error.status_code != 422:
        return answer_status(error.status_code)
    errors = [{"field": field, "message": message} for field, message in flattened(error.detail)]
    return problem(422, TITLES[422], detail=_("Some fields cannot be used as they are."), errors=errors)


def flattened(messages: Any) -> Iterator[tuple[str, str]]:
    """Pairs of field and message from marshmallow's tree, its location left out."""
    tree = messages if isinstance(messages, Mapping) else {}
    for place in tree.values():
        yield from _walk("", place)


def _walk(field: str, node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for name, inner in node.items():
            below = field if name == "_schema" else f"{field}.{name}" if field else str(name)
            yield from _walk(below, inner)
    elif isinstance(node, list):
        for one in node:
            yield from _walk(field, one)
    else:
        yield field, str(node)


def install(app: Flask) -> None:
    """Attach the handlers; both errors are raised below the API only."""
    app.register_error_handler(UnknownReference, _unknown_reference)
    app.register_error_handler(HTTPError, _not_loaded)
