"""The tree of what tickets are about: kept by managers, chosen on tickets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.tenancy.queries import as_uuid
from tenants.tickets.category_models import Category
from tenants.tickets.history import check_rev, hold, note, who_is
from tenants.tickets.models import Ticket

DEEPEST = 4
LONGEST_NAME = 80
PATH = " / "


@dataclass(frozen=True, slots=True)
class Place:
    """A category with its depth (0 at the top) and its names from the top down."""

    category: Category
    depth: int
    names_en: tuple[str, ...]
    names_id: tuple[str, ...]

    def path(self, language: str = "en") -> str:
        """Where it is, in a language: `Hardware / Printer`."""
        return PATH.join(self.names_id if language == "id" else self.names_en)

    def name(self, language: str = "en") -> str:
        """Its own name in a language."""
        return self.category.name_id if language == "id" else self.category.name_en


@dataclass(frozen=True, slots=True)
class Tree:
    """All categories in the order of a list, parents before their children."""

    places: Sequence[Place]
    _by_id: dict[int, Place] = field(default_factory=dict)

    def find(self, category_id: int | None) -> Place | None:
        """The place with a row id."""
        return self._by_id.get(category_id) if category_id is not None else None

    def named(self, public_id: str) -> Place | None:
        """The place with a public id."""
        return next((one for one in self.places if str(one.category.public_id) == public_id), None)

    def path(self, category_id: int | None, language: str = "en") -> str:
        """The path of a category by row id; empty for none."""
        found = self.find(category_id)
        return found.path(language) if found else ""

    def key(self, category_id: int | None) -> str:
        """The public id of a category by row id, as forms hold it; empty for none."""
        found = self.find(category_id)
        return str(found.category.public_id) if found else ""

    def choices(
        self, language: str, *, keep: int | None = None, top_only: bool = False
    ) -> list[tuple[str, str]]:
        """Public ids and paths of what may be chosen now; `keep` is what was chosen before it was retired."""
        shown = self.offered(top_only=top_only)
        held = self.find(keep)
        if held is not None and held not in shown:
            shown.append(held)
        return sorted(
            ((str(one.category.public_id), one.path(language)) for one in shown), key=lambda pair: pair[1]
        )

    def below(self, category_id: int) -> list[int]:
        """A category and all under it, by row id."""
        found = [category_id]
        for one in self.places:
            if one.category.parent_id in found:
                found.append(one.category.id)
        return found

    def offered(self, *, top_only: bool = False) -> list[Place]:
        """What may be chosen now: neither retired nor below something retired."""
        hidden: set[int] = set()
        shown = []
        for one in self.places:
            if not one.category.is_active or one.category.parent_id in hidden:
                hidden.add(one.category.id)
            elif not (top_only and one.depth):
                shown.append(one)
        return shown


def read_tree() -> Tree:
    """The whole tree in one statement, by English names."""
    rows = db.session.scalars(select(Category).order_by(Category.name_en, Category.id)).all()
    under: dict[int | None, list[Category]] = {}
    for row in rows:
        under.setdefault(row.parent_id, []).append(row)
    places = list(_walk(under, None, (), ()))
    return Tree(places, {one.category.id: one for one in places})


def _walk(
    under: dict[int | None, list[Category]],
    parent: int | None,
    names_en: tuple[str, ...],
    names_id: tuple[str, ...],
) -> Iterator[Place]:
    for row in under.get(parent, ()):
        place = Place(row, len(names_en), (*names_en, row.name_en), (*names_id, row.name_id))
        yield place
        yield from _walk(under, row.id, place.names_en, place.names_id)


def find_category(public_id: str) -> Category:
    """A category by its public id. Raises NotFound."""
    found = db.session.scalar(select(Category).where(Category.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def add_category(*, name_en: str, name_id: str, parent: Category | None, by: Actor, at: datetime) -> Category:
    """Put a category into the tree, below another one or at the top. Raises Invalid."""
    names = _names(name_en, name_id)
    if parent is not None and _depth(parent) + 1 >= DEEPEST:
        raise Invalid("parent", _l("The tree has at most four levels."))
    _check_free(names[0], parent.id if parent else None, None)
    made = Category(name_en=names[0], name_id=names[1], parent_id=parent.id if parent else None)
    db.session.add(made)
    db.session.flush()
    _audit("category.add", made, by, at)
    return made


def rename_category(category: Category, *, name_en: str, name_id: str, by: Actor, at: datetime) -> None:
    """Give a category other names; tickets that have it show the new ones. Raises Invalid."""
    names = _names(name_en, name_id)
    _check_free(names[0], category.parent_id, category.id)
    category.name_en, category.name_id = names
    db.session.flush()
    _audit("category.rename", category, by, at)


def retire_category(category: Category, *, by: Actor, at: datetime) -> None:
    """Offer a category, and what is below it, no more; tickets that have it keep it."""
    _switch(category, by, at, on=False)


def revive_category(category: Category, *, by: Actor, at: datetime) -> None:
    """Offer a retired category again."""
    _switch(category, by, at, on=True)


def _switch(category: Category, by: Actor, at: datetime, *, on: bool) -> None:
    if category.is_active is not on:
        category.is_active = on
        db.session.flush()
        _audit("category.revive" if on else "category.retire", category, by, at)


def _names(name_en: str, name_id: str) -> tuple[str, str]:
    cleaned = " ".join(name_en.split()), " ".join(name_id.split())
    for name, one in zip(("name_en", "name_id"), cleaned, strict=True):
        if not 1 <= len(one) <= LONGEST_NAME or not one.isprintable():
            raise Invalid(name, _l("Write a name of at most 80 characters."))
    return cleaned


def _depth(category: Category) -> int:
    depth, parent = 0, category.parent_id
    while parent is not None and depth < DEEPEST:
        depth, parent = depth + 1, db.session.get_one(Category, parent).parent_id
    return depth


def _check_free(name_en: str, parent_id: int | None, own_id: int | None) -> None:
    same = select(Category.id).where(
        Category.name_en == name_en, Category.parent_id.is_not_distinct_from(parent_id)
    )
    if db.session.scalar(same.where(Category.id.is_distinct_from(own_id)).limit(1)) is not None:
        raise Invalid("name_en", _l("There is one of this name here already."))


def _audit(action: str, category: Category, by: Actor, at: datetime) -> None:
    detail = {"name_en": category.name_en, "name_id": category.name_id}
    audit.record(action, tenant_id=None, by=by, object=f"category {category.public_id}", at=at, detail=detail)


def categorise(
    ticket: Ticket, category: Category | None, *, by: Actor, at: datetime, rev: int | None = None
) -> None:
    """Say what a ticket is about, or take that back. Raises Invalid, Forbidden and Conflict."""
    hold(ticket)
    wanted = category.id if category else None
    if ticket.category_id == wanted:
        return
    check_rev(ticket, rev)
    if who_is(by) == "requester":
        raise Forbidden
    if ticket.merged_into_id is not None:
        raise Conflict(_l("This ticket was merged. Change the one that it was merged into."))
    if category is not None and not category.is_active:
        raise Invalid("category", _l("This category is retired. Choose another one."))
    tree = read_tree()
    before = tree.path(ticket.category_id)
    ticket.category_id = wanted
    after = tree.path(wanted)
    note(ticket, "categorised", by=by, at=at, from_category=before, to_category=after)
