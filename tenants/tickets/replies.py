"""Words that are said often. They know names and nothing else: no conditions, no attributes, no calls."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from string import Template
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.tenancy.queries import as_uuid
from tenants.tickets.category_models import LANGUAGES, CannedReply
from tenants.tickets.messages import LONGEST_BODY

NAMES = ("requester", "code", "subject", "client", "staff", "provider")
_LISTED = "|".join(NAMES)


class _Words(Template):
    """`$name` and `${name}` of the list stand for something; everything else stays as it was written."""

    flags = re.NOFLAG
    # Nothing is escaped and nothing is wrong: those two groups, which the class asks for, never match.
    pattern: ClassVar[Any] = (
        rf"\$(?:(?P<named>{_LISTED})(?!\w|\.\w|[\[(])|\{{(?P<braced>{_LISTED})\}}"
        r"|(?P<escaped>(?!))|(?P<invalid>(?!)))"
    )


def fill(body: str, values: Mapping[str, str]) -> str:
    """The words with the names of the list filled in, once: what a value says is never read again."""
    return _Words(body).safe_substitute({name: values.get(name, "") for name in NAMES})


def list_replies(language: str = "") -> Sequence[CannedReply]:
    """All replies by name, those in a language before the others."""
    found = db.session.scalars(select(CannedReply).order_by(CannedReply.name, CannedReply.id)).all()
    return sorted(found, key=lambda one: one.language != language) if language else found


def find_reply(public_id: str) -> CannedReply:
    """A reply by its public id. Raises NotFound."""
    found = db.session.scalar(select(CannedReply).where(CannedReply.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def save_reply(
    reply: CannedReply | None, *, name: str, language: str, body: str, by: Actor, at: datetime
) -> CannedReply:
    """Keep a reply, a new one or with other words. Raises Invalid."""
    title = " ".join(name.split())
    if not 1 <= len(title) <= 80 or not title.isprintable():
        raise Invalid("name", _l("Write a name of at most 80 characters."))
    if language not in LANGUAGES:
        raise Invalid("language", _l("Choose a language."))
    words = body.replace("\r\n", "\n").strip()
    if not words or len(words) > LONGEST_BODY or "\x00" in words:
        raise Invalid("body", _l("Write at most 20,000 characters, without control characters."))
    saved = reply or CannedReply()
    saved.name, saved.language, saved.body = title, language, words
    saved.changed_by, saved.changed_at = by.name[:120], at
    db.session.add(saved)
    db.session.flush()
    _audit("reply.save", saved, by, at)
    return saved


def remove_reply(reply: CannedReply, *, by: Actor, at: datetime) -> None:
    """Offer a reply no more; messages that were written with it stay."""
    _audit("reply.remove", reply, by, at)
    db.session.delete(reply)
    db.session.flush()


def _audit(action: str, reply: CannedReply, by: Actor, at: datetime) -> None:
    detail = {"name": reply.name, "language": reply.language}
    audit.record(action, tenant_id=None, by=by, object=f"reply {reply.public_id}", at=at, detail=detail)
