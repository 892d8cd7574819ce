"""The SLA clock a second time, step by step: slow, obvious, and written from the specification alone.

It shares no code with the engine. Every minute (or second) is turned into local wall time by `zoneinfo`, looked up
in the opening hours of its local date, and either counted or not.
"""

import zoneinfo
from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, groupby
from typing import Any

zoneinfo.reset_tzpath(())

BEYOND = "beyond the walk"
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Hours:
    """Looks up whether a wall time is open, from the calendar as it stands in a request."""

    def __init__(self, calendar: dict[str, Any]) -> None:
        self.zone = zoneinfo.ZoneInfo(calendar["time_zone"])
        self.weekly = calendar.get("hours", [])
        self.holidays = set(calendar.get("holidays", []))
        self.special = {day["on"]: day.get("hours", []) for day in calendar.get("special_days", [])}
        self.days: dict[int, list[str]] = {}

    def kind(self, at: int) -> str:
        local = datetime.fromtimestamp(at, self.zone)
        day = local.toordinal()
        if day not in self.days:
            self.days[day] = self.minutes_of(date.fromordinal(day))
        return self.days[day][local.hour * 60 + local.minute]

    def minutes_of(self, on: date) -> list[str]:
        """What each minute between 00:00 and 24:00 of a local date is."""
        minutes = ["holiday" if on.isoformat() in self.holidays else "outside_hours"] * 1440
        for from_, to in self.opening(on):
            for minute in range(from_, to if from_ < to else 1440):
                minutes[minute] = "counted"
        for from_, to in self.opening(on - timedelta(days=1)):
            for minute in range(to if from_ > to else 0):
                minutes[minute] = "counted"
        return minutes

    def opening(self, on: date) -> list[tuple[int, int]]:
        if on.isoformat() in self.special:
            entries = self.special[on.isoformat()]
        elif on.isoformat() in self.holidays:
            entries = []
        else:
            entries = [entry for entry in self.weekly if entry["weekday"] == WEEKDAYS[on.weekday()]]
        return [(_minutes(entry["from"]), _minutes(entry["to"]) or 1440) for entry in entries]


class Always:
    """Never closes."""

    def kind(self, at: int) -> str:
        return "counted"


class Walk:
    """Every step of a calculation from its start to some time after its end."""

    def __init__(self, payload: dict[str, Any], step: int, walk: int) -> None:
        self.step = step
        self.start, self.as_of = _seconds(payload["started_at"]), _seconds(payload["as_of"])
        stop = _seconds(payload["stopped_at"]) if payload.get("stopped_at") else None
        self.stop = None if stop is None or stop > self.as_of else stop
        self.end = self.as_of if self.stop is None else self.stop
        self.pauses = [
            (_seconds(pause["from"]), _seconds(pause["to"]) if pause["to"] else 10**12)
            for pause in payload.get("pauses", [])
        ]
        hours = Always() if payload["calendar"] == "always" else Hours(payload["calendar"])
        instants = range(self.start, self.as_of + walk + step, step)
        self.kinds = [hours.kind(at) for at in instants]
        self.paused = [self.is_paused(at) for at in instants]
        runs = zip(self.kinds, self.paused, strict=True)
        steps = (step if kind == "counted" and not paused else 0 for kind, paused in runs)
        self.counted = [0, *accumulate(steps)]

    def is_paused(self, at: int) -> bool:
        """A stop ends every pause."""
        is_before_stop = self.stop is None or at < self.stop
        return is_before_stop and any(from_ <= at < to for from_, to in self.pauses)

    def index(self, at: int) -> int:
        return (at - self.start) // self.step

    def first_with(self, total: int) -> int | None:
        """The earliest instant at which so much is counted; it may lie within a step."""
        index = bisect_left(self.counted, total)
        if index == len(self.counted):
            return None
        return self.start + index * self.step - (self.counted[index] - total)

    def strip(self) -> list[dict[str, str]]:
        until = self.index(self.end)
        shown = zip(self.kinds[:until], self.paused[:until], strict=True)
        found, at = [], self.start
        for kind, steps in groupby("paused" if paused else kind for kind, paused in shown):
            to = at + len(list(steps)) * self.step
            found.append({"from": _text(at), "to": _text(to), "kind": kind})
            at = to
        return found

    def state(self, *, missed: bool) -> str:
        if missed or self.stop is not None:
            return "missed" if missed else "met"
        index = self.index(self.as_of)
        if self.paused[index]:
            return "paused"
        return "running" if self.kinds[index] == "counted" else "outside_hours"


def answer(payload: dict[str, Any], *, step: int = 60, walk: int = 86_400) -> dict[str, Any]:
    """The answer to a calculation whose instants are multiples of `step` seconds.

    `due_at` is BEYOND if it does not come within `walk` seconds after `as_of`.
    """
    steps = Walk(payload, step, walk)
    target = payload["target_minutes"] * 60
    until = steps.index(steps.end)
    elapsed = steps.counted[until]
    due = steps.first_with(target)
    missed = due is not None and due < steps.end
    fired = {percent: steps.first_with(-(-target * percent // 100)) for percent in payload["warn_at_percent"]}
    return {
        "state": steps.state(missed=missed),
        "elapsed_seconds": elapsed,
        "remaining_seconds": target - elapsed,
        "paused_business_seconds": steps.kinds[:until].count("counted") * step - elapsed,
        "due_at": BEYOND if due is None else _text(due),
        "missed_at": _text(due) if missed and due is not None else None,
        "warnings": [
            {"percent": percent, "at": _text(at)}
            for percent, at in fired.items()
            if at is not None and at <= steps.end
        ],
        "intervals": steps.strip(),
    }


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _seconds(text: str) -> int:
    return int((datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1))


def _text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
