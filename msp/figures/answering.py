"""Tables as files: the same lines that the page shows, with plain numbers."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

from tenants.assets.sheets import write_sheet


def sheet(name: str, head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Response:
    """A table as a CSV download of this name."""
    answer = Response(write_sheet(head, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def exact(value: float | None, digits: int = 3) -> str:
    """A number with a point and without trailing noughts; empty for none."""
    return "" if value is None else f"{value:.{digits}f}".rstrip("0").rstrip(".")
