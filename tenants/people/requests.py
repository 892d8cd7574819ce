"""What a person asks for by mail: a new password, another address, or to be let in without the second factor.

All in the gate's scope. Nothing here tells whether an address has an account.
"""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from tenants.audit import services as audit
from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, NotFound
from tenants.people import accounts, links, second_factor, sessions
from tenants.people.events import AccountChanged, LinkIssued
from tenants.people.models import OneTimeLink, User
from tenants.people.principals import by_user_id
from tenants.tenancy.models import Tenant


def own_tenant_id() -> int | None:
    """The provider's own tenant, to which account mails belong; None before the first one was made."""
    return db.session.scalar(select(Tenant.id).where(Tenant.kind == "own"))


def _mail_link(link: OneTimeLink, *, by: Actor, at: datetime) -> None:
    home = own_tenant_id()
    if home is not None:
        events.record(LinkIssued(tenant_id=home, at=at, by=by, link_id=link.id))


def tell(user: User, what: str, *, by: Actor, at: datetime, email: str | None = None) -> None:
    """Let the owner of an account know by mail what changed."""
    home = own_tenant_id()
    if home is not None:
        events.record(
            AccountChanged(
                tenant_id=home, at=at, by=by, user_id=user.id, email=email or user.email, what=what
            )
        )


def begin_password_reset(email: str, *, at: datetime) -> None:
    """Issue the link if the address has an active account; run as a job, so that asking takes the same time for all."""
    user = accounts.find_by_email(email)
    if user is None or user.state != "active":
        return
    by = Actor.system("password reset")
    audit.record(
        "account.password_reset_asked", tenant_id=None, by=by, object=accounts.user_object(user), at=at
    )
    _mail_link(links.issue(links.PASSWORD_RESET, user.id, at=at), by=by, at=at)


def reset_password(link: OneTimeLink, password: str, *, at: datetime) -> User:
    """Set the password by a mailed link and end all sessions. Raises Conflict when the link is spent, Invalid."""
    user = accounts.find_user(link.user_id)
    by = _person(user)
    links.use(link, at=at)
    accounts.set_password(user, password, by=by, at=at)
    tell(user, "password", by=by, at=at)
    return user


def _person(user: User) -> Actor:
    """The person as an actor; somebody whose access ended since then acts without any right."""
    found = by_user_id(user.id)
    return found.actor if found else Actor.system("link holder", via="web")


def begin_email_change(user: User, new_email: str, *, by: Actor, at: datetime) -> None:
    """Mail a link to the new address and a notice to the old; the same whether or not the new one is taken."""
    email = accounts.normal_email(new_email)
    if email == user.email:
        raise Conflict(_l("This is your address already."), field="email")
    link = links.issue(links.EMAIL_CHANGE, user.id, at=at, new_email=email)
    audit.record(
        "account.email_change_asked",
        tenant_id=None,
        by=by,
        object=accounts.user_object(user),
        at=at,
        detail={"to": email},
    )
    _mail_link(link, by=by, at=at)
    tell(user, "email_asked", by=by, at=at)


def open_email_change(token: str, user: User, *, at: datetime) -> tuple[OneTimeLink, str]:
    """The person's own link and the address it proves. Raises NotFound for another person's, Conflict when spent."""
    link = links.open_link(token, links.EMAIL_CHANGE, at=at)
    if link.user_id != user.id or link.new_email is None:
        raise NotFound
    return link, link.new_email


def confirm_email_change(
    user: User, token: str, *, by: Actor, at: datetime, keep_session: int | None = None
) -> None:
    """Move the account to the proven address. Raises NotFound, Conflict when the link is spent or the address taken."""
    link, new_email = open_email_change(token, user, at=at)
    before = user.email
    links.use(link, at=at)
    accounts.change_email(user, new_email, by=by, at=at)
    links.void(links.PASSWORD_RESET, user.id, at=at)
    sessions.end_sessions_of(user.id, at=at, except_id=keep_session)
    tell(user, "email_changed", by=by, at=at, email=before)


def ask_to_be_let_in(user: User, *, by: Actor, at: datetime) -> None:
    """Ask a second person to lift the lost second factor. Raises Conflict where there is none to lift."""
    if not user.has_second_factor:
        raise Conflict(_l("No second factor is set up."))
    links.issue(links.SECOND_FACTOR_RESET, user.id, at=at)
    audit.record(
        "account.second_factor_lost", tenant_id=None, by=by, object=accounts.user_object(user), at=at
    )
    tell(user, "second_factor_lost", by=by, at=at)


def list_waiting(user_ids: list[int], *, at: datetime) -> set[int]:
    """Which of these people wait to be let in."""
    waiting = select(OneTimeLink.user_id).where(
        OneTimeLink.purpose == links.SECOND_FACTOR_RESET,
        OneTimeLink.user_id.in_(user_ids),
        OneTimeLink.used_at.is_(None),
        OneTimeLink.approved_by.is_(None),
        OneTimeLink.expires_at > at,
    )
    return set(db.session.scalars(waiting)) if user_ids else set()


def let_in(user_id: int, *, by: Actor, at: datetime) -> None:
    """A second person vouches; the link goes to the person's own mailbox. The caller checked the right over the person.

    Raises Forbidden for one's own request, Conflict when nothing waits.
    """
    if by.id == user_id:
        raise Forbidden(_l("Somebody else has to do this."))
    approved = db.session.execute(
        update(OneTimeLink)
        .where(
            OneTimeLink.purpose == links.SECOND_FACTOR_RESET,
            OneTimeLink.user_id == user_id,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.approved_by.is_(None),
            OneTimeLink.expires_at > at,
        )
        .values(approved_by=by.id, expires_at=at + links.LIFETIMES[links.SECOND_FACTOR_RESET])
        .returning(OneTimeLink.id)
    ).scalar_one_or_none()
    if approved is None:
        raise Conflict(_l("Nobody waits here any more."))
    user = accounts.find_user(user_id)
    audit.record("account.let_in", tenant_id=None, by=by, object=accounts.user_object(user), at=at)
    _mail_link(db.session.get_one(OneTimeLink, approved), by=by, at=at)


def lift_second_factor(link: OneTimeLink, *, at: datetime) -> None:
    """Remove the lost factor by the link that a second person approved, and end all sessions. Raises Conflict."""
    user = accounts.find_user(link.user_id)
    by = _person(user)
    links.use(link, at=at)
    reason = f"lost; let in by user:{link.approved_by}"
    second_factor.remove(user, by=by, at=at, reason=reason)
    sessions.end_sessions_of(user.id, at=at)
    tell(user, "second_factor_removed", by=by, at=at)
