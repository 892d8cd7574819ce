"""What pages of staff and of clients show of windows and freezes: those kept here, and those of the contract."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msp.windows.models import Freeze, MaintenanceWindow
from msp.windows.queries import (
    list_freezes,
    list_promises,
    list_windows,
    recurring,
    weekly_windows,
)
from msp.windows.rules import Recurring, Span, frozen_days, next_spans


@dataclass(frozen=True, slots=True)
class ShownWindow:
    """A window with its next time; `row` is None for those of the contract, which are changed there."""

    name: str
    rule: Recurring
    next: Span | None
    row: MaintenanceWindow | None


@dataclass(frozen=True, slots=True)
class ShownFreeze:
    """A freeze; `row` is None for those of the contract."""

    name: str
    span: Span
    row: Freeze | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that says when changes may be made at a client."""

    windows: Sequence[ShownWindow]
    freezes: Sequence[ShownFreeze]


def sheet_of(tenant_id: int, at: datetime) -> Sheet:
    """A client's windows and freezes from now on, its own first."""
    own = [
        ShownWindow(one.name, recurring(one), _next(recurring(one), at), one)
        for one in list_windows(tenant_id)
    ]
    freezes = [
        ShownFreeze(one.name, (one.begins_at, one.ends_at), one) for one in list_freezes(tenant_id, at)
    ]
    for _tenant, zone, promise in list_promises([tenant_id], at):
        own += [ShownWindow("", rule, _next(rule, at), None) for rule in weekly_windows(promise, zone)]
        spans = [(one.name, frozen_days(one.first_on, one.last_on, zone)) for one in promise.freezes]
        freezes += [ShownFreeze(name, span, None) for name, span in spans if span[1] > at]
    return Sheet(own, sorted(freezes, key=lambda one: one.span))


def _next(rule: Recurring, at: datetime) -> Span | None:
    found = next_spans(rule, at, 1)
    return found[0] if found else None
