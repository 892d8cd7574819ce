"""The word, icon and tone of every state people see, in one place, so that a state looks the same on every page.

Tones: "" quiet, "info", "good", "risk" (amber, only at risk), "missed" (red, only missed or failed), "accent".
An unknown state is shown as it is, quietly: a page never fails because a new state arrived.
"""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

Words = str | LazyString


@dataclass(frozen=True)
class Look:
    """How a value appears: its word, the icon beside the word, and the tone of both."""

    word: Words
    icon: str
    tone: str = ""


TICKET_STATES = {
    "new": Look(_l("New"), "asterisk", "accent"),
    "in_progress": Look(_l("In progress"), "play-circle", "info"),
    "waiting": Look(_l("Waiting"), "pause-circle", "info"),
    "resolved": Look(_l("Resolved"), "check-circle", "good"),
    "closed": Look(_l("Closed"), "archive"),
    "cancelled": Look(_l("Cancelled"), "x-circle"),
}
WAITING = {
    "requester": _l("Waiting for the requester"),
    "vendor": _l("Waiting for the vendor"),
    "part": _l("Waiting for a part"),
    "visit": _l("Waiting for a visit"),
    "change": _l("Waiting for a change"),
}
CAMPAIGN_STATES = {
    "draft": Look(_l("Draft"), "pencil"),
    "submitted": Look(_l("Waiting for approval"), "hourglass-split", "info"),
    "approved": Look(_l("Approved"), "check2", "info"),
    "scheduled": Look(_l("Scheduled"), "calendar-event", "info"),
    "running": Look(_l("Running"), "play-circle", "accent"),
    "paused": Look(_l("Paused"), "pause-circle", "risk"),
    "completing": Look(_l("Completing"), "hourglass-bottom", "info"),
    "completed": Look(_l("Completed"), "check-circle", "good"),
    "completed_with_failures": Look(_l("Completed with failures"), "exclamation-circle", "missed"),
    "aborting": Look(_l("Aborting"), "stop-circle", "missed"),
    "aborted": Look(_l("Aborted"), "stop-circle"),
    "withdrawn": Look(_l("Withdrawn"), "arrow-return-left"),
    "rejected": Look(_l("Rejected"), "x-circle"),
    "expired": Look(_l("Expired"), "calendar-x"),
    "rollback_draft": Look(_l("Rollback drafted"), "arrow-counterclockwise"),
}
LANE_STATES = {
    "planned": Look(_l("Planned"), "circle"),
    "waiting": Look(_l("Waiting"), "hourglass-split", "info"),
    "open": Look(_l("Open"), "play-circle", "accent"),
    "soaking": Look(_l("Soaking"), "moisture", "info"),
    "passed": Look(_l("Passed"), "check-circle", "good"),
    "failed": Look(_l("Failed"), "exclamation-octagon-fill", "missed"),
    "inconclusive": Look(_l("Inconclusive"), "question-circle", "risk"),
    "skipped": Look(_l("Skipped"), "dash-circle"),
}
LANE_WAITING = {
    "consent": _l("Waiting for consent"),
    "window": _l("Waiting for its window"),
    "previous": _l("Waiting for the wave before"),
    "freeze": _l("Waiting: change freeze"),
}
OUTCOMES = {
    "success": Look(_l("Success"), "check-circle", "good"),
    "noop": Look(_l("Already up to date"), "check2-all", "good"),
    "failed": Look(_l("Failed"), "exclamation-octagon-fill", "missed"),
    "timeout": Look(_l("Timed out"), "stopwatch", "missed"),
    "rejected": Look(_l("Rejected by the asset"), "x-octagon", "missed"),
    "cancelled": Look(_l("Cancelled"), "x-circle"),
    "skipped": Look(_l("Skipped"), "dash-circle"),
    "superseded": Look(_l("Superseded"), "arrow-right-circle"),
    "unreachable": Look(_l("Never reached"), "wifi-off"),
    "indeterminate": Look(_l("Reported, not verified"), "question-circle", "risk"),
    "planned": Look(_l("Planned"), "circle"),
    "eligible": Look(_l("Eligible"), "circle-half"),
    "offered": Look(_l("Offered"), "send", "info"),
    "running": Look(_l("Installing"), "play-circle", "accent"),
    "rebooting": Look(_l("Restarting"), "arrow-repeat", "accent"),
    "verifying": Look(_l("Verifying"), "search", "info"),
    "cancelling": Look(_l("Cancelling"), "x-circle", "info"),
}
CONSENT_STATES = {
    "asked": Look(_l("Consent pending"), "hourglass-split", "info"),
    "consented": Look(_l("Consent given"), "check-circle", "good"),
    "postponed": Look(_l("Postponed"), "calendar-event"),
    "declined": Look(_l("Consent declined"), "x-circle"),
    "not_needed": Look(_l("No consent needed"), "check2"),
}
ASSET_STATES = {
    "active": Look(_l("Active"), "check-circle", "good"),
    "online": Look(_l("Online"), "check-circle", "good"),
    "silent": Look(_l("Silent"), "wifi-off", "risk"),
    "quarantined": Look(_l("In quarantine"), "shield-exclamation", "missed"),
    "maintenance": Look(_l("In maintenance"), "tools", "info"),
    "unenrolled": Look(_l("No agent"), "dash-circle"),
    "spare": Look(_l("Spare"), "box"),
    "retired": Look(_l("Retired"), "archive"),
}
PRIORITIES = {
    "P1": _l("Critical"),
    "P2": _l("High"),
    "P3": _l("Medium"),
    "P4": _l("Low"),
}
TIERS = {
    "L1": _l("Service desk"),
    "L2": _l("Specialist"),
    "L3": _l("Expert"),
    "vendor": _l("Vendor"),
}
SPAN_KINDS = {
    "counted": _l("Counted"),
    "paused": _l("Paused"),
    "maintenance": _l("Planned maintenance, not counted"),
    "maintenance_counted": _l("Planned maintenance, counted"),
    "outside_hours": _l("Outside hours"),
    "holiday": _l("Holiday"),
}
TIMER_KINDS = {
    "response": _l("First response"),
    "update": _l("Update"),
    "resolution": _l("Resolution"),
    "acceptance": _l("Acceptance"),
    "vendor": _l("Vendor's answer"),
}
ROLES = {
    "owner": _l("Owner"),
    "manager": _l("Manager"),
    "dispatcher": _l("Dispatcher"),
    "l1": _l("Engineer L1"),
    "l2": _l("Engineer L2"),
    "l3": _l("Engineer L3"),
    "client_admin": _l("Client administrator"),
    "client_user": _l("Client user"),
}
TICKET_KINDS = {
    "incident": _l("Incident"),
    "request": _l("Request"),
    "problem": _l("Problem"),
    "change": _l("Change"),
}
LEVELS = {
    "high": _l("High"),
    "medium": _l("Medium"),
    "low": _l("Low"),
}
SEVERITIES = {
    "low": _l("Low"),
    "medium": _l("Medium"),
    "high": _l("High"),
    "critical": _l("Critical"),
}
SOURCES = {
    "portal": _l("Portal"),
    "phone": _l("Phone"),
    "mail": _l("Mail"),
    "api": _l("API"),
    "campaign": _l("Maintenance"),
    "upkeep": _l("Upkeep"),
    "chat": _l("Chat"),
    "sms": _l("SMS"),
    "whatsapp": _l("WhatsApp"),
    "website": _l("Website"),
    "import": _l("Import"),
}
ASSET_KINDS = {
    "server": _l("Server"),
    "workstation": _l("Workstation"),
    "network": _l("Network device"),
    "printer": _l("Printer"),
    "phone": _l("Phone"),
    "other": _l("Other"),
}
DANGERS = {
    "program": _l("it is a program, or holds one"),
    "script": _l("it holds a script"),
    "misnamed": _l("it is not what its name says"),
    "polyglot": _l("it is two kinds of file at once"),
    "bomb": _l("it unpacks into far more than it seems"),
    "unknown": _l("it could not be looked at"),
}
MAIL_STATES = {
    "queued": Look(_l("Queued"), "hourglass-split", "info"),
    "sending": Look(_l("Sending"), "send", "info"),
    "sent": Look(_l("Sent"), "check-circle", "good"),
    "failed": Look(_l("Failed"), "exclamation-octagon-fill", "missed"),
    "unknown": Look(_l("Not known whether it arrived"), "question-circle", "risk"),
}
TABLES = {
    "mail": MAIL_STATES,
    "ticket": TICKET_STATES,
    "campaign": CAMPAIGN_STATES,
    "lane": LANE_STATES,
    "outcome": OUTCOMES,
    "consent": CONSENT_STATES,
    "asset": ASSET_STATES,
}
NAMES = {
    "priority": PRIORITIES,
    "tier": TIERS,
    "span": SPAN_KINDS,
    "timer": TIMER_KINDS,
    "role": ROLES,
    "kind": TICKET_KINDS,
    "level": LEVELS,
    "severity": SEVERITIES,
    "source": SOURCES,
    "asset_kind": ASSET_KINDS,
    "danger": DANGERS,
}


def look_of(table: str, value: object, reason: object = "", audience: str = "staff") -> Look:
    """How a state appears, with the reason it waits for, seen by `staff` or by the `requester`."""
    state, why = str(value or ""), str(reason or "")
    look = TABLES[table].get(state) or Look(state.replace("_", " "), "dot")
    if state != "waiting" or not why:
        return look
    return Look(_waiting(table, why, audience), look.icon, look.tone)


def _waiting(table: str, reason: str, audience: str) -> Words:
    if table == "ticket" and reason == "requester" and audience == "requester":
        return _("Waiting for you")
    known = LANE_WAITING if table == "lane" else WAITING
    return known.get(reason) or _("Waiting: %(reason)s", reason=reason)


def name_of(table: str, value: object) -> Words:
    """The name of a value of one of `NAMES`; an unknown one as it is."""
    return NAMES[table].get(str(value), str(value).replace("_", " "))
