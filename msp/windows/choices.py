"""Plain choices of how something comes back, as a rule of RFC 5545 and back again: pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

REPEATS = ("daily", "weekly", "monthly", "rule")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
NTHS = ("1", "2", "3", "4", "-1")
_WEEKLY = re.compile(r"FREQ=WEEKLY;BYDAY=((?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:MO|TU|WE|TH|FR|SA|SU))*)")
_MONTHLY = re.compile(r"FREQ=MONTHLY;BYDAY=(1|2|3|4|-1)(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True)
class Choice:
    """What people choose: every day, weekly on some days, monthly on the nth weekday, or a rule of their own."""

    repeat: str
    weekdays: tuple[str, ...] = ()
    nth: str = "1"
    weekday: str = "MO"
    rule: str = ""


def rule_of(choice: Choice) -> str:
    """The choice as a rule. Raises ValueError naming the field that lacks something."""
    if choice.repeat == "daily":
        return "FREQ=DAILY"
    if choice.repeat == "weekly":
        if not choice.weekdays or not set(choice.weekdays) <= set(WEEKDAYS):
            raise ValueError("weekdays")
        return f"FREQ=WEEKLY;BYDAY={','.join(_in_order(choice.weekdays))}"
    if choice.repeat == "monthly":
        if choice.nth not in NTHS or choice.weekday not in WEEKDAYS:
            raise ValueError("nth")
        return f"FREQ=MONTHLY;BYDAY={choice.nth}{choice.weekday}"
    if choice.repeat != "rule" or not choice.rule.strip():
        raise ValueError("rule")
    return choice.rule.strip().upper()


def choice_of(rule: str) -> Choice:
    """The plain choice behind a rule; one that no plain choice makes is given as it is."""
    if rule == "FREQ=DAILY":
        return Choice("daily")
    if (weekly := _WEEKLY.fullmatch(rule)) is not None:
        return Choice("weekly", weekdays=_in_order(weekly[1].split(",")))
    if (monthly := _MONTHLY.fullmatch(rule)) is not None:
        return Choice("monthly", nth=monthly[1], weekday=monthly[2])
    return Choice("rule", rule=rule)


def _in_order(weekdays: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in WEEKDAYS if one in weekdays)
