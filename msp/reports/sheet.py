"""A statement as CSV: the same lines, with stable column names, and no cell that becomes a formula."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from msp.reports.promised import HoursView, PatchView
from msp.reports.view import LineView, StatementView
from tenants.assets.sheets import write_sheet

_COLUMNS = [one.name for one in fields(LineView)]
# What lines of the promises beside the clocks have; `promise` says of which one a row is.
_BESIDE = ("promise", "asset", "release", "days", "on", "minutes", "person", "what", "is_billable")


def write_lines(lines: Iterable[LineView], view: StatementView) -> str:
    """Every line with every column; moments in UTC, durations in seconds of business time, minutes as entered."""
    rows = [*_targets(lines), *_machines(view.patches), *_hours(view.hours)]
    columns = [*_COLUMNS, *_BESIDE]
    return write_sheet(columns, ([_plain(row.get(name)) for name in columns] for row in rows))


def _targets(lines: Iterable[LineView]) -> Iterator[dict[str, Any]]:
    for line in lines:
        yield {name: getattr(line, name) for name in _COLUMNS} | {"promise": "target"}


def _machines(patches: PatchView | None) -> Iterator[dict[str, Any]]:
    for line in patches.lines if patches else ():
        yield {
            "promise": "patch_days",
            "verdict": "met" if line.is_kept else "missed",
            "asset": line.asset,
            "release": line.release,
            "started_at": line.begun_at,
            "due_at": line.due_at,
            "stopped_at": line.done_at,
            "days": line.days,
        }


def _hours(hours: HoursView | None) -> Iterator[dict[str, Any]]:
    for line in hours.lines if hours else ():
        yield asdict(line) | {"promise": "included_hours"}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value
