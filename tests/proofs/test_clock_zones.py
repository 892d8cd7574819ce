"""Every zone of the pinned rules, hour by hour: no change of offset is overlooked or misplaced."""

import zoneinfo
from datetime import datetime

import pytest

from contracts.clock.zones import ZONE_NAMES, eras

pytestmark = pytest.mark.prove

FIRST, LAST, PROBE = 0, 4_449_513_600, 6 * 3_600
"""1970 to 2111."""


def test_eras_agree_with_the_rules_everywhere() -> None:
    wrong = []
    for zone in sorted(ZONE_NAMES):
        rules = zoneinfo.ZoneInfo(zone)
        for from_, until, offset in eras(zone, FIRST, LAST):
            probes = (from_, until - 1, *range(from_, min(until, from_ + 20 * PROBE), PROBE))
            if any(datetime.fromtimestamp(at, rules).utcoffset().total_seconds() != offset for at in probes):  # type: ignore[union-attr]
                wrong.append((zone, from_))
    assert not wrong


@pytest.mark.parametrize("zone", sorted(ZONE_NAMES)[::12])
def test_no_change_within_an_era(zone: str) -> None:
    rules = zoneinfo.ZoneInfo(zone)
    for from_, until, offset in eras(zone, FIRST, LAST):
        for at in range(from_, until, 43_200):
            assert datetime.fromtimestamp(at, rules).utcoffset().total_seconds() == offset, at  # type: ignore[union-attr]
