"""Time zones as stretches of constant offset, all from one set of rules (R22).

The rules come from the pinned `tzdata` package only, so that two machines never disagree about a due time.
"""

import zoneinfo
from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from contracts.clock.instants import DAY

zoneinfo.reset_tzpath(())
ZoneInfo.clear_cache()

ZONE_NAMES = frozenset(zoneinfo.available_timezones())

CHUNK = 731 * DAY
# An offset may come back after less than a week (America/Boa_Vista, October 2000); a test holds this stride
# against every zone in the pinned rules.
STRIDE = 5 * DAY

Era = tuple[int, int, int]
"""(from, until, offset from UTC): an offset in force, all in seconds."""


def offset_at(zone: str, at: int) -> int:
    """Return the zone's offset from UTC, in seconds, at an instant."""
    starts, offsets = _chunk(zone, at // CHUNK)
    return offsets[bisect_right(starts, at) - 1]


def eras(zone: str, from_: int, until: int) -> Iterator[Era]:
    """Yield the offsets in force within `[from_, until)`, in order, without gap or overlap."""
    while from_ < until:
        number = from_ // CHUNK
        starts, offsets = _chunk(zone, number)
        ends = (*starts[1:], (number + 1) * CHUNK)
        for index in range(bisect_right(starts, from_) - 1, len(starts)):
            end = min(ends[index], until)
            yield from_, end, offsets[index]
            from_ = end
            if from_ == until:
                return


@lru_cache(maxsize=4096)
def _chunk(zone: str, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return where offsets begin, and the offsets, in the chunk of two years with this number."""
    rules = ZoneInfo(zone)
    start = number * CHUNK
    starts, offsets = [start], [_probe(rules, start)]
    for probe in (*range(start + STRIDE, start + CHUNK, STRIDE), start + CHUNK - 1):
        offset = _probe(rules, probe)
        if offset != offsets[-1]:
            starts.append(_first_with(rules, offset, probe))
            offsets.append(offset)
    return tuple(starts), tuple(offsets)


def _first_with(rules: ZoneInfo, offset: int, after: int) -> int:
    """Return the first second of the offset in force at `after`; only one change lies in the last stride."""
    before = after - STRIDE
    while after - before > 1:
        middle = (before + after) // 2
        if _probe(rules, middle) == offset:
            after = middle
        else:
            before = middle
    return after


def _probe(rules: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, rules).utcoffset()
    return offset.days * DAY + offset.seconds if offset is not None else 0
