"""What agents send, read with tolerance: unknown members are ignored, odd characters cleaned, the unusable refused."""

import json
import re
from collections.abc import Callable
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import RequestEntityTooLarge

from msp.campaigns.actions import Feedback
from msp.campaigns.phases import EXECUTIONS, FINISHES, Report
from tenants.foundation.errors import Refused

FEEDBACK_BYTES = 64 * 1024
FACTS_BYTES = 512 * 1024
INSTALLED_BYTES = 4 * 1024
LONGEST_NAME = 80
INVENTORY_BYTES = 4 * 1024 * 1024
MOST_DETAILS, LONGEST_DETAIL = 50, 500
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class Malformed(Refused):
    """A body that cannot be read: 400."""


def read_object(limit: int) -> dict[str, Any]:
    """The request's body as a JSON object of at most `limit` bytes. Raises Malformed."""
    return read_body(limit)[0]


def read_body(limit: int) -> tuple[dict[str, Any], bytes]:
    """The request's body as a JSON object, and its bytes as they came. Raises Malformed."""
    raw = _raw(limit)
    content = _json(raw)
    if not isinstance(content, dict):
        raise Malformed(_l("The body is not a JSON object."))
    return content, raw


def _raw(limit: int) -> bytes:
    request.max_content_length = limit
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge as wrong:
        raise Malformed(_l("The body is too large.")) from wrong


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError) as wrong:
        raise Malformed(_l("The body is not JSON.")) from wrong


def read_list(limit: int) -> list[Any]:
    """The request's body as a JSON list of at most `limit` bytes. Raises Malformed."""
    content = _json(_raw(limit))
    if not isinstance(content, list):
        raise Malformed(_l("The body lacks what it has to say."))
    return content


def read_feedback(channel: str, claimed: str) -> Feedback:
    """A feedback document. Raises Malformed."""
    content = read_object(FEEDBACK_BYTES)
    state = _member(content, "status")
    execution = word_of(state, "execution", EXECUTIONS)
    finished = word_of(_member(state, "result"), "finished", FINISHES)
    code = state.get("code")
    details = state.get("details")
    kept = tuple(cleaned(one) for one in details[:MOST_DETAILS]) if isinstance(details, list) else ()
    report = Report(channel, execution, finished, code if _is_int(code) else None)
    return Feedback(claimed, report, kept, _device_time(content), _body(state, kept))


def _body(state: dict[str, Any], details: tuple[str, ...]) -> dict[str, Any]:
    progress = state["result"].get("progress")
    numbers = progress if isinstance(progress, dict) else {}
    found = {key: numbers[key] for key in ("cnt", "of") if _is_int(numbers.get(key))}
    return {"details": list(details), **({"progress": found} if found else {})}


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31


def _device_time(content: dict[str, Any]) -> str | None:
    found = content.get("timestamp", content.get("time"))
    return cleaned(found)[:60] if isinstance(found, (str, int)) else None


def _member(content: dict[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    if not isinstance(found, dict):
        raise Malformed(_l("The body lacks what it has to say."))
    return found


def word_of(content: dict[str, Any], name: str, known: frozenset[str]) -> str:
    """A member that is one of the known words. Raises Malformed."""
    found = content.get(name)
    if not isinstance(found, str) or found not in known:
        raise Malformed(_l("The body says something that the protocol does not know."))
    return found


def cleaned(value: object) -> str:
    """A value as text that can be stored, cut to its longest."""
    return _UNSTORABLE.sub(" ", str(value))[:LONGEST_DETAIL]


def read_facts() -> tuple[dict[str, Any], str]:
    """Attributes and how to take them over. Raises Malformed."""
    content = read_object(FACTS_BYTES)
    data, mode = _member(content, "data"), content.get("mode", "merge")
    if mode not in ("merge", "replace", "remove"):
        raise Malformed(_l("The mode is merge, replace or remove."))
    return _scalars(data), mode


def _scalars(data: dict[str, Any]) -> dict[str, Any]:
    plain = (str, int, float, bool, type(None))
    if not all(isinstance(value, plain) for value in data.values()):
        raise Malformed(_l("An attribute's value is text."))
    return data


def read_installed() -> tuple[str, str]:
    """The name and the version of what a device holds. Raises Malformed."""
    content = read_object(INSTALLED_BYTES)
    found = content.get("name"), content.get("version")
    if not all(isinstance(one, str) and 1 <= len(one) <= LONGEST_NAME for one in found):
        raise Malformed(_l("What is installed has a name and a version of at most 80 characters."))
    if any(_UNSTORABLE.search(str(one)) for one in found):
        raise Malformed(_l("What is installed has a name and a version of at most 80 characters."))
    return str(found[0]), str(found[1])


def read_inventory() -> tuple[list[tuple[str, str, str, str]], dict[str, Any]]:
    """Packages as name, version, architecture and what each could be upgraded to, and facts. Raises Malformed."""
    content = read_object(INVENTORY_BYTES)
    packages = content.get("packages")
    if not isinstance(packages, list):
        raise Malformed(_l("The body lacks what it has to say."))
    facts = content.get("facts", {})
    return [_package(one) for one in packages], _scalars(facts if isinstance(facts, dict) else {})


def _package(one: object) -> tuple[str, str, str, str]:
    if not isinstance(one, dict):
        raise Malformed(_l("A package has a name, a version and an architecture."))
    read: Callable[[str], Any] = one.get
    found = (read("name"), read("version"), read("architecture") or "", read("upgradable_to") or "")
    if not all(isinstance(value, str) for value in found):
        raise Malformed(_l("A package has a name, a version and an architecture."))
    return found
