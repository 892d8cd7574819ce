"""How something that comes back is called."""

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from msp.windows.choices import WEEKDAYS, choice_of

WEEKDAY_WORDS: dict[str, Any] = {
    "MO": _l("Monday"),
    "TU": _l("Tuesday"),
    "WE": _l("Wednesday"),
    "TH": _l("Thursday"),
    "FR": _l("Friday"),
    "SA": _l("Saturday"),
    "SU": _l("Sunday"),
}
NTH_WORDS: dict[str, Any] = {
    "1": _l("first"),
    "2": _l("second"),
    "3": _l("third"),
    "4": _l("fourth"),
    "-1": _l("last"),
}
REPEAT_WORDS: dict[str, Any] = {
    "weekly": _l("Weekly, on the days chosen below"),
    "monthly": _l("Monthly, on a certain weekday"),
    "daily": _l("Every day"),
    "rule": _l("By a rule (for experts)"),
}


def weekday_words(on: date) -> str:
    """The day of the week."""
    return str(WEEKDAY_WORDS[WEEKDAYS[on.weekday()]])


def rule_words(rule: str) -> str:
    """A rule in words: "every Saturday and Sunday"; one that has no plain words stands for itself."""
    choice = choice_of(rule)
    if choice.repeat == "daily":
        return _("every day")
    if choice.repeat == "weekly":
        return _("every %(days)s", days=", ".join(str(WEEKDAY_WORDS[one]) for one in choice.weekdays))
    if choice.repeat == "monthly":
        return _(
            "on the %(nth)s %(day)s of the month",
            nth=NTH_WORDS[choice.nth],
            day=WEEKDAY_WORDS[choice.weekday],
        )
    return choice.rule
