"""Mailboxes and clients' mail domains: adding, changing, trying, pausing; each act audited, no secret ever shown."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from msp.intake.mail.fetching import NotFetched, connection, sealed
from msp.intake.mail.models import SECURITIES, IncomingMail, Mailbox, MailDomain
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, InvalidMany, NotFound
from tenants.people.keys import is_genuine, link_token, new_nonce
from tenants.tenancy.models import Tenant

_ADDRESS = re.compile(r"[^@\s<>\"]{1,64}@[A-Za-z0-9.-]{1,189}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,250}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")
KEY = "mailgate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What a form says of a mailbox. An empty `password` keeps the stored one, an empty `host` fetches nothing."""

    name: str
    address: str
    host: str = ""
    port: int = 993
    security: str = "tls"
    user_name: str = ""
    password: str = ""
    default_tenant: Tenant | None = None
    language: str = "id"


def list_mailboxes() -> list[Mailbox]:
    """Every mailbox by name."""
    return list(db.session.scalars(select(Mailbox).order_by(Mailbox.name, Mailbox.id)))


def find_mailbox(public_id: str) -> Mailbox:
    """One mailbox. Raises NotFound."""
    try:
        asked = select(Mailbox).where(Mailbox.public_id == uuid.UUID(public_id))
    except ValueError:
        raise NotFound from None
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def find_by_address(address: str) -> Mailbox:
    """The mailbox of an address. Raises NotFound."""
    found = db.session.scalar(select(Mailbox).where(Mailbox.address == address.strip().lower()))
    if found is None:
        raise NotFound
    return found


def count_states(mailbox: Mailbox, *, since: datetime) -> dict[str, int]:
    """How many mails of a mailbox came to which state since then."""
    asked = (
        select(IncomingMail.state, func.count())
        .where(IncomingMail.mailbox_id == mailbox.id, IncomingMail.received_at > since)
        .group_by(IncomingMail.state)
    )
    return {row[0]: row[1] for row in db.session.execute(asked)}


def add_mailbox(box: Box, *, by: Actor, at: datetime) -> Mailbox:
    """Begin to take in mail at an address. Raises InvalidMany."""
    _check(box, stored=False)
    row = Mailbox(key_nonce=new_nonce(), fetch_at=at, created_at=at, created_by=by.name[:120])
    _write(row, box)
    _flush(row)
    if box.password:
        row.password = sealed(row.id, box.password)
    _tell("add", row, by, at)
    return row


def edit_mailbox(row: Mailbox, box: Box, *, by: Actor, at: datetime) -> None:
    """Change a mailbox; another server or another user asks for the password again. Raises InvalidMany."""
    moved = (row.host, row.user_name) != (box.host.strip().lower(), box.user_name.strip())
    _check(box, stored=row.password is not None and not moved)
    if moved:
        row.password, row.uid_validity, row.last_uid = None, None, 0
    _write(row, box)
    if box.password:
        row.password = sealed(row.id, box.password)
    row.fetch_at = at
    _flush(row)
    _tell("edit", row, by, at)


def _check(box: Box, *, stored: bool) -> None:
    wrong: list[tuple[str, object]] = []
    if not box.name.strip() or len(box.name) > 80 or not box.name.isprintable():
        wrong.append(("name", _l("Give it a name of at most 80 characters.")))
    if not _ADDRESS.fullmatch(box.address.strip()):
        wrong.append(("address", _l("Write one mail address.")))
    if box.language not in ("id", "en"):
        wrong.append(("language", _l("Choose a language.")))
    if box.host.strip():
        wrong += _wrong_server(box, stored)
    if wrong:
        raise InvalidMany(wrong)


def _wrong_server(box: Box, stored: bool) -> list[tuple[str, object]]:
    wrong: list[tuple[str, object]] = []
    if not _HOST.fullmatch(box.host.strip()):
        wrong.append(("host", _l("Write the server's name without https:// or a path.")))
    if not 1 <= box.port <= 65535:
        wrong.append(("port", _l("Write a port from 1 to 65535; usually it is 993.")))
    if box.security not in SECURITIES:
        wrong.append(("security", _l("Choose how the connection is protected.")))
    if not box.user_name.strip() or not box.user_name.isprintable():
        wrong.append(("user_name", _l("Write the user name for the mail server.")))
    if (not box.password and not stored) or not box.password.isprintable():
        wrong.append(("password", _l("Type the password for the mail server.")))
    return wrong


def _write(row: Mailbox, box: Box) -> None:
    row.name, row.address = " ".join(box.name.split()), box.address.strip().lower()
    row.host, row.port, row.security = box.host.strip().lower(), box.port, box.security
    row.user_name, row.language = box.user_name.strip(), box.language
    row.default_tenant_id = box.default_tenant.id if box.default_tenant else None


def _flush(row: Mailbox) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError as twice:
        raise Invalid("address", _l("There is a mailbox with this address already.")) from twice


def pause_mailbox(row: Mailbox, *, by: Actor, at: datetime) -> None:
    """Fetch nothing and take nothing in for now; what lies on the server stays there."""
    if row.paused_at is None:
        row.paused_at = at
        _tell("pause", row, by, at)


def resume_mailbox(row: Mailbox, *, by: Actor, at: datetime) -> None:
    """Go on where it was paused."""
    if row.paused_at is not None:
        row.paused_at, row.fetch_at = None, at
        _tell("resume", row, by, at)


def try_mailbox(row: Mailbox, *, at: datetime) -> str | None:
    """Sign in at the server and look into the inbox; None when that works, else what went wrong. Fetches nothing."""
    try:
        with connection(row) as box:
            box.folder.status("INBOX", ["MESSAGES"])
    except NotFetched as wrong:
        row.failed_at, row.last_error = at, str(wrong)
        return str(wrong)
    row.last_error = None
    return None


def key_of(row: Mailbox) -> str:
    """What a gateway shows to bring mail: derived, so that it can be told again and is stored nowhere."""
    return link_token(KEY, row.public_id, row.key_nonce)


def is_key_of(row: Mailbox, key: str) -> bool:
    """Whether this is the mailbox's key."""
    return is_genuine(key, KEY, row.public_id, row.key_nonce)


def renew_key(row: Mailbox, *, by: Actor, at: datetime) -> str:
    """Another key for the gateway; the old one ends at once."""
    row.key_nonce = new_nonce()
    db.session.flush()
    _tell("renew_key", row, by, at)
    return key_of(row)


def _tell(what: str, row: Mailbox, by: Actor, at: datetime) -> None:
    detail = {"address": row.address, "host": row.host, "port": row.port, "security": row.security}
    db.session.flush()
    audit.record(
        f"mailbox.{what}", tenant_id=None, by=by, object=f"mailbox {row.public_id}", at=at, detail=detail
    )


def list_domains() -> Sequence[MailDomain]:
    """The mail domains of clients in scope, by name."""
    return list(db.session.scalars(select(MailDomain).order_by(MailDomain.domain, MailDomain.id)))


def add_domain(tenant: Tenant, domain: str, *, by: Actor, at: datetime) -> None:
    """Let mail of unknown people at a domain be a client's. Raises Invalid."""
    plain = domain.strip().lower().removeprefix("@")
    if not _DOMAIN.fullmatch(plain) or len(plain) > 253:
        raise Invalid("domain", _l("Write a domain such as example.co.id."))
    row = MailDomain(tenant_id=tenant.id, domain=plain, added_at=at, added_by=by.name[:120])
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError as twice:
        raise Invalid("domain", _l("This domain is the client's already.")) from twice
    detail = {"domain": plain}
    audit.record(
        "mail_domain.add", tenant_id=tenant.id, by=by, object=f"domain {plain}", at=at, detail=detail
    )


def remove_domain(public_id: str, *, by: Actor, at: datetime) -> None:
    """Mail of unknown people at this domain is nobody's any more. Raises NotFound."""
    try:
        asked = select(MailDomain).where(MailDomain.public_id == uuid.UUID(public_id))
    except ValueError:
        raise NotFound from None
    row = db.session.scalar(asked)
    if row is None:
        raise NotFound
    db.session.delete(row)
    object_ = f"domain {row.domain}"
    audit.record("mail_domain.remove", tenant_id=row.tenant_id, by=by, object=object_, at=at, detail={})
