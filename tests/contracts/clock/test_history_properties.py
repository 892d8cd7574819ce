"""What holds for every history: a miss stays, the past is not rewritten, pauses and figures add up."""

from datetime import datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clock.calendar import ALWAYS
from contracts.clock.clock import State
from contracts.clock.history import (
    ClockKind,
    Entry,
    EntryKind,
    Reading,
    Terms,
    decide_clock,
    read_clock,
    read_clocks,
)
from contracts.clock.maintenance import MaintenanceTerms, Planned
from contracts.clock.track import ChangeRule, ClockRules, ReopenRule, Target, UpdateStart
from tests.contracts.clock.build import at, calendar

calm = settings(database=None, deadline=None, max_examples=60)
START = at("2026-11-20 15:00")
STATES = [
    ("new", None),
    ("in_progress", None),
    ("waiting", "requester"),
    ("waiting", "vendor"),
    ("resolved", None),
    ("closed", None),
    ("cancelled", None),
]


def random_rules(random: Random) -> ClockRules:
    business = random.choice([ALWAYS, calendar()])
    hours = {"P1": 1, "P2": 4, "P3": 30}
    kept = random.sample(sorted(hours), random.randint(2, 3))
    return ClockRules(
        targets={name: Target(hours[name] * 3_600, business) for name in kept},
        pause_reasons=frozenset(random.sample(["requester", "vendor"], random.randint(0, 2))),
        reopen=random.choice(list(ReopenRule)),
        change=random.choice(list(ChangeRule)),
        update_start=random.choice(list(UpdateStart)),
        warn_at_percent=(50, 90),
        maintenance=MaintenanceTerms(random.random() < 0.6, random.choice([None, calendar()])),
    )


def random_terms(random: Random) -> Terms:
    return Terms(random_rules(random), random_rules(random), random_rules(random), id=random.randint(1, 9))


def random_history(random: Random) -> list[Entry]:
    moment = START
    state, reason = random.choice(STATES[:3])
    history = [
        Entry(
            EntryKind.CREATED, moment, state=state, reason=reason, priority=random.choice(["P1", "P2", "P3"])
        )
    ]
    for _ in range(random.randint(1, 10)):
        moment += timedelta(minutes=random.choice([0, 1, 30, 240, random.randint(0, 3_000)]))
        history.append(random_entry(random, moment))
    return history


def random_planned(random: Random) -> list[Planned]:
    begins = [START + timedelta(minutes=random.randint(-600, 9_000)) for _ in range(random.randint(0, 3))]
    return [Planned(begin, begin + timedelta(minutes=random.randint(1, 900)), "Works") for begin in begins]


def random_entry(random: Random, moment: datetime) -> Entry:
    kind = random.choice(list(EntryKind)[1:])
    state, reason = random.choice(STATES)
    return Entry(
        kind,
        moment,
        state=state,
        reason=reason,
        priority=random.choice(["P1", "P2", "P3", "P4"]),
        by_kind=random.choice(["staff", "requester", "automatic"]),
        is_public=random.random() < 0.8,
        terms=random_terms(random) if kind is EntryKind.TERMS_APPLIED else None,
    )


def _by_cycle(readings: tuple[Reading, ...]) -> dict[tuple[str, int], Reading]:
    return {(reading.kind, reading.cycle): reading for reading in readings}


@calm
@given(st.integers(0, 2**32))
def test_what_was_decided_stays_decided(seed: int):
    random = Random(seed)
    terms, history, planned = random_terms(random), random_history(random), random_planned(random)
    end = history[-1].at + timedelta(days=3)
    final = _by_cycle(read_clocks(history, terms, end, planned))
    for length in range(1, len(history) + 1):
        until = history[length].at if length < len(history) else end
        earlier = _by_cycle(read_clocks(history[:length], terms, until, planned))
        for key, reading in earlier.items():
            known = reading.decisions
            assert final[key].decisions[: len(known)] == known


@calm
@given(st.integers(0, 2**32))
def test_later_entries_do_not_change_an_earlier_reading(seed: int):
    random = Random(seed)
    terms, history, planned = random_terms(random), random_history(random), random_planned(random)
    cut = random.randrange(1, len(history))
    moment = history[cut].at - timedelta(seconds=1)
    if moment < START:
        return
    known = [entry for entry in history if entry.at <= moment]
    assert read_clocks(history, terms, moment, planned) == read_clocks(known, terms, moment, planned)


@calm
@given(st.integers(0, 2**32))
def test_decisions_alone_are_those_of_the_readings(seed: int):
    random = Random(seed)
    terms, history, planned = random_terms(random), random_history(random), random_planned(random)
    as_of = START + timedelta(minutes=random.randint(0, 20_000))
    for kind in ClockKind:
        read = [
            one for reading in read_clock(kind, history, terms, as_of, planned) for one in reading.decisions
        ]
        alone = decide_clock(kind, history, terms, as_of, planned)
        assert None not in {one.terms_id for one in alone}
        assert [(one, one.priority, one.target_version, one.terms_id) for one in alone] == [
            (one, one.priority, one.target_version, one.terms_id) for one in read
        ]


@calm
@given(st.integers(0, 2**32))
def test_every_reading_is_sound(seed: int):
    random = Random(seed)
    terms, history, planned = random_terms(random), random_history(random), random_planned(random)
    as_of = history[-1].at + timedelta(minutes=random.choice([0, 1, 600]))
    for reading in read_clocks(history, terms, as_of, planned):
        verdict = reading.verdict
        missed = [made for made in reading.decisions if made.state is State.MISSED]
        assert (verdict.state is State.MISSED) == bool(missed) == (verdict.missed_at is not None)
        assert not missed or (verdict.missed_at, verdict.cause) == (missed[0].at, missed[0].cause)
        assert [made.at for made in reading.decisions] == sorted(made.at for made in reading.decisions)
        assert all(made.at <= as_of for made in reading.decisions)
        assert all(warning.at <= as_of for warning in verdict.warnings)
        assert verdict.next_look_at is None or verdict.next_look_at > as_of
        if verdict.clock is not None:
            whole = sum((part.to_at - part.from_at).total_seconds() for part in verdict.intervals)
            assert whole == verdict.clock.end - verdict.clock.timeline.started
