"""What Mender's client sends, read with the same tolerance as the other agents' bodies."""

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l

from msp.agents.parsing import (
    FACTS_BYTES,
    FEEDBACK_BYTES,
    Malformed,
    cleaned,
    read_list,
    read_object,
    word_of,
)

MENDER_STATES = frozenset(
    {
        "downloading",
        "installing",
        "rebooting",
        "pause_before_installing",
        "pause_before_rebooting",
        "pause_before_committing",
        "success",
        "failure",
        "already-installed",
    }
)
LOG_BYTES = 1024 * 1024
MOST_LOG_LINES = 200
MOST_ATTRIBUTES = 80


def read_provides() -> dict[str, str]:
    """What a device says it runs, from a question of either version; always with a name. Raises Malformed."""
    if request.method == "GET":
        content: dict[str, Any] = dict(request.args)
    else:
        content = read_object(FACTS_BYTES)
        content = content.get("device_provides", content)
    if not isinstance(content, dict) or not isinstance(content.get("artifact_name"), str):
        raise Malformed(_l("The body lacks what it has to say."))
    return {key: cleaned(value) for key, value in content.items() if isinstance(value, str)}


def read_mender_state() -> tuple[str, str]:
    """A device's state and what it adds to it. Raises Malformed."""
    content = read_object(FEEDBACK_BYTES)
    added = content.get("substate")
    return word_of(content, "status", MENDER_STATES), cleaned(added)[:200] if isinstance(added, str) else ""


def read_attributes() -> dict[str, str]:
    """Attributes of a device as facts; the names that only other requests may tell are left out. Raises Malformed."""
    found: dict[str, str] = {}
    for one in read_list(FACTS_BYTES)[:MOST_ATTRIBUTES]:
        name, value = (one.get("name"), one.get("value")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not name or len(name) > 128 or not name.isprintable():
            raise Malformed(_l("An attribute has a name and a value."))
        if name not in ("installed_release", "artifact_name"):
            found[name] = ", ".join(map(str, value)) if isinstance(value, list) else cleaned(value)
    return found


def read_log() -> list[str]:
    """The last lines of a device's log. Raises Malformed."""
    content = read_object(LOG_BYTES).get("messages")
    if not isinstance(content, list):
        raise Malformed(_l("The body lacks what it has to say."))
    return [
        cleaned(" ".join(str(one.get(name, "")) for name in ("timestamp", "level", "message")))
        for one in content[-MOST_LOG_LINES:]
        if isinstance(one, dict)
    ]
