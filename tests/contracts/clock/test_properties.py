"""What holds for every calendar, span and pause."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clock.calculation import parse
from contracts.clock.calendar import Calendar
from contracts.clock.clock import ClockInput, State, Verdict, judge
from contracts.clock.instants import instant_of
from contracts.clock.strip import IntervalKind
from contracts.clock.wall import Kind
from tests.contracts.clock.cases import NOTABLE, random_calendar, random_case

calm = settings(database=None, deadline=None, max_examples=80)

FIRST = 1_072_915_200
"""2004-01-01, seconds since 1970."""


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Calendars with holidays and special days around the spans below."""
    random = Random(draw(st.integers(0, 2**32)))
    days = [(instant_of(FIRST) + timedelta(days=offset)).date() for offset in random.sample(range(7_000), 8)]
    payload = random_case(Random(1)) | {
        "calendar": random_calendar(random, draw(st.sampled_from(NOTABLE)), days)
    }
    return parse(payload).clock.calendar


instants = st.integers(FIRST, FIRST + 20 * 365 * 86_400).map(instant_of)


@st.composite
def readings(draw: st.DrawFn) -> Verdict:
    random = Random(draw(st.integers(0, 2**32)))
    return judge(parse(random_case(random, step=random.choice([1, 60]))).clock)


@calm
@given(calendars(), st.tuples(instants, instants, instants).map(sorted))
def test_elapsed_is_additive(calendar: Calendar, three: list[datetime]):
    a, b, c = three
    assert calendar.elapsed(a, b) + calendar.elapsed(b, c) == calendar.elapsed(a, c)


@calm
@given(calendars(), st.tuples(instants, instants, instants).map(sorted))
def test_elapsed_is_monotone_and_never_more_than_wall_time(calendar: Calendar, three: list[datetime]):
    a, b, c = three
    assert 0 <= calendar.elapsed(a, b) <= calendar.elapsed(a, c)
    assert calendar.elapsed(a, b) <= (b - a).total_seconds()


@calm
@given(calendars(), instants, st.integers(1, 40 * 3_600))
def test_adding_finds_the_earliest_instant(calendar: Calendar, start: datetime, seconds: int):
    found = calendar.add(start, seconds)
    if found is None:
        assert calendar.elapsed(start, start + timedelta(days=3_653)) < seconds
        return
    assert calendar.elapsed(start, found) == seconds
    assert calendar.elapsed(start, found - timedelta(seconds=1)) == seconds - 1


@calm
@given(calendars(), instants, st.integers(1, 40 * 3_600), st.integers(1, 3_600))
def test_adding_is_strictly_monotone(calendar: Calendar, start: datetime, seconds: int, more: int):
    sooner, later = calendar.add(start, seconds), calendar.add(start, seconds + more)
    assert later is None or (sooner is not None and sooner < later)


@calm
@given(calendars(), instants, st.integers(0, 30 * 86_400))
def test_open_spans_are_apart_and_add_up(calendar: Calendar, start: datetime, length: int):
    end = start + timedelta(seconds=length)
    spans = calendar.open_spans(start, end)
    assert sum((b - a).total_seconds() for a, b in spans) == calendar.elapsed(start, end)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(spans))
    for a, b in spans:
        assert calendar.kind_at(a) is calendar.kind_at(b - timedelta(seconds=1)) is Kind.OPEN
        assert a == start or not calendar.is_open(a - timedelta(seconds=1))
        assert b == end or not calendar.is_open(b)


@calm
@given(readings())
def test_the_strip_partitions_wall_time_and_adds_up_to_the_figures(verdict: Verdict):
    clock = verdict.clock
    assert clock is not None
    parts = verdict.intervals
    assert all(part.from_at < part.to_at for part in parts)
    assert all(a.to_at == b.from_at and a.kind is not b.kind for a, b in pairwise(parts))
    whole = sum((part.to_at - part.from_at).total_seconds() for part in parts)
    assert whole == clock.end - clock.timeline.started
    counted = [part for part in parts if part.kind is IntervalKind.COUNTED]
    assert sum((part.to_at - part.from_at).total_seconds() for part in counted) == verdict.elapsed_seconds
    paused = [part for part in parts if part.kind is IntervalKind.PAUSED]
    assert sum(clock.calendar.elapsed(p.from_at, p.to_at) for p in paused) == verdict.paused_business_seconds


@calm
@given(readings())
def test_the_figures_agree_with_each_other(verdict: Verdict):
    clock = verdict.clock
    assert clock is not None
    end = instant_of(clock.end)
    assert verdict.elapsed_seconds + verdict.remaining_seconds == clock.target_seconds
    whole = clock.calendar.elapsed(clock.started_at, end)
    assert verdict.elapsed_seconds + verdict.paused_business_seconds == whole
    assert (verdict.state is State.MISSED) == (verdict.missed_at is not None)
    assert verdict.state is not State.MISSED or verdict.missed_at == verdict.due_at
    ats = [warning.at for warning in (*verdict.warnings, *verdict.upcoming)]
    assert ats == sorted(ats)
    assert all(warning.at <= end for warning in verdict.warnings)


@calm
@given(readings())
def test_at_the_next_look_something_has_changed_and_before_it_nothing(verdict: Verdict):
    clock, look = verdict.clock, verdict.next_look_at
    if clock is None or look is None:
        return
    later = judge(_read_at(verdict, look))
    before = judge(_read_at(verdict, max(clock.as_of, look - timedelta(seconds=1))))
    assert (later.missed_at, later.warnings) != (verdict.missed_at, verdict.warnings)
    assert (before.missed_at, before.warnings) == (verdict.missed_at, verdict.warnings)


def _read_at(verdict: Verdict, as_of: datetime) -> ClockInput:
    """The same clock later, with nothing else having happened."""
    assert verdict.clock is not None
    return replace(verdict.clock, as_of=as_of, stopped_at=None)


def test_a_month_and_ten_years_agree_with_their_parts():
    random = Random(secrets.randbelow(2**32))
    for _ in range(10):
        payload = random_case(random)
        calendar = parse(payload).clock.calendar
        start = parse(payload).clock.started_at
        for days in (30, 3_653):
            cuts = [start + timedelta(days=day) for day in range(days + 1)]
            parts = sum(calendar.elapsed(a, b) for a, b in pairwise(cuts))
            assert parts == calendar.elapsed(cuts[0], cuts[-1])
