"""What the entries of a calendar and the parts of plans and policies are called."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from msp.upkeep.calendar import Entry

KIND_WORDS: dict[str, Any] = {
    "campaign": _l("Update"),
    "upkeep": _l("Upkeep"),
    "visit": _l("Visit"),
    "freeze": _l("Freeze"),
    "window": _l("Maintenance window"),
}
KIND_ICONS = {
    "campaign": "rocket-takeoff",
    "upkeep": "tools",
    "visit": "person-check",
    "freeze": "lock",
    "window": "clock",
}
BECOMES_WORDS: dict[str, Any] = {
    "request": _l("A ticket: request"),
    "change": _l("A ticket: change"),
    "visit": _l("A visit, with a ticket for it"),
}
SEVERITY_WORDS: dict[str, Any] = {
    "low": _l("low"),
    "medium": _l("medium"),
    "high": _l("high"),
    "critical": _l("critical"),
}


def title_words(entry: Entry) -> str:
    """What an entry is called: windows of the contract have no name of their own."""
    return entry.title or _("By contract")
