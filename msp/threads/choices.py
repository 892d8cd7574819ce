"""Choices that forms of several pages offer."""

from msp.web.languages import reader_language
from tenants.tickets.categories import Tree


def category_options(tree: Tree, *, keep: int | None = None, top_only: bool = False) -> list[tuple[str, str]]:
    """What may be chosen now, by path; `keep` is a ticket's own category, offered although it is retired."""
    language = reader_language()
    shown = tree.offered(top_only=top_only)
    held = tree.find(keep)
    if held is not None and held not in shown:
        shown.append(held)
    return sorted(
        ((str(one.category.public_id), one.path(language)) for one in shown), key=lambda pair: pair[1]
    )
