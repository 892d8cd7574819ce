"""What business time costs on one core: pure arithmetic, so the figures are microseconds and the goals are limits."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from timeit import repeat

from contracts.clock.clock import calculate
from contracts.clock.timeline import Pause
from tests.contracts.clock.build import calendar

START = datetime(2026, 1, 3, 5, tzinfo=UTC)
HOLIDAYS = [f"{year}-{month:02}-05" for year in range(2020, 2038) for month in range(1, 13)]
OFFICE = calendar("Europe/Berlin", holidays=HOLIDAYS)
PAUSE = Pause(START + timedelta(days=2), START + timedelta(days=3))
MONTH, DECADE = 30, 3_653


def best(call: Callable[[], object], calls: int = 200) -> float:
    """Microseconds per call, the best of five rounds."""
    return min(repeat(call, number=calls, repeat=5)) / calls * 1e6


def measures() -> Iterator[tuple[str, float, int]]:
    """What is worked out, its microseconds, and the most that it may take."""
    yield from _span(MONTH, 200)
    yield from _span(DECADE, 2_000)
    month = START + timedelta(days=MONTH)
    yield "open spans of 30 days", best(lambda: OFFICE.open_spans(START, month)), 400
    yield (
        "a verdict over 30 days",
        best(lambda: calculate(OFFICE, 288_000, START, [PAUSE], None, month, (50, 75, 90))),
        1_000,
    )


def _span(days: int, goal: int) -> Iterator[tuple[str, float, int]]:
    end = START + timedelta(days=days)
    seconds = OFFICE.elapsed(START, end)
    yield f"elapsed over {days} days", best(lambda: OFFICE.elapsed(START, end)), goal
    yield f"add over {days} days", best(lambda: OFFICE.add(START, seconds)), goal


def table() -> list[tuple[str, ...]]:
    """One line for each."""
    return [("clock", "µs", "goal")] + [(name, f"{took:.0f}", str(goal)) for name, took, goal in measures()]
