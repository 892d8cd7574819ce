"""Random calculations, valid by construction, from a seeded generator."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from contracts.clock.calculation import answer, parse
from tests.contracts.clock import oracle

zoneinfo.reset_tzpath(())

NOTABLE = [
    "Asia/Jakarta",
    "Asia/Makassar",
    "Asia/Jayapura",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Africa/Casablanca",
]
"""The zones that the specification names."""

ZONES = sorted(zoneinfo.available_timezones() - {"Factory"})
WEEK = 7 * 1440
FIRST_YEAR, LAST_YEAR = 1973, 2045
"""Offsets are whole minutes from 1973 on."""


def random_case(random: Random, *, step: int = 60) -> dict[str, Any]:
    """A calculation over some days (some hours, for `step` 1), half of them around a change of offset."""
    zone = random.choice(NOTABLE if random.random() < 0.6 else ZONES)
    length = random.choice([12, 24, 24, 40, 60]) * 3_600 if step == 60 else random.randint(600, 5_000)
    if random.random() < 0.005 and step == 60:
        length = 45 * 86_400
    start = _start(random, zone, length, step)
    as_of = start + random.randrange(0, length, step)
    on = datetime.fromtimestamp(start, zoneinfo.ZoneInfo(zone)).date()
    days = [on + timedelta(days=offset) for offset in range(-2, length // 86_400 + 4)]
    calendar = random_calendar(random, zone, days) if random.random() < 0.97 else "always"
    return {
        "calendar": calendar,
        "target_minutes": random.choice([1, 7, 60, 240, random.randint(1, 3_000)]),
        "warn_at_percent": sorted(random.sample(range(1, 101), random.randint(0, 4))),
        "started_at": _text(start),
        "pauses": random_pauses(random, start, length, step),
        "stopped_at": _text(start + random.randrange(0, length, step)) if random.random() < 0.4 else None,
        "as_of": _text(as_of),
    }


def random_calendar(random: Random, zone: str, days: list[date]) -> dict[str, Any]:
    """A calendar whose holidays and special days lie on the given days."""
    special = random.sample(days, random.choice([0, 0, 1, 2]))
    return {
        "time_zone": zone,
        "hours": random_week(random),
        "holidays": [day.isoformat() for day in random.sample(days, random.choice([0, 0, 1, 2]))],
        "special_days": [
            {"on": day.isoformat(), "hours": random_hours(random, bytearray(2880), 0)} for day in special
        ],
    }


def random_week(random: Random) -> list[dict[str, str]]:
    """Weekly hours without overlap, in any order, some through midnight."""
    taken = bytearray(WEEK)
    entries = []
    for weekday in random.sample(range(7), random.randint(0, 7)):
        name = oracle.WEEKDAYS[weekday]
        entries += [{"weekday": name, **hours} for hours in random_hours(random, taken, weekday * 1440)]
    random.shuffle(entries)
    return entries


def random_hours(random: Random, taken: bytearray, midnight: int) -> list[dict[str, str]]:
    """Up to three intervals that leave alone what is taken; in a week, Sunday's night goes on in Monday."""
    found = []
    for _ in range(random.randint(0, 3)):
        opens = random.choice([0, 60 * random.randint(0, 23), random.randint(0, 1439)])
        closes = random.choice([1440, 60 * random.randint(1, 24), random.randint(1, 1440)])
        if opens == closes:
            continue
        end = closes if opens < closes else closes + 1440
        spans = [(midnight + opens, midnight + end)]
        if len(taken) == WEEK and midnight + end > WEEK:
            spans = [(midnight + opens, WEEK), (0, midnight + end - WEEK)]
        if any(any(taken[a:b]) for a, b in spans):
            continue
        for a, b in spans:
            taken[a:b] = bytes([1]) * (b - a)
        found.append({"from": _time(opens), "to": _time(closes if random.random() < 0.5 else closes % 1440)})
    return found


def random_pauses(random: Random, start: int, length: int, step: int) -> list[dict[str, str | None]]:
    """Pauses that do not overlap, some touching, some before the start or after everything, the last perhaps open."""
    count = random.choice([0, 0, 1, 2, 3])
    instants = sorted(random.sample(range(start - length // 2, start + 2 * length, step), 2 * count))
    pairs = list(zip(instants[::2], instants[1::2], strict=True))
    if len(pairs) > 1 and random.random() < 0.3:
        pairs[1] = (pairs[0][1], pairs[1][1])
    pauses: list[dict[str, str | None]] = [{"from": _text(a), "to": _text(b)} for a, b in pairs]
    if pauses and random.random() < 0.3:
        pauses[-1]["to"] = None
    random.shuffle(pauses)
    return pauses


def differences(payload: dict[str, Any], *, step: int = 60) -> dict[str, tuple[object, object]]:
    """What the engine and the oracle disagree on: member, engine's value, oracle's value."""
    walk = 86_400 if step == 60 else 3_600
    expected = oracle.answer(payload, step=step, walk=walk)
    actual = answer(parse(payload))
    if expected["due_at"] == oracle.BEYOND and _is_beyond(actual["due_at"], payload["as_of"], walk):
        expected["due_at"] = actual["due_at"]
    return {name: (actual[name], expected[name]) for name in expected if actual[name] != expected[name]}


def _is_beyond(due_at: object, as_of: str, walk: int) -> bool:
    if due_at is None:
        return True
    return datetime.fromisoformat(str(due_at)) >= datetime.fromisoformat(as_of) + timedelta(seconds=walk)


def _start(random: Random, zone: str, length: int, step: int) -> int:
    year = random.randint(FIRST_YEAR, LAST_YEAR)
    if zone == "Pacific/Apia" and random.random() < 0.5:
        year = 2011
    changes = offset_changes(zone, year)
    if changes and (step == 1 or random.random() < 0.5):
        return random.choice(changes) - random.randrange(0, length // 2, step)
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) + random.randrange(0, 365 * 86_400, step)


@lru_cache
def offset_changes(zone: str, year: int) -> tuple[int, ...]:
    """The instants of a year at which the zone's offset changes, found day by day and then by halving."""
    rules = zoneinfo.ZoneInfo(zone)

    def offset(at: int) -> timedelta | None:
        return datetime.fromtimestamp(at, rules).utcoffset()

    first = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    found = []
    for day in range(first, first + 365 * 86_400, 86_400):
        low, high = day, day + 86_400
        if offset(low) == offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        found.append(high)
    return tuple(found)


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
