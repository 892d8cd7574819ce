"""Mails about accounts. Their links are secrets: derived when a mail is sent, stored nowhere."""

from typing import Any

from msp.mail import late, queue_mail
from msp.mail.addresses import address_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people import invitations, links, queries
from tenants.people.models import Invitation, OneTimeLink, User

# What each purpose's mail is called and where its link leads.
LINKS = {
    links.PASSWORD_RESET: ("account_password_reset", "account.reset_password"),
    links.EMAIL_CHANGE: ("account_email_change", "account.confirm_email"),
    links.SECOND_FACTOR_RESET: ("account_let_in", "account.lift_second_factor"),
}
NOTICES = (
    "password",
    "email_asked",
    "email_changed",
    "second_factor_lost",
    "second_factor_removed",
)


def _open_invitation(tenant_id: int, invitation_id: int) -> Invitation | None:
    found = db.session.get(Invitation, (tenant_id, invitation_id))
    return found if found is not None and queries.is_open(found, time.now()) else None


def _open_link(link_id: int) -> OneTimeLink | None:
    link = links.find_link(link_id)
    is_open = link is not None and link.used_at is None and link.expires_at > time.now()
    return link if is_open else None


def address_of_invitation(tenant_id: int, invitation_id: int) -> str | None:
    """The link of an invitation, or None when it can't be accepted any more."""
    with enter(gate()):
        found = _open_invitation(tenant_id, invitation_id)
        if found is None:
            return None
        return address_of("account.accept_invitation", token=invitations.token_of(found))


def address_of_link(_tenant_id: int, link_id: int) -> str | None:
    """The address of a one-time link, or None when it is spent."""
    with enter(gate()):
        link = _open_link(link_id)
        return None if link is None else address_of(LINKS[link.purpose][1], token=links.token_of(link))


def install() -> None:
    """Tell the outbox who knows the addresses."""
    late.resolve("invitation", address_of_invitation)
    late.resolve("link", address_of_link)


def send_invitation(tenant_id: int, invitation_id: int) -> None:
    """Queue an invitation, in the scope of its tenant."""
    with enter(gate()):
        found = _open_invitation(tenant_id, invitation_id)
        if found is None:
            return
        company = invitations.company_of(found)
    context = {
        "name": found.name,
        "invited_by": found.invited_by,
        "company": company.name,
        "action_url": late.mark("invitation", invitation_id),
    }
    _queue(tenant_id, found.email, "account_invitation", company.language, context)


def send_link(tenant_id: int, link_id: int) -> None:
    """Queue a one-time link to the mailbox that it proves."""
    with enter(gate()):
        link = _open_link(link_id)
        if link is None:
            return
        user = db.session.get_one(User, link.user_id)
    context = {"name": user.name, "action_url": late.mark("link", link_id)}
    _queue(tenant_id, link.new_email or user.email, LINKS[link.purpose][0], user.language, context)


def send_notice(tenant_id: int, *, user: int, email: str, what: str) -> None:
    """Tell the owner of an account what changed."""
    if what not in NOTICES:
        raise ValueError(f"no such notice: {what}")
    with enter(gate()):
        person = db.session.get_one(User, user)
    _queue(tenant_id, email, f"account_{what}", person.language, {"name": person.name})


def _queue(tenant_id: int, to: str, template: str, language: str | None, context: dict[str, Any]) -> None:
    queue_mail(tenant_id, to=to, template=template, language=language, context=context)
