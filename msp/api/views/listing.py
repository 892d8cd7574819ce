"""What every list of the API does."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msp.web.paging import cut

Row = TypeVar("Row")


def page_document(
    rows: Sequence[Row],
    limit: int,
    key: Callable[[Row], Sequence[Any]],
    document: Callable[[Row], dict[str, Any]],
) -> dict[str, Any]:
    """A page from `limit + 1` rows, each as its document."""
    page = cut(rows, limit, key)
    return {"items": [document(row) for row in page.items], "next": page.next}
