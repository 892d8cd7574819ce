"""The arithmetic of a statement: attainment, credit, and the texts that its digest covers. Pure.

Source: the contract's own terms (service levels and credit table); numbers S1 to S7 are in the package's README.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Literal

Verdict = Literal["met", "missed", "set_aside"]
CLOCKS = ("response", "update", "resolution")
PRIORITIES = ("P1", "P2", "P3", "P4")


@dataclass(frozen=True, slots=True)
class Figure:
    """Targets of one clock and priority (or of all priorities together: "") that were decided in the month."""

    clock: str
    priority: str
    met: int
    missed: int
    set_aside: int = 0

    @property
    def attained(self) -> Fraction | None:
        """S1: met / (met + missed); None where nothing was decided, never 100 % of nothing."""
        return attain(self.met, self.missed)

    def document(self) -> dict[str, Any]:
        """As the statement keeps it; the quotient as exact text, such as `19/20`."""
        attained = self.attained
        return {
            "clock": self.clock,
            "priority": self.priority,
            "met": self.met,
            "missed": self.missed,
            "set_aside": self.set_aside,
            "attained": None if attained is None else f"{attained.numerator}/{attained.denominator}",
        }


def attain(met: int, missed: int) -> Fraction | None:
    """S1: the share of targets that were met, exact; None where none was due."""
    decided = met + missed
    return Fraction(met, decided) if decided else None


def figures_of(decided: Iterable[tuple[str, str, str]]) -> list[Figure]:
    """Figures by clock and priority from `(clock, priority, verdict)`, in the order of the contract."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for clock, priority, verdict in decided:
        place = counts.setdefault((clock, priority), {"met": 0, "missed": 0, "set_aside": 0})
        place[verdict] += 1
    return [
        Figure(clock, priority, **counts[clock, priority]) for clock, priority in sorted(counts, key=_order)
    ]


def _order(key: tuple[str, str]) -> tuple[int, str]:
    return CLOCKS.index(key[0]) if key[0] in CLOCKS else len(CLOCKS), key[1]


def totals_of(figures: Sequence[Figure]) -> list[Figure]:
    """One figure per clock over all priorities."""
    clocks = dict.fromkeys(one.clock for one in figures)
    return [
        Figure(
            clock,
            "",
            sum(one.met for one in figures if one.clock == clock),
            sum(one.missed for one in figures if one.clock == clock),
            sum(one.set_aside for one in figures if one.clock == clock),
        )
        for clock in clocks
    ]


@dataclass(frozen=True, slots=True)
class CreditStep:
    """Why a clock earns the client a credit: what was attained, and the step of the table that this falls below."""

    clock: str
    attained: Fraction
    below_percent: int
    credit_percent: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """The credit that follows from a month: steps, their sum in percent, the cap, and the amount."""

    steps: tuple[CreditStep, ...]
    percent: int
    cap_percent: int
    fee: int
    currency: str
    amount: int

    def document(self) -> dict[str, Any]:
        """As the statement keeps it, with every term of the sum."""
        return {
            "steps": [
                {
                    "clock": one.clock,
                    "attained": f"{one.attained.numerator}/{one.attained.denominator}",
                    "below_percent": one.below_percent,
                    "credit_percent": one.credit_percent,
                }
                for one in self.steps
            ],
            "percent": self.percent,
            "cap_percent": self.cap_percent,
            "fee": self.fee,
            "currency": self.currency,
            "amount": self.amount,
        }


def propose_credit(
    terms: Mapping[str, Any] | None, totals: Iterable[Figure], *, fee: int, currency: str
) -> Proposal | None:
    """S2 to S4: the credit by a contract's table; None where the contract has none.

    `terms` is the member `credits` of a version's terms: `{"table": [{"clock", "below_percent", "credit_percent"}],
    "cap_percent"}`. `fee` in whole units of the currency; what is left of one is dropped.
    """
    if not terms:
        return None
    steps = tuple(step for one in totals if (step := _step(terms["table"], one)) is not None)
    percent = min(sum(one.credit_percent for one in steps), terms["cap_percent"])
    return Proposal(steps, percent, terms["cap_percent"], fee, currency, fee * percent // 100)


def _step(table: Sequence[Mapping[str, Any]], figure: Figure) -> CreditStep | None:
    """The largest credit among the steps that the clock's attainment falls below."""
    attained = figure.attained
    if attained is None:
        return None
    below = [row for row in table if row["clock"] == figure.clock and attained * 100 < row["below_percent"]]
    if not below:
        return None
    row = max(below, key=lambda one: (one["credit_percent"], -one["below_percent"]))
    return CreditStep(figure.clock, attained, row["below_percent"], row["credit_percent"])


def canonical(document: Mapping[str, Any]) -> str:
    """S5: one text for one content: JSON with sorted members and without spaces or line breaks."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(head: str, bodies: Iterable[str]) -> str:
    """S5: the SHA-256, in hexadecimal, of the head and every line in order, each ended by a line feed (UTF-8)."""
    hashed = hashlib.sha256(f"{head}\n".encode())
    for body in bodies:
        hashed.update(f"{body}\n".encode())
    return hashed.hexdigest()


def months_to_close(*, first: date, last: date | None, today: date) -> list[date]:
    """The months that have ended by `today`, the earliest first; all dates are the zone's.

    `first` and `last` are the days between which months are closed by themselves; a month counts that has any of them.
    """
    month, months = first.replace(day=1), []
    while month < today.replace(day=1) and (last is None or month <= last):
        months.append(month)
        month = following(month)
    return months


def preceding(on: date) -> date:
    """The first day of the month before."""
    return date(on.year - (on.month == 1), (on.month - 2) % 12 + 1, 1)


def following(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
