"""A statement as CSV: the same lines, with stable column names, and no cell that becomes a formula."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from msp.reports.view import LineView
from tenants.assets.sheets import write_sheet

_COLUMNS = [one.name for one in fields(LineView)]


def write_lines(lines: Iterable[LineView]) -> str:
    """Every line with every column; moments in UTC, durations in seconds of business time."""
    return write_sheet(_COLUMNS, _rows(lines))


def _rows(lines: Iterable[LineView]) -> Iterator[list[Any]]:
    for line in lines:
        yield [_plain(getattr(line, name)) for name in _COLUMNS]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value
