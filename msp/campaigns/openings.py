"""Which lanes may open now: pure.

O1. A lane opens only with its client's consent (a client that has not consented leaves the quorum). O2. Its client's
earlier lanes have passed. O3. The wave before has proven itself: every lane of it whose client consents has passed, and
at least one has; a wave in which nobody took part proves nothing. O4. The client's window has room.
"""

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
    lane: Lane, lanes: Sequence[Lane], consenting: Collection[int], roomy: Mapping[int, str]
) -> str | None:
    """Why a lane may not open now: `consent`, `previous`, `window`, `freeze`; None when it may.

    `roomy` says for tenants without room whether it is the window or a freeze.
    """
    if lane.tenant_id not in consenting:
        return "consent"
    own = [one for one in lanes if one.tenant_id == lane.tenant_id and one.ordinal < lane.ordinal]
    if not all(one.has_passed or not one.has_members for one in own):
        return "previous"
    before = [one for one in lanes if one.ordinal == lane.ordinal - 1]
    if before and not proven(before, consenting):
        return "previous"
    return roomy.get(lane.tenant_id)
