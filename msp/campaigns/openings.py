"""Which lanes may open now: pure.

O1. A lane opens only with its client's consent (a client that has not consented leaves the quorum). O2. Its client's
earlier lanes have passed. O3. The wave before has proven itself: every lane of it whose client consents has passed, and
at least one has; a wave in which nobody took part proves nothing. O4. The client's window has room.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lane:
    """What counts of a lane."""

    id: int
    tenant_id: int
    ordinal: int
    state: str
    is_waived: bool = False
    has_members: bool = True

    @property
    def has_passed(self) -> bool:
        """Whether what follows may build on it."""
        return self.state == "passed" or (self.state == "skipped" and self.is_waived)

    @property
    def is_out(self) -> bool:
        """Whether it ended without taking part."""
        return self.state == "skipped" and not self.is_waived


def proven(wave: Iterable[Lane], consenting: Collection[int]) -> bool:
    """Whether the next wave may build on this one (O3)."""
    quorum = [lane for lane in wave if lane.tenant_id in consenting and not lane.is_out]
    return bool(quorum) and all(lane.has_passed for lane in quorum)


def proves_nothing(wave: Sequence[Lane]) -> bool:
    """Whether a wave is over and nobody took part in it."""
    return bool(wave) and all(lane.is_out for lane in wave)


def blocked_by(
    waiting: Iterable[Lane], lanes: Sequence[Lane], consenting: Collection[int], roomy: Mapping[int, str]
) -> dict[int, str | None]:
    """Why each of these lanes may not open now: `consent`, `previous`, `window`, `freeze`; None when it may.

    `roomy` says for tenants without room whether it is the window or a freeze.
    """
    waves: dict[int, list[Lane]] = defaultdict(list)
    # The first of each client's lanes on which nothing may build yet.
    stuck: dict[int, int] = {}
    for one in sorted(lanes, key=lambda lane: lane.ordinal):
        waves[one.ordinal].append(one)
        if one.has_members and not one.has_passed:
            stuck.setdefault(one.tenant_id, one.ordinal)
    closed = {ordinal for ordinal, wave in waves.items() if not proven(wave, consenting)}
    found: dict[int, str | None] = {}
    for lane in waiting:
        if lane.tenant_id not in consenting:
            found[lane.id] = "consent"
        elif stuck.get(lane.tenant_id, lane.ordinal) < lane.ordinal or lane.ordinal - 1 in closed:
            found[lane.id] = "previous"
        else:
            found[lane.id] = roomy.get(lane.tenant_id)
    return found
