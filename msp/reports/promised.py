"""What a frozen statement says of promises beside the clocks, as page, print and spreadsheet read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from msp.web.formats import duration_words, number


@dataclass(frozen=True, slots=True)
class HoursLine:
    """Time that somebody worked on a ticket."""

    ticket: str
    on: date
    minutes: int
    person: str
    what: str
    is_billable: bool


@dataclass(frozen=True, slots=True)
class HoursView:
    """Hours used of the hours included; None where the statement was frozen before they were measured."""

    included_hours: int
    used_minutes: int
    billable_minutes: int
    lines: Sequence[HoursLine]

    @property
    def over_minutes(self) -> int:
        """What was used beyond the included hours."""
        return max(0, self.used_minutes - self.included_hours * 60)


@dataclass(frozen=True, slots=True)
class MachineLine:
    """A machine that owed a critical release; `days` is None while it was still open at the month's end."""

    asset: str
    release: str
    begun_at: datetime
    due_at: datetime
    done_at: datetime | None
    days: float | None
    is_kept: bool


@dataclass(frozen=True, slots=True)
class PatchView:
    """Machines that showed critical releases within the days promised, of those that were due."""

    days: int
    kept: int
    due: int
    lines: Sequence[MachineLine]

    @property
    def late(self) -> list[MachineLine]:
        """The machines that were late."""
        return [one for one in self.lines if not one.is_kept]


def hours_of(head: Mapping[str, Any]) -> HoursView | None:
    """The hours of a statement's head, where they were promised and measured."""
    known = _measured(head, "included_hours")
    if known is None:
        return None
    lines = [
        HoursLine(
            one["ticket"],
            date.fromisoformat(one["on"]),
            one["minutes"],
            one["by"],
            one["what"],
            one["billable"],
        )
        for one in known["lines"]
    ]
    return HoursView(known["promised"], known["used_minutes"], known["billable_minutes"], lines)


def patches_of(head: Mapping[str, Any]) -> PatchView | None:
    """The patch promise of a statement's head, where it was made and measured."""
    known = _measured(head, "patch_days")
    if known is None:
        return None
    lines = [
        _machine(release["release"], one) for release in known["releases"] for one in release["machines"]
    ]
    return PatchView(known["promised"], known["kept"], known["due"], lines)


def _machine(release: str, one: Mapping[str, Any]) -> MachineLine:
    done_at = datetime.fromisoformat(one["done_at"]) if one["done_at"] else None
    begun_at, due_at = datetime.fromisoformat(one["from"]), datetime.fromisoformat(one["due_at"])
    return MachineLine(one["asset"], release, begun_at, due_at, done_at, one["days"], one["kept"])


def _measured(head: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    known: Mapping[str, Any] | None = head["evidence"].get(name)
    return known if known is not None and known["state"] == "measured" else None


def hours_sentence(hours: HoursView) -> str:
    """How much was used, and what it is measured against."""
    used, included = _span(hours.used_minutes), _("%(hours)s h", hours=number(hours.included_hours))
    words = _("%(used)s used of %(included)s included.", used=used, included=included)
    if hours.over_minutes:
        words += " " + _("That is %(over)s more than included.", over=_span(hours.over_minutes))
    if hours.billable_minutes:
        words += " " + _(
            "Billable beside the contract: %(billable)s.", billable=_span(hours.billable_minutes)
        )
    return words


def hours_formula() -> str:
    """How the figure of hours comes about."""
    return _(
        "Used = the time entered for this month on tickets that this contract measures, billable time left out."
    )


def patch_sentence(patches: PatchView) -> str:
    """How far the patch promise was kept."""
    if not patches.due:
        return _("Critical updates within %(days)s days: none due.", days=patches.days)
    return _(
        "Critical updates within %(days)s days: kept for %(kept)s of %(due)s.",
        days=patches.days,
        kept=number(patches.kept),
        due=ngettext("%(num)d machine", "%(num)d machines", patches.due),
    )


def patch_formula() -> str:
    """How the figure of the patch promise comes about."""
    return _(
        "Kept = machines that showed the release within the days / machines whose update came or whose days ran out"
        " in this month. Days count from the release's publication, or from when the machine or the contract began"
        " where that is later. Machines that left before then are not counted."
    )


def days_words(line: MachineLine) -> str:
    """How long a machine took."""
    if line.days is None:
        return _("still open at the month's end")
    return _("after %(days)s days", days=number(line.days, 1))


def in_time_rows(patches: PatchView) -> list[list[str]]:
    """The machines that were in time, for a table."""
    return [[one.asset, one.release, days_words(one)] for one in patches.lines if one.is_kept]


def _span(minutes: int) -> str:
    return duration_words(minutes * 60, business=True) if minutes else _("%(hours)s h", hours=0)
