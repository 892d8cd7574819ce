"""Choices that forms of several pages offer."""

from msp.web.languages import reader_language
from tenants.tickets.categories import Tree


def category_options(tree: Tree, *, keep: int | None = None, top_only: bool = False) -> list[tuple[str, str]]:
    """What may be chosen now, by path; `keep` is a ticket's own category, offered although it is retired."""
    return tree.choices(reader_language(), keep=keep, top_only=top_only)
