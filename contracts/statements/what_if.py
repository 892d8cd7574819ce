"""Draft terms replayed over the histories of a past period, beside what was. Pure but for reading; stores nothing.

Both sides are recomputed by the same function: what was, by the version that measures each ticket; what would have
been, by the draft from the ticket's beginning. A target belongs to the month in which it was decided, in the period's
zone. What amendments set aside is not known here.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import func, or_, select

from contracts.clock.history import ClockKind, Entry, Terms
from contracts.clock.maintenance import Planned
from contracts.statements.rules import Figure, following, propose_credit, totals_of
from contracts.terms.document import read_terms
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.queries import list_contracts, list_versions
from contracts.timers.planned import planned_for
from contracts.timers.queries import month_bounds
from contracts.timers.reading import entries_of, read_entries
from tenants.foundation.db import db
from tenants.tickets.models import Ticket, TicketEvent

PIECE = 1_000
MOST_CHANGES = 100
MOST_MONTHS = 24
NO_CONTRACT = 0
Decided = tuple[int, str, str, str]
"""Number of the month, clock, priority, verdict."""


@dataclass(frozen=True)
class Period:
    """Whole months of a zone, up to `as_of`; `edges` are their first moments and the end of the last."""

    months: tuple[date, ...]
    edges: tuple[datetime, ...]
    as_of: datetime

    @classmethod
    def of(cls, first: date, last: date, time_zone: str, now: datetime) -> "Period":
        """From one month to another, both included."""
        months = [first.replace(day=1)]
        while months[-1] < last.replace(day=1):
            months.append(following(months[-1]))
        edges = [month_bounds(month, time_zone)[0] for month in months]
        edges.append(month_bounds(months[-1], time_zone)[1])
        return cls(tuple(months), tuple(edges), min(now, edges[-1]))

    def month_of(self, at: datetime) -> int | None:
        """The number of the month in which a moment lies, None outside."""
        inside = self.edges[0] <= at < self.edges[-1]
        return bisect_right(self.edges, at) - 1 if inside else None


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket's history, what measures it, and the contract whose figures it belongs to."""

    code: str
    source: str
    entries: Sequence[Entry]
    terms: Terms | None
    contract_id: int = NO_CONTRACT
    planned: Sequence[Planned] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A clock of a ticket that would have been judged otherwise: `met`, `missed`, or `none` where nothing was due."""

    code: str
    clock: str
    was: str
    would: str


@dataclass
class Outcome:
    """What was and what would have been: decisions counted by contract, and the tickets that change."""

    period: Period
    tickets: int = 0
    unmeasured: int = 0
    was: Counter[tuple[int, Decided]] = field(default_factory=Counter)
    would: Counter[tuple[int, Decided]] = field(default_factory=Counter)
    changed: int = 0
    changes: list[Change] = field(default_factory=list)

    def figures(self) -> list[tuple[Figure, Figure]]:
        """Was and would by clock and priority, each clock's sum after its priorities."""
        was, would = _figures(self.was), _figures(self.would)
        keys = sorted({(one.clock, one.priority) for one in (*was, *would)}, key=_place)
        rows = [(_of(was, *key), _of(would, *key)) for key in keys]
        sums = [(_of(totals_of(was), clock, ""), _of(totals_of(would), clock, "")) for clock in _clocks(keys)]
        return sorted([*rows, *sums], key=lambda pair: _place((pair[0].clock, pair[0].priority or "~")))

    def totals(self, side: Counter[tuple[int, Decided]], month: int, contract_id: int) -> list[Figure]:
        """The figures over all priorities of one contract in one month."""
        mine = {key: count for key, count in side.items() if key[0] == contract_id and key[1][0] == month}
        return totals_of(_figures(mine))


_ORDER = ("response", "update", "resolution")


def _place(key: tuple[str, str]) -> tuple[int, str]:
    return _ORDER.index(key[0]), key[1]


def _clocks(keys: Iterable[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(clock for clock, _priority in keys))


def _of(figures: Iterable[Figure], clock: str, priority: str) -> Figure:
    found = (one for one in figures if (one.clock, one.priority) == (clock, priority))
    return next(found, Figure(clock, priority, 0, 0))


def _figures(counted: Mapping[tuple[int, Decided], int]) -> list[Figure]:
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for (_contract, (_month, clock, priority, verdict)), count in counted.items():
        place = sums.setdefault((clock, priority), {"met": 0, "missed": 0})
        place[verdict] += count
    return [Figure(*key, sums[key]["met"], sums[key]["missed"]) for key in sorted(sums, key=_place)]


def replay(cases: Iterable[Case], draft: Terms, period: Period) -> Outcome:
    """Judge every case twice, by what measured it and by the draft."""
    outcome, quiet = Outcome(period), _quiet(draft)
    for case in cases:
        would = _decided(case, quiet, period)
        was = _decided(case, case.terms, period)
        outcome.tickets += 1
        outcome.unmeasured += case.terms is None
        outcome.was.update((case.contract_id, one) for one in was)
        outcome.would.update((case.contract_id, one) for one in would)
        _note_changes(case, was, would, outcome)
    return outcome


def _quiet(terms: Terms) -> Terms:
    """Without warnings, which decide nothing and take time."""
    return Terms(*(replace(terms.of(kind), warn_at_percent=()) for kind in ClockKind))


def _decided(case: Case, terms: Terms | None, period: Period) -> list[Decided]:
    if terms is None:
        return []
    return [
        (month, str(reading.kind), decision.priority, str(decision.state))
        for reading in read_entries(case.source, case.entries, terms, period.as_of, case.planned)
        for decision in reading.decisions
        if (month := period.month_of(decision.at)) is not None
    ]


def _note_changes(case: Case, was: Sequence[Decided], would: Sequence[Decided], outcome: Outcome) -> None:
    if was == would or case.terms is None:
        return
    before, after = _verdicts(was), _verdicts(would)
    changes = [
        Change(case.code, clock, before.get(clock, "none"), after.get(clock, "none"))
        for clock in _ORDER
        if before.get(clock) != after.get(clock)
    ]
    outcome.changed += bool(changes)
    outcome.changes += changes[: max(0, MOST_CHANGES - len(outcome.changes))]


def _verdicts(decided: Iterable[Decided]) -> dict[str, str]:
    """The worst verdict of each clock."""
    found: dict[str, str] = {}
    for _month, clock, _priority, verdict in decided:
        found[clock] = "missed" if "missed" in (verdict, found.get(clock)) else verdict
    return found


@dataclass(frozen=True, slots=True)
class MonthCredit:
    """The credits of a month, in the currency's smallest unit, and in percent of the fee."""

    month: date
    was_percent: int
    was_amount: int
    would_percent: int
    would_amount: int


def credits_of(
    outcome: Outcome, draft: Mapping[str, Any], contracts: Sequence[Contract]
) -> list[MonthCredit]:
    """What each month would give back by the arithmetic of statements; of several contracts the largest percents."""
    months = []
    for number, month in enumerate(outcome.period.months):
        was, would = [(0, 0)], [(0, 0)]
        for contract in contracts:
            agreed = _credits_in_force(contract, outcome.period.edges[number + 1])
            was.append(_credit(agreed, outcome.totals(outcome.was, number, contract.id), contract))
            would.append(
                _credit(draft.get("credits"), outcome.totals(outcome.would, number, contract.id), contract)
            )
        months.append(MonthCredit(month, *_joined(was), *_joined(would)))
    return months


def _joined(credits: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return max(percent for percent, _amount in credits), sum(amount for _percent, amount in credits)


def _credits_in_force(contract: Contract, before: datetime) -> Any:
    begun = [one for one in list_versions(contract) if one.in_force_from < before]
    return begun[0].terms.get("credits") if begun else None


def _credit(terms: Any, totals: Sequence[Figure], contract: Contract) -> tuple[int, int]:
    found = propose_credit(terms, totals, fee=contract.monthly_fee, currency=contract.currency)
    return (found.percent, found.amount) if found else (0, 0)


# -- a client's own tickets ------------------------------------------------------------------------------


def count_cases(tenant_id: int, period: Period) -> int:
    """How many tickets were alive in the period."""
    alive = select(func.count()).select_from(Ticket).where(*_alive(tenant_id, period))
    return db.session.scalar(alive) or 0


def _alive(tenant_id: int, period: Period) -> tuple[Any, ...]:
    """Opened before the end, and not over before the begin: in others nothing was decided then."""
    return (
        Ticket.tenant_id == tenant_id,
        Ticket.opened_at < period.edges[-1],
        or_(Ticket.closed_at.is_(None), Ticket.closed_at >= period.edges[0]),
    )


def read_cases(tenant_id: int, period: Period, *, contract_id: int = NO_CONTRACT) -> Iterator[Case]:
    """The client's tickets of a period in pieces of three statements; `contract_id` for those that nothing measured."""
    versions = _versions(tenant_id)
    columns = (
        Ticket.id,
        Ticket.code,
        Ticket.source,
        Ticket.contract_version_id,
        Ticket.asset_id,
        Ticket.site_id,
        Ticket.opened_at,
    )
    listed = select(*columns).where(*_alive(tenant_id, period)).order_by(Ticket.id).limit(PIECE)
    after = 0
    while tickets := db.session.execute(listed.where(Ticket.id > after)).all():
        after = tickets[-1].id
        events = _events(tenant_id, [one.id for one in tickets])
        planned = planned_for(tenant_id, tickets)
        for one in tickets:
            terms, owner = versions.get(one.contract_version_id, (None, contract_id))
            entries = entries_of(events.get(one.id, ()))
            yield Case(one.code, one.source, entries, terms, owner, planned.get(one.id, ()))


def _versions(tenant_id: int) -> dict[int | None, tuple[Terms, int]]:
    columns = (ContractVersion.id, ContractVersion.contract_id, ContractVersion.terms)
    rows = db.session.execute(select(*columns).where(ContractVersion.tenant_id == tenant_id))
    return {row.id: (_quiet(read_terms(row.terms)), row.contract_id) for row in rows}


def _events(tenant_id: int, ids: Sequence[int]) -> dict[int, list[Any]]:
    columns = (
        TicketEvent.ticket_id,
        TicketEvent.kind,
        TicketEvent.at,
        TicketEvent.actor_name,
        TicketEvent.data,
    )
    mine = select(*columns).where(TicketEvent.tenant_id == tenant_id, TicketEvent.ticket_id.in_(ids))
    rows = db.session.execute(mine.order_by(TicketEvent.ticket_id, TicketEvent.seq)).all()
    return {ticket_id: list(group) for ticket_id, group in groupby(rows, key=attrgetter("ticket_id"))}


def replay_tenant(
    tenant_id: int, draft: Mapping[str, Any], period: Period
) -> tuple[Outcome, list[MonthCredit], str]:
    """A draft over a client's own tickets: the outcome, each month's credits, and their currency.

    Raises TermsInvalid for a draft that cannot be read.
    """
    contracts = list_contracts(tenant_id)
    newest = contracts[0].id if contracts else NO_CONTRACT
    terms = read_terms(dict(draft))
    outcome = replay(read_cases(tenant_id, period, contract_id=newest), terms, period)
    currency = contracts[0].currency if contracts else "IDR"
    return outcome, credits_of(outcome, draft, contracts), currency
