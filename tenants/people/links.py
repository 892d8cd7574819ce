"""One-time links: issued to a mailbox for one purpose, opened by who holds the token, used once. Gate's scope."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, NotFound
from tenants.people.keys import is_genuine, link_token, new_nonce, row_of_token
from tenants.people.models import OneTimeLink

PASSWORD_RESET = "password_reset"  # noqa: S105 - the purpose of a link
EMAIL_CHANGE = "email_change"
SECOND_FACTOR_RESET = "second_factor_reset"
LIFETIMES = {
    PASSWORD_RESET: timedelta(hours=1),
    EMAIL_CHANGE: timedelta(hours=24),
    SECOND_FACTOR_RESET: timedelta(hours=24),
}


def issue(purpose: str, user_id: int, *, at: datetime, new_email: str | None = None) -> OneTimeLink:
    """A fresh link in place of the person's earlier ones for the same purpose."""
    void(purpose, user_id, at=at)
    link = OneTimeLink(
        purpose=purpose,
        user_id=user_id,
        nonce=new_nonce(),
        new_email=new_email,
        created_at=at,
        expires_at=at + LIFETIMES[purpose],
    )
    db.session.add(link)
    db.session.flush()
    return link


def void(purpose: str, user_id: int, *, at: datetime) -> None:
    """Make a person's open links for a purpose useless."""
    db.session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.purpose == purpose, OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None))
        .values(used_at=at)
    )


def token_of(link: OneTimeLink) -> str:
    """What stands in the mail."""
    return link_token(link.purpose, link.public_id, link.nonce)


def find_link(link_id: int) -> OneTimeLink | None:
    """A link by its row id, for the job that mails it."""
    return db.session.get(OneTimeLink, link_id)


def open_link(token: str, purpose: str, *, at: datetime) -> OneTimeLink:
    """The link behind a token. Raises NotFound for a false one, Conflict for one that is spent or too old."""
    link = db.session.scalar(select(OneTimeLink).where(OneTimeLink.public_id == row_of_token(token)))
    if link is None or link.purpose != purpose or not is_genuine(token, purpose, link.public_id, link.nonce):
        raise NotFound
    if link.used_at is not None or link.expires_at <= at:
        raise spent()
    if purpose == SECOND_FACTOR_RESET and link.approved_by is None:
        raise NotFound
    return link


def spent() -> Conflict:
    """The one refusal for links that were good once."""
    return Conflict(_l("This link was used already or is too old. Ask for a new one."))


def use(link: OneTimeLink, *, at: datetime) -> None:
    """Spend the link; of two who try at once, one succeeds. Raises Conflict for the other."""
    used = db.session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > at)
        .values(used_at=at)
        .returning(OneTimeLink.id)
    )
    if used.one_or_none() is None:
        raise spent()
