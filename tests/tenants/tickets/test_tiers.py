"""The time in each tier adds up to the ticket's whole time, whatever way it took."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tenants.tickets.models import TIERS
from tenants.tickets.tiers import path_of
from tests.tickets import MONDAY, later


@dataclass
class Line:
    kind: str
    at: Any
    data: dict


def made(old, new, minutes):
    return Line("hand_over_made", later(minutes=minutes), {"from_tier": old, "to_tier": new})


def returned(old, new, minutes):
    return Line("hand_over_returned", later(minutes=minutes), {"from_tier": old, "to_tier": new})


OPENED = Line("opened", MONDAY, {})


def test_never_handed_over():
    path = path_of([OPENED], "L2", until=later(hours=1))
    assert (path.stays, path.returned, path.repeated) == ([("L2", timedelta(hours=1))], 0, 0)


def test_there_and_back_and_there_again():
    lines = [OPENED, made("L1", "L2", 10), returned("L1", "L2", 15), made("L1", "L2", 45)]
    path = path_of(lines, "L2", until=later(minutes=60))
    assert path.stays == [("L1", timedelta(minutes=40)), ("L2", timedelta(minutes=20))]
    assert (path.returned, path.repeated) == (1, 2)


def test_up_all_the_way_repeats_nothing():
    lines = [OPENED, made("L1", "L2", 10), made("L2", "L3", 20), made("L3", "vendor", 30)]
    path = path_of(lines, "vendor", until=later(minutes=60))
    assert [tier for tier, _span in path.stays] == list(TIERS)
    assert (path.returned, path.repeated) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from(TIERS), st.booleans(), st.integers(0, 500)), max_size=20))
def test_the_spans_add_up(steps):
    lines, tier, at = [OPENED], "L1", 0
    for to, back, minutes in steps:
        at += minutes
        lines.append(returned(to, tier, at) if back else made(tier, to, at))
        tier = to
    path = path_of(lines, tier, until=later(minutes=at + 5))
    total = sum((span for _tier, span in path.stays), timedelta())
    first = next((line for line in lines if line.kind != "opened"), None)
    if first is None or first.kind == "hand_over_made":
        assert total == timedelta(minutes=at + 5)
    assert all(span >= timedelta() for _tier, span in path.stays)
    assert path.returned == sum(line.kind == "hand_over_returned" for line in lines)
