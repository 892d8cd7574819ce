"""A frozen statement as pages, print and spreadsheets read it: words and numbers, nothing computed anew."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from contracts.statements.models import Statement, StatementLine
from msp.reports.promised import HoursView, PatchView, hours_of, patches_of


@dataclass(frozen=True, slots=True)
class FigureView:
    """A frozen figure; `ratio` is None where nothing was due."""

    clock: str
    priority: str
    met: int
    missed: int
    set_aside: int
    ratio: Decimal | None

    @property
    def decided(self) -> int:
        """What the ratio is of."""
        return self.met + self.missed


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the credit table that a clock fell below."""

    clock: str
    ratio: Decimal | None
    below_percent: int
    credit_percent: int


@dataclass(frozen=True, slots=True)
class CreditView:
    """The frozen arithmetic of a credit; amounts in whole units of the currency."""

    steps: Sequence[StepView]
    percent: int
    cap_percent: int
    fee: int
    currency: str
    amount: int

    @property
    def is_capped(self) -> bool:
        """Whether the steps together are more than the cap allows."""
        return sum(one.credit_percent for one in self.steps) > self.cap_percent


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with its moments as moments; durations in seconds of business time."""

    position: int
    ticket: str
    subject: str
    clock: str
    priority: str
    contract_version: int
    verdict: str
    cause: str | None
    decided_at: datetime
    started_at: datetime
    stopped_at: datetime | None
    due_at: datetime | None
    target_seconds: int | None
    elapsed_seconds: int
    paused_seconds: int
    set_aside: str | None
    # Lines that were frozen before it was kept say nothing of it.
    maintenance_seconds: int = 0


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement's head, read."""

    statement: Statement
    head: dict[str, Any]
    figures: Sequence[FigureView]
    totals: Sequence[FigureView]
    credit: CreditView | None

    @property
    def month(self) -> date:
        """The first day of the month."""
        return self.statement.month

    @property
    def zone(self) -> str:
        """The zone whose month it is."""
        zone: str = self.head["time_zone"]
        return zone

    @property
    def missed(self) -> int:
        """Targets missed in the month, set-aside ones not among them."""
        return sum(one.missed for one in self.totals)

    @property
    def set_aside(self) -> int:
        """Missed targets that an amendment set aside."""
        return sum(one.set_aside for one in self.totals)

    @property
    def hours(self) -> HoursView | None:
        """Hours used, where hours are included and were measured."""
        return hours_of(self.head)

    @property
    def patches(self) -> PatchView | None:
        """The patch promise, where it was made and measured."""
        return patches_of(self.head)

    def figures_of(self, clock: str) -> list[FigureView]:
        """The figures of one clock by priority."""
        return [one for one in self.figures if one.clock == clock]


def read(statement: Statement) -> StatementView:
    """The head of a statement as it was frozen."""
    head = json.loads(statement.head)
    return StatementView(
        statement,
        head,
        [_figure(one) for one in head["figures"]],
        [_figure(one) for one in head["totals"]],
        _credit(head["credit"]),
    )


def _figure(document: dict[str, Any]) -> FigureView:
    counts = {name: document[name] for name in ("clock", "priority", "met", "missed", "set_aside")}
    return FigureView(**counts, ratio=ratio(document["attained"]))


def ratio(text: str | None) -> Decimal | None:
    """A quotient such as `19/20` as a number; to 28 digits, more than any page shows."""
    if text is None:
        return None
    above, _, below = text.partition("/")
    return Decimal(above) / Decimal(below)


def _credit(document: dict[str, Any] | None) -> CreditView | None:
    if document is None:
        return None
    steps = [
        StepView(one["clock"], ratio(one["attained"]), one["below_percent"], one["credit_percent"])
        for one in document["steps"]
    ]
    return CreditView(
        steps,
        document["percent"],
        document["cap_percent"],
        document["fee"],
        document["currency"],
        document["amount"],
    )


def read_lines(lines: Iterable[StatementLine]) -> list[LineView]:
    """Lines as they were frozen."""
    return [_line(one.position, json.loads(one.body)) for one in lines]


def _line(position: int, body: dict[str, Any]) -> LineView:
    moments = {name: _moment(body[name]) for name in ("started_at", "stopped_at", "due_at", "decided_at")}
    kept = {name: value for name, value in body.items() if name not in (*moments, "cycle")}
    return LineView(position=position, **kept, **moments)  # type: ignore[arg-type]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
