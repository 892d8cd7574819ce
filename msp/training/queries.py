"""Finding classes, seats and materials. Staff see their clients' classes; a client's people those they are in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, desc, exists, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from msp.knowledge.models import ArticleEdition
from msp.knowledge.queries import readable_edition
from msp.training.materials import reader_of
from msp.training.models import TrainingClass, TrainingMaterial, TrainingSeat
from msp.training.proposals import asked_in
from msp.training.rules import SPAN
from msp.training.services import object_of
from tenants.audit.models import AuditEntry
from tenants.files.models import StoredFile
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.people.models import Membership
from tenants.tenancy.queries import as_uuid
from tenants.tickets.models import Ticket

SHOWN = 50


def find_class(public_id: str) -> TrainingClass:
    """A class of a client in scope, for staff. Raises NotFound."""
    found = db.session.scalar(select(TrainingClass).where(TrainingClass.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def find_own_class(tenant_id: int, public_id: str, *, by: Actor) -> TrainingClass:
    """A class that one of the client's people may see. Raises NotFound."""
    asked = _own(tenant_id, by).where(TrainingClass.public_id == as_uuid(public_id))
    found: TrainingClass | None = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def _own(tenant_id: int, by: Actor) -> "Select[Any]":
    """Classes that somebody of a client may see: all for those who manage its people, else one's own."""
    asked = select(TrainingClass).where(TrainingClass.tenant_id == tenant_id)
    if by.may(Permission.MANAGE_COMPANY_PEOPLE):
        return asked
    seated = exists().where(
        TrainingSeat.tenant_id == TrainingClass.tenant_id,
        TrainingSeat.class_id == TrainingClass.id,
        TrainingSeat.user_id == by.id,
    )
    return asked.where(seated)


@dataclass(frozen=True, slots=True)
class Listed:
    """A class with its seats counted; `answer` is the reader's own, empty where there is none."""

    row: TrainingClass
    invited: int
    yes: int
    no: int
    came: int
    answer: str = ""


def list_classes(*states: str, limit: int = SHOWN) -> Sequence[Listed]:
    """Classes of the clients in scope: planned ones by what comes first, others by what was last."""
    order = TrainingClass.begins_at if states == ("planned",) else desc(TrainingClass.begins_at)
    asked = select(TrainingClass).where(TrainingClass.state.in_(states)).order_by(order, TrainingClass.id)
    return _counted(asked.limit(limit), None)


def list_own_classes(
    tenant_id: int, *, coming: bool, by: Actor, at: datetime, limit: int = SHOWN
) -> Sequence[Listed]:
    """What somebody of a client may see: what is planned ahead, or what was (held, cancelled, or begun)."""
    ahead = and_(TrainingClass.state == "planned", TrainingClass.begins_at > at)
    order = TrainingClass.begins_at if coming else desc(TrainingClass.begins_at)
    asked = _own(tenant_id, by).where(ahead if coming else ~ahead)
    return _counted(asked.order_by(order, TrainingClass.id).limit(limit), by.id)


def _counted(asked: "Select[Any]", reader_id: int | None) -> Sequence[Listed]:
    rows = db.session.scalars(asked).all()
    tallies = tally_of(rows, reader_id)
    return [Listed(row, *tallies.get(row.id, (0, 0, 0, 0, ""))) for row in rows]


def tally_of(
    rows: Collection[TrainingClass], reader_id: int | None = None
) -> dict[int, tuple[int, int, int, int, str]]:
    """By row id: how many are invited, say yes, say no and came, and the reader's own answer; one statement."""
    if not rows:
        return {}
    invited = TrainingSeat.invited_at.is_not(None)
    own = TrainingSeat.user_id == reader_id
    asked = (
        select(
            TrainingSeat.class_id,
            func.count().filter(invited),
            func.count().filter(invited, TrainingSeat.answer == "yes"),
            func.count().filter(invited, TrainingSeat.answer == "no"),
            func.count().filter(TrainingSeat.came.is_(True)),
            func.coalesce(func.max(TrainingSeat.answer).filter(own, invited), ""),
        )
        .where(
            TrainingSeat.tenant_id.in_({row.tenant_id for row in rows}),
            TrainingSeat.class_id.in_([row.id for row in rows]),
        )
        .group_by(TrainingSeat.class_id)
    )
    return {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in db.session.execute(asked)}


def list_seats(row: TrainingClass) -> Sequence[TrainingSeat]:
    """Everybody in a class, by name."""
    asked = select(TrainingSeat).where(
        TrainingSeat.tenant_id == row.tenant_id, TrainingSeat.class_id == row.id
    )
    return db.session.scalars(asked.order_by(TrainingSeat.name, TrainingSeat.id)).all()


def own_seat(row: TrainingClass, user_id: int | None) -> TrainingSeat | None:
    """Somebody's own seat in a class."""
    found: TrainingSeat | None = db.session.scalar(
        select(TrainingSeat).where(
            TrainingSeat.tenant_id == row.tenant_id,
            TrainingSeat.class_id == row.id,
            TrainingSeat.user_id == user_id,
        )
    )
    return found


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the client: how often they asked in the category lately, at which sites, and the seat if any."""

    member: Membership
    asked: int
    site_ids: frozenset[int]
    seat: TrainingSeat | None


def list_candidates(row: TrainingClass, *, at: datetime) -> Sequence[Candidate]:
    """The client's active people, those who asked most first; one statement."""
    mine, lately = Ticket.category_id == row.category_id, Ticket.opened_at > at - SPAN
    tickets = (
        select(
            Ticket.requester_user_id.label("user_id"),
            func.count().filter(mine, lately, asked_in()).label("asked"),
            func.array_agg(aggregate_order_by(Ticket.site_id.distinct(), Ticket.site_id)).label("sites"),
        )
        .where(Ticket.tenant_id == row.tenant_id, Ticket.opened_at > at - 2 * SPAN, Ticket.opened_at <= at)
        .group_by(Ticket.requester_user_id)
        .subquery()
    )
    seated = and_(
        TrainingSeat.tenant_id == Membership.tenant_id,
        TrainingSeat.class_id == row.id,
        TrainingSeat.user_id == Membership.user_id,
    )
    often = func.coalesce(tickets.c.asked, 0)
    asked = (
        select(Membership, often, tickets.c.sites, TrainingSeat)
        .outerjoin(tickets, tickets.c.user_id == Membership.user_id)
        .outerjoin(TrainingSeat, seated)
        .where(Membership.tenant_id == row.tenant_id, Membership.state == "active")
        .order_by(often.desc(), Membership.name, Membership.id)
    )
    return [
        Candidate(one, count, frozenset(filter(None, sites or ())), seat)
        for one, count, sites, seat in db.session.execute(asked)
    ]


@dataclass(frozen=True, slots=True)
class Material:
    """What goes with a class as a page shows it: a file, or an article by its title; neither where it is gone."""

    row: TrainingMaterial
    file: StoredFile | None
    article: ArticleEdition | None


def list_materials(row: TrainingClass, language: str) -> Sequence[Material]:
    """The materials in the order in which they were added; articles as the client's people read them."""
    mine = (TrainingMaterial.tenant_id == row.tenant_id, TrainingMaterial.class_id == row.id)
    stored = and_(
        StoredFile.tenant_id == TrainingMaterial.tenant_id, StoredFile.id == TrainingMaterial.file_id
    )
    asked = select(TrainingMaterial, StoredFile).outerjoin(StoredFile, stored).where(*mine)
    found = db.session.execute(asked.order_by(TrainingMaterial.id)).all()
    articles = _articles_of(row, {one.article_id for one, _file in found if one.article_id}, language)
    return [Material(one, file, articles.get(one.article_id)) for one, file in found]


def _articles_of(row: TrainingClass, ids: Collection[int], language: str) -> dict[Any, ArticleEdition]:
    if not ids:
        return {}
    asked = select(ArticleEdition).where(ArticleEdition.article_id.in_(ids), readable_edition(reader_of(row)))
    # The reader's language last, so that it is the one that stays.
    ordered = asked.order_by(ArticleEdition.article_id, ArticleEdition.language == language)
    return {one.article_id: one for one in db.session.scalars(ordered)}


def find_material(row: TrainingClass, public_id: str) -> TrainingMaterial:
    """A material of a class. Raises NotFound."""
    asked = select(TrainingMaterial).where(
        TrainingMaterial.tenant_id == row.tenant_id,
        TrainingMaterial.class_id == row.id,
        TrainingMaterial.public_id == as_uuid(public_id),
    )
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def find_file(row: TrainingClass, public_id: str) -> StoredFile:
    """A file that hangs on a class. Raises NotFound."""
    hangs = exists().where(
        TrainingMaterial.tenant_id == StoredFile.tenant_id,
        TrainingMaterial.file_id == StoredFile.id,
        TrainingMaterial.class_id == row.id,
    )
    asked = select(StoredFile).where(
        StoredFile.tenant_id == row.tenant_id, StoredFile.public_id == as_uuid(public_id), hangs
    )
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_history(row: TrainingClass, *, limit: int = SHOWN) -> Sequence[AuditEntry]:
    """What happened with a class, the latest first: its lines in the audit."""
    asked = select(AuditEntry).where(
        AuditEntry.tenant_id == row.tenant_id, AuditEntry.object == object_of(row)
    )
    return db.session.scalars(asked.order_by(AuditEntry.seq.desc()).limit(limit)).all()
