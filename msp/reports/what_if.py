"""Terms tried out on the past: the outcome as a document and in words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from contracts.clock.calendar import ALWAYS
from contracts.statements.rules import Figure
from contracts.statements.what_if import Case, Change, MonthCredit, Outcome, Period, replay
from contracts.terms.document import TermsInvalid, calendar_of, read_terms
from msp.intake.histories import read_histories
from msp.intake.servicenow import Fault, read_log


def read_draft(text: str) -> dict[str, Any]:
    """Draft terms from JSON. Raises ValueError for what is no JSON object, TermsInvalid naming every faulty field."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("terms are a JSON object")
    read_terms(document)
    return document


def replay_file(
    file: Path, draft: dict[str, Any], first: date, last: date, now: datetime
) -> tuple[Outcome, list[Fault]]:
    """A draft over another system's log, its times in the draft's zone: for somebody who is no client yet.

    Raises Unreadable for a file that is no such log. Nothing was promised, so there is nothing beside it.
    """
    calendar = calendar_of(draft)
    zone = "UTC" if calendar == ALWAYS else calendar.time_zone
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        rows, faults = read_log(lines, zone, now)
    incidents, misfits = read_histories(rows)
    cases = (Case(one.number, "import", one.entries, None) for one in incidents)
    return replay(cases, read_terms(draft), Period.of(first, last, zone, now)), sorted([*faults, *misfits])


def document_of(outcome: Outcome, credits: Sequence[MonthCredit], currency: str) -> dict[str, Any]:
    """The outcome for programs."""
    months = outcome.period.months
    return {
        "from": f"{months[0]:%Y-%m}",
        "to": f"{months[-1]:%Y-%m}",
        "tickets": outcome.tickets,
        "unmeasured": outcome.unmeasured,
        "figures": [
            {"clock": was.clock, "priority": was.priority or "all", "was": _side(was), "would": _side(would)}
            for was, would in outcome.figures()
        ],
        "credits": [
            {
                "month": f"{one.month:%Y-%m}",
                "was": {"percent": one.was_percent, "amount": one.was_amount},
                "would": {"percent": one.would_percent, "amount": one.would_amount},
            }
            for one in credits
        ],
        "currency": currency,
        "changed": outcome.changed,
        "changes": [
            {"ticket": one.code, "clock": one.clock, "was": one.was, "would": one.would}
            for one in outcome.changes
        ],
    }


def _side(figure: Figure) -> dict[str, Any]:
    attained = figure.attained
    share = None if attained is None else f"{attained.numerator}/{attained.denominator}"
    return {"met": figure.met, "missed": figure.missed, "attained": share}


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome as its document tells it, for pages; clocks' sums have the priority ""."""

    first: date
    last: date
    tickets: int
    unmeasured: int
    figures: list[tuple[Figure, Figure]]
    credits: list[MonthCredit]
    currency: str
    changed: int
    changes: list[Change]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Answer":
        """Read back what `document_of` wrote."""
        return cls(
            first=_month(document["from"]),
            last=_month(document["to"]),
            tickets=document["tickets"],
            unmeasured=document["unmeasured"],
            figures=[(_figure(one, "was"), _figure(one, "would")) for one in document["figures"]],
            credits=[_credit(one) for one in document["credits"]],
            currency=document["currency"],
            changed=document["changed"],
            changes=[
                Change(one["ticket"], one["clock"], one["was"], one["would"]) for one in document["changes"]
            ],
        )

    @property
    def totals(self) -> list[tuple[Figure, Figure]]:
        """Was and would of each clock over all priorities."""
        return [pair for pair in self.figures if not pair[0].priority]


def _month(written: str) -> date:
    return date.fromisoformat(f"{written}-01")


def _figure(row: Mapping[str, Any], side: str) -> Figure:
    priority = "" if row["priority"] == "all" else row["priority"]
    return Figure(row["clock"], priority, row[side]["met"], row[side]["missed"])


def _credit(row: Mapping[str, Any]) -> MonthCredit:
    was, would = row["was"], row["would"]
    return MonthCredit(_month(row["month"]), was["percent"], was["amount"], would["percent"], would["amount"])


def sentences(outcome: Outcome, credits: Sequence[MonthCredit], currency: str) -> Iterator[str]:
    """The outcome for a terminal."""
    yield f"{outcome.tickets} tickets replayed, {outcome.unmeasured} of them measured by no contract"
    yield f"{'clock':<12}{'priority':<10}{'was':>24}{'would have been':>26}"
    for was, would in outcome.figures():
        yield f"{was.clock:<12}{was.priority or 'all':<10}{_words(was):>24}{_words(would):>26}"
    for one in credits:
        before = f"{one.was_percent} % {currency} {one.was_amount}"
        after = f"{one.would_percent} % {currency} {one.would_amount}"
        yield f"credit {one.month:%Y-%m}: was {before}, would have been {after}"
    yield f"{outcome.changed} tickets change their verdict"
    for change in outcome.changes:
        yield f"  {change.code} {change.clock}: {change.was} -> {change.would}"


def _words(figure: Figure) -> str:
    attained = figure.attained
    if attained is None:
        return "none due"
    return f"{figure.met} met, {figure.missed} missed {float(attained):.1%}"


__all__ = ["Answer", "TermsInvalid", "document_of", "read_draft", "replay_file", "sentences"]
