"""What arrives is read strictly: JSON that everybody reads alike, in text that can be stored."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import UnsupportedMediaType

from tenants.foundation.errors import InvalidMany, NotFound, Refused

LARGEST_BODY = 1024 * 1024
_UNUSABLE = _l("This text has characters that cannot be stored.")


def check_request() -> None:
    """Look at path, query and body before any view does. Raises NotFound, Invalid and Refused."""
    if any(not _is_storable(str(value)) for value in (request.view_args or {}).values()):
        raise NotFound
    _refuse(name for name, value in request.args.items(multi=True) if not _is_storable(name + value))
    if request.method == "POST":
        request.max_content_length = LARGEST_BODY
        _refuse(unusable_texts(_read()))


def _read() -> Any:
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        return json.loads(request.get_data(cache=True), parse_constant=_no_number)
    except (ValueError, RecursionError) as wrong:
        raise Refused(_("The body is not JSON.")) from wrong


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _refuse(fields: Iterator[str]) -> None:
    found = [(field, _UNUSABLE) for field in fields]
    if found:
        raise InvalidMany(found)


def unusable_texts(document: Any) -> Iterator[str]:
    """The fields, like `hours.3.from`, whose text holds NUL or half a character."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        field, value = waiting.pop()
        if isinstance(value, str) and not _is_storable(value):
            yield field
        elif isinstance(value, list):
            waiting += [(_join(field, place), one) for place, one in enumerate(value)]
        elif isinstance(value, dict):
            yield from (_join(field, "?") for name in value if not _is_storable(name))
            waiting += [(_join(field, name), one) for name, one in value.items()]


def _join(field: str, name: object) -> str:
    return f"{field}.{name}" if field else str(name)


def _is_storable(text: str) -> bool:
    return ("\x00" not in text and text.isprintable()) or _encodes(text)


def _encodes(text: str) -> bool:
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False
