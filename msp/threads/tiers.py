"""What the history says of remote sessions, visits and vendors, in words."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from msp.web.formats import moment

Data = dict[str, Any]


def _begun(data: Data) -> str:
    where = data.get("asset") or _("the machine")
    what = data.get("what")
    if what == "asked":
        return _("asked for leave to work remotely on %(asset)s.", asset=where)
    if what == "allowed":
        return _("allowed a remote session on %(asset)s.", asset=where)
    return _(
        "began a remote session on %(asset)s; %(name)s allowed it.",
        asset=where,
        name=data.get("consent_by", ""),
    )


def _ended(data: Data) -> str:
    what = data.get("what")
    if what == "declined":
        return _("declined a remote session.")
    if what == "dropped":
        return _("took back the request for a remote session.")
    if what == "withdrawn":
        return _("took back the consent: the remote session is over.")
    return _("ended the remote session after %(minutes)s min.", minutes=data.get("minutes", 0))


def _planned(data: Data) -> str:
    who = data.get("technician")
    if data.get("begun"):
        return _("began the visit.")
    when = moment(datetime.fromisoformat(data["begins_at"]))
    if data.get("moved"):
        return (
            _("moved the visit: %(name)s comes on %(moment)s.", name=who, moment=when)
            if who
            else _("moved the visit to %(moment)s.", moment=when)
        )
    if who:
        return _("planned a visit: %(name)s comes on %(moment)s.", name=who, moment=when)
    return _("planned a visit on %(moment)s.", moment=when)


def _asked(data: Data) -> str:
    vendor = data.get("vendor") or _("the vendor")
    if data.get("acknowledged"):
        return _("wrote down that %(vendor)s has acknowledged the case.", vendor=vendor)
    return _("asked %(vendor)s.", vendor=vendor)


SENTENCES: dict[str, Callable[[Data], str]] = {
    "remote_session_begun": _begun,
    "remote_session_ended": _ended,
    "visit_planned": _planned,
    "visit_done": lambda data: _("wrote down what came of the visit."),
    "visit_cancelled": lambda data: _("cancelled the visit."),
    "vendor_asked": _asked,
    "vendor_answered": lambda data: _(
        "ended the case at %(vendor)s.", vendor=data.get("vendor") or _("the vendor")
    ),
}
ICONS = {
    "remote_session_begun": "window",
    "remote_session_ended": "window",
    "visit_planned": "calendar-event",
    "visit_done": "check2",
    "visit_cancelled": "calendar-x",
    "vendor_asked": "send",
    "vendor_answered": "reply",
}
