"""What another system calls its kinds of incidents, as categories here.

A name that stands at the top of the tree is that category; every other one is put below one of its own, so that a
log's words never mix with the provider's.
"""

from datetime import datetime

from tenants.foundation.actor import Actor
from tenants.tickets.categories import LONGEST_NAME, add_category, read_tree
from tenants.tickets.category_models import Category

ABOVE = ("Imported", "Diimpor")


class Sorts:
    """Finds categories by a log's names, and adds those that are missing, each once."""

    def __init__(self, *, by: Actor, at: datetime) -> None:
        self._by, self._at = by, at
        self._known: dict[tuple[int | None, str], Category] = {}
        for place in read_tree().places:
            for name in (place.category.name_id, place.category.name_en):
                self._known[place.category.parent_id, name.casefold()] = place.category

    def find(self, names: tuple[str, ...]) -> Category | None:
        """The category of these names, from the top down; None for no name, and for one that was retired."""
        words = [word for name in names if (word := _word(name))]
        if not words:
            return None
        found = self._known.get((None, words[0].casefold())) or self._below(
            self._below(None, *ABOVE), words[0]
        )
        for word in words[1:]:
            found = self._below(found, word)
        return found if found.is_active else None

    def _below(self, parent: Category | None, name: str, name_id: str = "") -> Category:
        place = (parent.id if parent else None, name.casefold())
        if place not in self._known:
            named = {"name_en": name, "name_id": name_id or name}
            self._known[place] = add_category(**named, parent=parent, by=self._by, at=self._at)
        return self._known[place]


def _word(name: str) -> str:
    plain = "".join(one if one.isprintable() else " " for one in name)
    return " ".join(plain.split())[:LONGEST_NAME].strip()
