"""Who or what the lines of a table stand for: a name to read, and a word for addresses."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from msp.figures.resolved import By
from msp.staff.teams import list_teams
from msp.web.formats import reader_locale
from msp.web.periods import Period
from tenants.people.queries import list_staff
from tenants.tickets.categories import Tree, read_tree

NONE = "none"


@dataclass(frozen=True, slots=True)
class Name:
    """What a line shows, and what stands for it in an address."""

    shown: str
    word: str


Names = Mapping[int | None, Name]


def language() -> str:
    """The reader's language, as the tree of categories takes it."""
    return "id" if reader_locale().language == "id" else "en"


def names_for(by: By, period: Period) -> Names:
    """By row id, the names of everything that may have a line: one statement at most."""
    if by is By.TECHNICIAN:
        return {one.user_id: Name(one.name, str(one.public_id)) for one in list_staff(left=True)}
    if by is By.TEAM:
        return {one.id: Name(one.name, str(one.public_id)) for one in list_teams()}
    if by is By.CLIENT:
        return {one.id: Name(one.name, one.slug) for one in period.tenants}
    return category_names(read_tree())


def category_names(tree: Tree) -> Names:
    """The paths of all categories, and of having none."""
    found: dict[int | None, Name] = {
        one.category.id: Name(one.path(language()), str(one.category.public_id)) for one in tree.places
    }
    return {**found, None: Name(_("Without a category"), NONE)}


def key_named(names: Names, word: str) -> int | None:
    """The row id that a word of an address stands for. Raises LookupError for one that is not known."""
    found = [key for key, name in names.items() if name.word == word]
    if not found:
        raise LookupError(word)
    return found[0]
