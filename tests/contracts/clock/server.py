"""The SLA clock against PostgreSQL: `generate_series` over minutes and `AT TIME ZONE`, nothing of Python's in between.

The server may know other zone rules than the pinned ones. So offsets are compared first, what differs is printed, and a
case that touches a year in which its zone differs is drawn again.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any

import psycopg

from contracts.clock.calculation import answer, parse
from contracts.clock.zones import eras
from tests.contracts.clock import oracle
from tests.contracts.clock.build import EVERY_DAY, document, hours
from tests.contracts.clock.cases import FIRST_YEAR, LAST_YEAR, ZONES, random_case

Server = psycopg.Connection[dict[str, Any]]

MONTH = 2_629_746

OFFSETS = """
SELECT at, extract(epoch FROM (to_timestamp(at) AT TIME ZONE %(zone)s) - (to_timestamp(at) AT TIME ZONE 'UTC'))::int
  FROM unnest(%(instants)s::bigint[]) AS at
"""

CLOCK = """
WITH minute AS MATERIALIZED (
    SELECT at, (wall)::date AS on_date, extract(hour FROM wall) * 60 + extract(minute FROM wall) AS minute,
           EXISTS (SELECT FROM jsonb_array_elements(%(pauses)s) AS pause
                    WHERE at >= (pause->>'from')::timestamptz
                      AND at < coalesce((pause->>'to')::timestamptz, 'infinity')
                      AND at < coalesce(%(stop)s::timestamptz, 'infinity')) AS paused
      FROM generate_series(%(start)s::timestamptz, %(walk)s::timestamptz, '1 minute') AS at,
           LATERAL (SELECT at AT TIME ZONE %(zone)s AS wall) AS local
), opening AS MATERIALIZED (
    SELECT on_date, split_part(hours->>'from', ':', 1)::int * 60 + split_part(hours->>'from', ':', 2)::int AS opens,
           coalesce(nullif(split_part(hours->>'to', ':', 1)::int * 60 + split_part(hours->>'to', ':', 2)::int, 0), 1440)
             AS closes
      FROM (SELECT min(on_date) - 1 AS first, max(on_date) AS last FROM minute) AS bounds,
           LATERAL (SELECT first + number AS on_date FROM generate_series(0, last - first) AS number) AS dates,
           LATERAL jsonb_array_elements(
             CASE WHEN %(special)s::jsonb ? on_date::text THEN %(special)s::jsonb -> on_date::text
                  WHEN %(holidays)s::jsonb ? on_date::text THEN '[]'
                  ELSE coalesce(%(weekly)s::jsonb -> extract(isodow FROM on_date)::text, '[]') END) AS hours
), state AS (
    SELECT at, paused, on_date,
           EXISTS (SELECT FROM opening WHERE opening.on_date = minute.on_date AND minute >= opens
                      AND (minute < closes OR closes < opens))
        OR EXISTS (SELECT FROM opening WHERE opening.on_date = minute.on_date - 1 AND closes < opens
                      AND minute < closes) AS open
      FROM minute
), counted AS (
    SELECT *, 60 * count(*) FILTER (WHERE open AND NOT paused) OVER (ORDER BY at) AS total FROM state
)
SELECT count(*) FILTER (WHERE open AND NOT paused AND at < %(end)s) * 60 AS elapsed_seconds,
       count(*) FILTER (WHERE open AND paused AND at < %(end)s) * 60 AS paused_business_seconds,
       min(at + interval '1 minute') FILTER (WHERE total = %(target)s AND open AND NOT paused) AS due_at,
       count(*) FILTER (WHERE paused AND at < %(end)s) * 60 AS paused,
       count(*) FILTER (WHERE NOT open AND NOT paused AND at < %(end)s AND %(holidays)s::jsonb ? on_date::text) * 60
         AS holiday,
       count(*) FILTER (WHERE NOT open AND NOT paused AND at < %(end)s AND NOT %(holidays)s::jsonb ? on_date::text) * 60
         AS outside_hours
  FROM counted
"""


def compare(server: Server, *, cases: int, seed: int) -> list[str]:
    """Draw cases from the seed and say, for each that differs, in what."""
    differing = differing_years(server)
    print(f"{len(differing)} zones of {len(ZONES)} differ in some years from {FIRST_YEAR} to {LAST_YEAR + 1}")
    for zone, years in sorted(differing.items()):
        print(f"  {zone}: {', '.join(_ranges(sorted(years)))}")
    random, failures, redrawn = Random(seed), list[str](), 0
    for number in range(cases):
        payload = random_case(random)
        while _touches(payload, differing):
            payload, redrawn = random_case(random), redrawn + 1
        found = differences(server, payload)
        if found:
            failures.append(f"case {number}: {found}\n{json.dumps(payload)}")
    print(f"seed {seed}: {cases} cases, {redrawn} drawn again for their zone rules, {len(failures)} differ")
    return failures


@contextmanager
def connected(dsn: str) -> Iterator[Server]:
    """A connection to the server that is the oracle."""
    with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row, autocommit=True) as connection:
        connection.execute("SET jit = off")
        yield connection


def differing_years(server: Server) -> dict[str, set[int]]:
    """The years in which a zone's offset differs anywhere: at both ends of each era, and month by month."""
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (FIRST_YEAR, LAST_YEAR + 2))
    known = {row["name"] for row in server.execute("SELECT name FROM pg_timezone_names")}
    found: dict[str, set[int]] = {}
    for zone in ZONES:
        if zone not in known:
            found[zone] = set(range(FIRST_YEAR, LAST_YEAR + 2))
            continue
        expected = _offsets(zone, first, last)
        rows = server.execute(OFFSETS, {"zone": zone, "instants": list(expected)})
        wrong = [row["at"] for row in rows if row["extract"] != expected[row["at"]]]
        if wrong:
            found[zone] = {datetime.fromtimestamp(at, UTC).year for at in wrong}
    return found


def _offsets(zone: str, first: int, last: int) -> dict[int, int]:
    offsets: dict[int, int] = {}
    for from_, until, offset in eras(zone, first, last):
        offsets |= dict.fromkeys((from_, until - 1, *range(from_, until, MONTH)), offset)
    return offsets


def differences(server: Server, payload: dict[str, Any]) -> dict[str, tuple[object, object]]:
    """What engine and server disagree on: figure, engine's value, server's value."""
    actual, walk = answer(parse(payload)), _instant(payload["as_of"]) + timedelta(days=1)
    expected = _asked(server, payload, walk)
    figures: dict[str, object] = {
        name: actual[name] for name in ("elapsed_seconds", "paused_business_seconds")
    }
    due = actual["due_at"] and _instant(str(actual["due_at"]))
    figures["due_at"] = due if due and due <= walk else None
    if expected["due_at"] is not None and expected["due_at"] > walk:
        expected["due_at"] = None
    for kind in ("paused", "holiday", "outside_hours"):
        figures[kind] = _length(actual["intervals"], kind)
    return {name: (figures[name], expected[name]) for name in figures if figures[name] != expected[name]}


def _asked(server: Server, payload: dict[str, Any], walk: datetime) -> dict[str, Any]:
    calendar = payload["calendar"]
    if calendar == "always":
        calendar = document("UTC", hours=hours(EVERY_DAY, "00:00-24:00"))
    as_of, stop = _instant(payload["as_of"]), payload["stopped_at"] and _instant(payload["stopped_at"])
    stop = stop if stop and stop <= as_of else None
    weekly = sorted(calendar["hours"], key=lambda entry: oracle.WEEKDAYS.index(entry["weekday"]))
    by_day = groupby(weekly, key=lambda entry: oracle.WEEKDAYS.index(entry["weekday"]) + 1)
    row = server.execute(
        CLOCK,
        {
            "zone": calendar["time_zone"],
            "start": _instant(payload["started_at"]),
            "end": stop or as_of,
            "stop": stop,
            "walk": walk,
            "target": payload["target_minutes"] * 60,
            "pauses": json.dumps(payload["pauses"]),
            "weekly": json.dumps({str(day): list(entries) for day, entries in by_day}),
            "holidays": json.dumps(calendar.get("holidays", [])),
            "special": json.dumps({day["on"]: day["hours"] for day in calendar.get("special_days", [])}),
        },
    ).fetchone()
    assert row is not None
    return row


def _touches(payload: dict[str, Any], differing: dict[str, set[int]]) -> bool:
    if payload["calendar"] == "always":
        return False
    first, last = _instant(payload["started_at"]), _instant(payload["as_of"]) + timedelta(days=2)
    return bool(
        differing.get(payload["calendar"]["time_zone"], set()) & set(range(first.year, last.year + 1))
    )


def _length(intervals: Any, kind: str) -> int:
    spans = (_instant(part["to"]) - _instant(part["from"]) for part in intervals if part["kind"] == kind)
    return int(sum(spans, timedelta()).total_seconds())


def _ranges(years: list[int]) -> Iterable[str]:
    """Years as `1990-1993`."""
    for _, run in groupby(enumerate(years), key=lambda pair: pair[1] - pair[0]):
        members = [year for _, year in run]
        yield str(members[0]) if len(members) == 1 else f"{members[0]}-{members[-1]}"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
