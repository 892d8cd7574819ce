"""The words of staff's pages: kinds, levels, and reasons put into sentences."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from msp.staff.rules import Reason
from msp.web.formats import moment
from tenants.foundation import time

KIND_WORDS = {"shift": _l("Shift"), "on_call": _l("On call")}
ABSENCE_WORDS = {"leave": _l("Leave"), "sickness": _l("Sickness")}
LEVEL_WORDS = {1: _l("1: knows it"), 2: _l("2: works alone"), 3: _l("3: teaches others")}
WEEKDAY_WORDS = {
    "MO": _l("Monday"),
    "TU": _l("Tuesday"),
    "WE": _l("Wednesday"),
    "TH": _l("Thursday"),
    "FR": _l("Friday"),
    "SA": _l("Saturday"),
    "SU": _l("Sunday"),
}


def reason_words(reason: Reason, skills: Mapping[int, str]) -> str:
    """A reason as a sentence; `skills` are their names. An unknown kind says nothing rather than something wrong."""
    values: Mapping[str, Any] = reason.values
    if reason.kind in ("shift", "on_call", "next", "away", "no_duty"):
        return _duty_words(reason)
    if reason.kind == "skill":
        return _skill_words(values, skills)
    if reason.kind == "higher_tier":
        return _("Works in %(tier)s, above this ticket's tier.", tier=values["tier"])
    if reason.kind == "load":
        held = ngettext("Holds %(num)s open ticket", "Holds %(num)s open tickets", values["count"])
        return _("%(held)s, weight %(weight)s.", held=held, weight=values["weight"])
    if reason.kind == "free":
        return _("Holds no open ticket.")
    if reason.kind == "knows_asset":
        return ngettext(
            "Resolved %(num)s ticket of this asset before.",
            "Resolved %(num)s tickets of this asset before.",
            values["count"],
        )
    if reason.kind == "knows_requester":
        return ngettext(
            "Resolved %(num)s ticket of this requester before.",
            "Resolved %(num)s tickets of this requester before.",
            values["count"],
        )
    return ""


def _duty_words(reason: Reason) -> str:
    now, values = time.now(), reason.values
    if reason.kind == "shift":
        return _("On duty until %(moment)s.", moment=moment(values["until"], now=now))
    if reason.kind == "on_call":
        return _("On call until %(moment)s.", moment=moment(values["until"], now=now))
    if reason.kind == "next":
        return _("Not on duty now; next from %(moment)s.", moment=moment(values["at"], now=now))
    if reason.kind == "away":
        return _("Away until %(moment)s.", moment=moment(values["until"], now=now))
    return _("No duty is planned.")


def _skill_words(values: Mapping[str, Any], skills: Mapping[int, str]) -> str:
    name = skills.get(values["skill"], "?")
    if not values["level"]:
        return _("%(skill)s: lacks it, level %(needed)s is asked for.", skill=name, needed=values["needed"])
    return _(
        "%(skill)s: level %(level)s, %(needed)s is asked for.",
        skill=name,
        level=values["level"],
        needed=values["needed"],
    )
