"""How much may be under way at once: pure.

P1. At most so many machines at once in a campaign, at a client, at a site. P2. A campaign that ramps up begins with a
few and doubles with every as many successes: by results, never by time alone. P3. Machines tagged as one service
(`service:…`) are never unavailable together: those at work, those about to be, and those that are silent for whatever
reason count.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SERVICE = "service:"


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit. `ramp_from` machines at first; `per_service` of one service may be unavailable."""

    at_once: int | None = None
    per_tenant: int | None = None
    per_site: int | None = None
    ramp_from: int | None = None
    per_service: int = 1

    @property
    def is_none(self) -> bool:
        """Whether only services are looked after."""
        return not any((self.at_once, self.per_tenant, self.per_site, self.ramp_from))

    def most(self, successes: int) -> int | None:
        """How many may be under way in the whole campaign after so many successes (P1, P2)."""
        if self.ramp_from is None:
            return self.at_once
        ramped = self.ramp_from
        while successes >= ramped:
            successes -= ramped
            ramped *= 2
        return ramped if self.at_once is None else min(ramped, self.at_once)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An action that waits for its turn, and where its asset belongs."""

    action_id: int
    tenant_id: int
    asset_id: int
    site_id: int | None = None
    tags: tuple[str, ...] = ()

    @property
    def services(self) -> tuple[tuple[int, str], ...]:
        """The services that this asset is part of, at its client."""
        return tuple((self.tenant_id, tag) for tag in self.tags if tag.startswith(SERVICE))


@dataclass(slots=True)
class UnderWay:
    """What is under way already: in all, by tenant and by site; and the unavailable assets of each service."""

    total: int = 0
    by_tenant: Counter[int] = field(default_factory=Counter)
    by_site: Counter[tuple[int, int]] = field(default_factory=Counter)
    unavailable: dict[tuple[int, str], set[int]] = field(default_factory=dict)

    def add(self, one: Candidate) -> None:
        """Count a machine whose turn has come."""
        self.total += 1
        self.by_tenant[one.tenant_id] += 1
        if one.site_id is not None:
            self.by_site[one.tenant_id, one.site_id] += 1
        for service in one.services:
            self.unavailable.setdefault(service, set()).add(one.asset_id)


def choose(
    waiting: Iterable[Candidate], under_way: UnderWay, limits: Limits, *, successes: int
) -> list[Candidate]:
    """Whose turn it is, in the order in which they wait (P1 to P3); what is under way grows by them."""
    most, chosen = limits.most(successes), []
    for one in waiting:
        if most is not None and under_way.total >= most:
            break
        if _fits(one, under_way, limits):
            under_way.add(one)
            chosen.append(one)
    return chosen


def _fits(one: Candidate, under_way: UnderWay, limits: Limits) -> bool:
    if limits.per_tenant is not None and under_way.by_tenant[one.tenant_id] >= limits.per_tenant:
        return False
    site = (one.tenant_id, one.site_id or 0)
    if limits.per_site is not None and one.site_id is not None and under_way.by_site[site] >= limits.per_site:
        return False
    return all(_spares(one, under_way.unavailable, service, limits) for service in one.services)


def _spares(
    one: Candidate,
    unavailable: Mapping[tuple[int, str], set[int]],
    service: tuple[int, str],
    limits: Limits,
) -> bool:
    """Whether enough of the service stays while this machine is at work."""
    return len(unavailable.get(service, set()) - {one.asset_id}) < limits.per_service
