"""What goes with a class: files, and articles that the client may read."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from msp.knowledge.models import ArticleEdition
from msp.knowledge.queries import Reader, find_editions
from msp.training.models import TrainingClass, TrainingMaterial
from msp.training.services import hold_row, may_run, noted
from tenants.files.models import StoredFile
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound

MOST_MATERIALS = 50


def reader_of(row: TrainingClass) -> Reader:
    """The class's people as readers of articles."""
    return Reader(frozenset({row.tenant_id}))


def add_files(row: TrainingClass, files: Sequence[StoredFile], *, by: Actor, at: datetime) -> None:
    """Hang files on a class, for everybody in it to read. Raises Invalid, Conflict, Forbidden."""
    _hold(row, by)
    if not files:
        raise Invalid("files", _l("Choose a file first."))
    if _count(row) + len(files) > MOST_MATERIALS:
        raise Invalid("files", _l("A class has at most 50 materials."))
    place = {"tenant_id": row.tenant_id, "class_id": row.id, "added_by": by.name[:120], "added_at": at}
    db.session.add_all(TrainingMaterial(**place, file_id=one.id) for one in files)
    for one in files:
        one.is_internal = False
    db.session.flush()
    noted(row, "materials_added", by=by, at=at, files=[one.name for one in files])


def add_article(row: TrainingClass, slug: str, *, by: Actor, at: datetime) -> None:
    """Name an article that the client's people may read; twice is once. Raises Invalid, Conflict, Forbidden."""
    _hold(row, by)
    try:
        edition: ArticleEdition = next(iter(find_editions(slug, reader_of(row)).values()))
    except NotFound:
        raise Invalid("article", _l("Choose an article that this client may read.")) from None
    if _count(row) >= MOST_MATERIALS:
        raise Invalid("article", _l("A class has at most 50 materials."))
    made = insert(TrainingMaterial).values(
        tenant_id=row.tenant_id,
        public_id=func.gen_random_uuid(),
        class_id=row.id,
        article_id=edition.article_id,
        added_by=by.name[:120],
        added_at=at,
    )
    if db.session.scalar(made.on_conflict_do_nothing().returning(TrainingMaterial.id)) is not None:
        noted(row, "materials_added", by=by, at=at, article=slug)


def remove_material(row: TrainingClass, material: TrainingMaterial, *, by: Actor, at: datetime) -> None:
    """Take a material off a class. Raises Conflict, Forbidden."""
    _hold(row, by)
    db.session.delete(material)
    db.session.flush()
    noted(row, "material_removed", by=by, at=at, material=str(material.public_id))


def _hold(row: TrainingClass, by: Actor) -> None:
    if not may_run(row, by):
        raise Forbidden
    hold_row(row)
    if row.state == "cancelled":
        raise Conflict(_l("This class is over: it was held or cancelled."))


def _count(row: TrainingClass) -> int:
    mine = (TrainingMaterial.tenant_id == row.tenant_id, TrainingMaterial.class_id == row.id)
    return db.session.scalar(select(func.count(TrainingMaterial.id)).where(*mine)) or 0
