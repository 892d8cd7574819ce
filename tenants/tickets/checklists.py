"""What has to be done before a ticket is resolved, item by item, and lists of such items to be put on at once."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.tenancy.queries import as_uuid
from tenants.tickets import rules
from tenants.tickets.category_models import ChecklistTemplate
from tenants.tickets.history import hold, note, who_is
from tenants.tickets.models import Ticket
from tenants.tickets.relation_models import ChecklistItem

LONGEST_ITEM = 300
MOST_ITEMS = 100


def list_items(ticket: Ticket) -> Sequence[ChecklistItem]:
    """A ticket's checklist in order."""
    found = select(ChecklistItem).where(
        ChecklistItem.tenant_id == ticket.tenant_id, ChecklistItem.ticket_id == ticket.id
    )
    return db.session.scalars(found.order_by(ChecklistItem.id)).all()


def list_unfinished(ticket: Ticket) -> list[str]:
    """What is still to be done, in words."""
    return [one.what for one in list_items(ticket) if one.done_at is None]


def find_item(ticket: Ticket, public_id: str) -> ChecklistItem:
    """One item of a ticket's checklist. Raises NotFound."""
    wanted = as_uuid(public_id)
    found = next((one for one in list_items(ticket) if one.public_id == wanted), None)
    if found is None:
        raise NotFound
    return found


def add_items(ticket: Ticket, lines: Sequence[str], *, by: Actor, at: datetime) -> None:
    """Put items on a ticket's checklist. Raises Invalid on `what`, Forbidden, Conflict."""
    if who_is(by) == "requester":
        raise Forbidden
    cleaned = _lines(lines, "what")
    hold(ticket)
    if not rules.is_open(ticket.state):
        raise Conflict(_l("This ticket is done. Only open tickets have a checklist to change."))
    if len(list_items(ticket)) + len(cleaned) > MOST_ITEMS:
        raise Conflict(_l("A checklist has at most 100 items."))
    place = {
        "tenant_id": ticket.tenant_id,
        "ticket_id": ticket.id,
        "added_by_name": by.name[:120],
        "added_at": at,
    }
    db.session.add_all(ChecklistItem(**place, what=one) for one in cleaned)
    db.session.flush()
    note(ticket, "checklist_changed", by=by, at=at, change="added", count=len(cleaned), what=cleaned[0])


def tick_item(ticket: Ticket, item: ChecklistItem, *, by: Actor, at: datetime) -> None:
    """Say that an item is done; once is enough. Raises Forbidden."""
    _mark(ticket, item, by, at, done=True)


def reopen_item(ticket: Ticket, item: ChecklistItem, *, by: Actor, at: datetime) -> None:
    """Say that an item is not done after all. Raises Forbidden."""
    _mark(ticket, item, by, at, done=False)


def _mark(ticket: Ticket, item: ChecklistItem, by: Actor, at: datetime, *, done: bool) -> None:
    if who_is(by) == "requester":
        raise Forbidden
    hold(ticket)
    db.session.refresh(item)
    if (item.done_at is not None) is done:
        return
    item.done_at, item.done_by_name = (at, by.name[:120]) if done else (None, None)
    note(ticket, "checklist_changed", by=by, at=at, change="done" if done else "reopened", what=item.what)


def _lines(lines: Sequence[str], field: str) -> list[str]:
    cleaned = [" ".join(one.split()) for one in lines if one.strip()]
    if not cleaned:
        raise Invalid(field, _l("Write one item to a line."))
    if len(cleaned) > MOST_ITEMS or any(len(one) > LONGEST_ITEM or not one.isprintable() for one in cleaned):
        raise Invalid(field, _l("Write at most 100 lines of at most 300 characters."))
    return cleaned


def list_templates() -> Sequence[ChecklistTemplate]:
    """All templates by name."""
    return db.session.scalars(
        select(ChecklistTemplate).order_by(ChecklistTemplate.name, ChecklistTemplate.id)
    ).all()


def find_template(public_id: str) -> ChecklistTemplate:
    """A template by its public id. Raises NotFound."""
    asked = select(ChecklistTemplate).where(ChecklistTemplate.public_id == as_uuid(public_id))
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def save_template(
    template: ChecklistTemplate | None, *, name: str, lines: Sequence[str], by: Actor, at: datetime
) -> ChecklistTemplate:
    """Keep a template, a new one or with other lines; tickets keep what they got. Raises Invalid."""
    title = " ".join(name.split())
    if not 1 <= len(title) <= 80 or not title.isprintable():
        raise Invalid("name", _l("Write a name of at most 80 characters."))
    cleaned = _lines(lines, "lines")
    saved = template or ChecklistTemplate()
    saved.name, saved.lines = title, list(cleaned)
    saved.changed_by, saved.changed_at = by.name[:120], at
    db.session.add(saved)
    db.session.flush()
    _audit("checklist.save", saved, by, at)
    return saved


def remove_template(template: ChecklistTemplate, *, by: Actor, at: datetime) -> None:
    """Offer a template no more."""
    _audit("checklist.remove", template, by, at)
    db.session.delete(template)
    db.session.flush()


def _audit(action: str, template: ChecklistTemplate, by: Actor, at: datetime) -> None:
    where = f"checklist {template.public_id}"
    audit.record(action, tenant_id=None, by=by, object=where, at=at, detail={"name": template.name})
