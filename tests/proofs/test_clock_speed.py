"""How long business time takes to work out, on one core: the limits that keep the sweep and the pages quick."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from timeit import repeat

import pytest

from contracts.clock.clock import calculate
from contracts.clock.timeline import Pause
from tests.contracts.clock.build import calendar

pytestmark = pytest.mark.prove

START = datetime(2026, 1, 3, 5, tzinfo=UTC)
HOLIDAYS = [f"{year}-{month:02}-05" for year in range(2020, 2038) for month in range(1, 13)]
OFFICE = calendar("Europe/Berlin", holidays=HOLIDAYS)


def best(call: Callable[[], object], calls: int = 200) -> float:
    """Microseconds per call, the best of five rounds."""
    return min(repeat(call, number=calls, repeat=5)) / calls * 1e6


@pytest.mark.parametrize(("days", "limit"), [(30, 200), (3_653, 2_000)])
def test_elapsed_and_add_keep_their_limits(days: int, limit: int) -> None:
    end = START + timedelta(days=days)
    seconds = OFFICE.elapsed(START, end)
    found = {
        "elapsed": best(lambda: OFFICE.elapsed(START, end)),
        "add": best(lambda: OFFICE.add(START, seconds)),
    }
    print(f"{days} days: " + ", ".join(f"{name} {figure:.0f} µs" for name, figure in found.items()))
    assert max(found.values()) <= limit


def test_open_spans_of_a_month_keep_their_limit() -> None:
    figure = best(lambda: OFFICE.open_spans(START, START + timedelta(days=30)))
    print(f"open_spans of 30 days: {figure:.0f} µs")
    assert figure <= 400


def test_a_verdict_over_a_month_keeps_its_limit() -> None:
    pause = Pause(START + timedelta(days=2), START + timedelta(days=3))
    figure = best(
        lambda: calculate(OFFICE, 288_000, START, [pause], None, START + timedelta(days=30), (50, 75, 90))
    )
    print(f"a verdict over 30 days: {figure:.0f} µs")
    assert figure <= 1_000
