"""What pages of staff and of clients show of windows and freezes: those kept here, and those of the contract."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.terms.promise import Promise
from msp.windows.models import Freeze, MaintenanceWindow
from msp.windows.queries import (
    list_freezes,
    list_promises,
    list_told_freezes,
    list_windows,
    recurring,
    weekly_windows,
)
from msp.windows.rules import Recurring, frozen_days, next_spans
from tenants.foundation.spans import Span


@dataclass(frozen=True, slots=True)
class ShownWindow:
    """A window with its next time; `row` is None for those of the contract, which are changed there."""

    name: str
    rule: Recurring
    next: Span | None
    row: MaintenanceWindow | None


@dataclass(frozen=True, slots=True)
class ShownFreeze:
    """A freeze; `row` is None for those of the contract, and for those of all clients (`is_everywhere`)."""

    name: str
    span: Span
    row: Freeze | None
    is_everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that says when changes may be made at a client."""

    windows: Sequence[ShownWindow]
    freezes: Sequence[ShownFreeze]


def sheet_of(tenant_id: int, at: datetime) -> Sheet:
    """A client's windows from now on, its own first, and the freezes of it alone."""
    own = [
        ShownWindow(one.name, recurring(one), _next(recurring(one), at), one)
        for one in list_windows(tenant_id)
    ]
    promises = list_promises([tenant_id], at)
    for _tenant, zone, promise in promises:
        own += [ShownWindow("", rule, _next(rule, at), None) for rule in weekly_windows(promise, zone)]
    return Sheet(own, sorted(_freezes(tenant_id, promises, at), key=lambda one: one.span))


def list_shown_freezes(tenant_id: int, at: datetime) -> list[ShownFreeze]:
    """Every freeze that concerns a client and is not over: its own, those of its contract, and those of all clients."""
    everywhere = [
        ShownFreeze(one.name, (one.begins_at, one.ends_at), None, is_everywhere=True)
        for one in list_told_freezes(at)
    ]
    own = _freezes(tenant_id, list_promises([tenant_id], at), at)
    return sorted([*own, *everywhere], key=lambda one: one.span)


def _freezes(
    tenant_id: int, promises: Iterable[tuple[int, str, Promise]], at: datetime
) -> Iterator[ShownFreeze]:
    for one in list_freezes(tenant_id, at):
        yield ShownFreeze(one.name, (one.begins_at, one.ends_at), one)
    for _tenant, zone, promise in promises:
        for days in promise.freezes:
            span = frozen_days(days.first_on, days.last_on, zone)
            if span[1] > at:
                yield ShownFreeze(days.name, span, None)


def _next(rule: Recurring, at: datetime) -> Span | None:
    found = next_spans(rule, at, 1)
    return found[0] if found else None
