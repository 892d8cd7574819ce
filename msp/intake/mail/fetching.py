"""Fetching mail by IMAP: each mail is kept and committed before its server hears that it was read.

Whoever dies in between has kept the mail or not; the next one goes on where the last commit ended, and the same bytes
again are the same mail. So nothing is lost and nothing comes in twice, however many fetch at once.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted, MailMessageFlags
from imap_tools.errors import ImapToolsError
from sqlalchemy import select, update

from msp.background.jobs import job
from msp.background.progress import ticker
from msp.intake.mail import keeping
from msp.intake.mail.models import Mailbox
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import Claimed, request_work
from tenants.people.keys import seal, unseal

log = structlog.get_logger()
TIMEOUT = 20
EVERY = timedelta(minutes=1)
AFTER_FAILURE = timedelta(minutes=5)
AT_ONCE = 100
HEAD = 64 * 1024
PURPOSE = "mailbox password"
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class NotFetched(Exception):
    """The server did not answer as it should; the text is for the provider's people and holds no password."""


class Gone(Exception):
    """A mail was moved or deleted after it was listed."""


class Withheld(Exception):
    """The server has a mail and does not give it: it is damaged there, or the server is out of order."""

    def __init__(self, uid: int, said: str) -> None:
        super().__init__(f"the server did not give mail {uid}: {said}"[:300])
        self.uid = uid


def sealed(mailbox_id: int, password: str) -> bytes:
    """The password as it is stored: it opens for this mailbox only."""
    return seal(PURPOSE, password.encode(), owner=mailbox_id)


def sweep_due_mailboxes() -> int:
    """Periodic: ask for each mailbox that is due; how many were. Asking twice fetches nothing twice."""
    due = select(Mailbox.id).where(
        Mailbox.paused_at.is_(None), Mailbox.host != "", Mailbox.fetch_at <= time.now()
    )
    with enter(sweeper()):
        found = list(db.session.scalars(due.order_by(Mailbox.fetch_at).limit(50)))
    for mailbox_id in found:
        ask_for(mailbox_id)
    return len(found)


def ask_for(mailbox_id: int) -> None:
    """Ask for one mailbox to be fetched now."""
    own_id = keeping.own_tenant_id()
    with enter(of_tenant(own_id)):
        arguments, key = {"mailbox": mailbox_id}, f"mailbox:{mailbox_id}"
        request_work("fetch_mailbox", tenant_id=own_id, arguments=arguments, queue="mail", key=key)
        db.session.execute(
            update(Mailbox).where(Mailbox.id == mailbox_id).values(fetch_at=time.now() + EVERY)
        )
        db.session.commit()


@job("fetch_mailbox", queue="mail")
def fetch_mailbox(work: Claimed) -> None:
    """Bring in what is new in one mailbox, unless it was paused meanwhile."""
    asked = select(Mailbox).where(Mailbox.id == work.arguments["mailbox"])
    mailbox = db.session.scalars(asked).one_or_none()
    if mailbox is None or mailbox.paused_at is not None or not mailbox.host:
        return
    db.session.expunge(mailbox)
    tick = ticker(work, lambda _done: None)
    values: dict[str, object]
    try:
        more = False
        with connection(mailbox) as box:
            for done, _uid in enumerate(bring_in(mailbox, box, own_id=work.tenant_id)):
                tick(done)
                more = done + 1 >= AT_ONCE
        now = time.now()
        values = {"fetched_at": now, "last_error": None, "fetch_at": now + (timedelta(0) if more else EVERY)}
    except NotFetched as wrong:
        log.warning("mailbox not fetched", mailbox=mailbox.id, why=str(wrong))
        now = time.now()
        values = {"failed_at": now, "last_error": str(wrong)[:500], "fetch_at": now + AFTER_FAILURE}
    db.session.execute(update(Mailbox).where(Mailbox.id == mailbox.id).values(**values))


@contextmanager
def connection(mailbox: Mailbox) -> Iterator[BaseMailBox]:
    """A signed-in connection to the mailbox's inbox. Raises NotFetched, also for what goes wrong inside."""
    password = unseal(PURPOSE, mailbox.password or b"", owner=mailbox.id)
    if password is None:
        raise NotFetched("the password cannot be opened: type it again")
    try:
        server = _server(mailbox)
        try:
            yield server.login(mailbox.user_name, password.decode(), "INBOX")
        finally:
            _leave(server)
    except (OSError, ImapToolsError, ValueError, imaplib.IMAP4.error) as wrong:
        said = f"{type(wrong).__name__}: {wrong}".replace(password.decode() or "\x00", "***")
        raise NotFetched(said[:500]) from wrong


def _leave(server: BaseMailBox) -> None:
    """Say good-bye, and close the connection also when nobody answers or nobody was signed in."""
    try:
        server.client.logout()
    except (OSError, imaplib.IMAP4.error):
        server.client.shutdown()


def _server(mailbox: Mailbox) -> BaseMailBox:
    if mailbox.security == "tls":
        context = ssl.create_default_context()
        return MailBox(mailbox.host, mailbox.port, timeout=TIMEOUT, ssl_context=context)
    if mailbox.security == "starttls":
        context = ssl.create_default_context()
        return MailBoxStartTls(mailbox.host, mailbox.port, timeout=TIMEOUT, ssl_context=context)
    return MailBoxUnencrypted(mailbox.host, mailbox.port, timeout=TIMEOUT)


def bring_in(mailbox: Mailbox, box: BaseMailBox, *, own_id: int, most: int = AT_ONCE) -> Iterator[int]:
    """Keep new mails one by one, each committed and then marked as seen; yields the number of each.

    A mail that the server withholds stops no other. Raises NotFetched when it gave none at all.
    """
    validity = int(box.folder.status("INBOX", ["UIDVALIDITY"])["UIDVALIDITY"])
    begun = mailbox.last_uid if mailbox.uid_validity == validity else 0
    withheld: list[Withheld] = []
    answers = False
    for uid in _new_uids(box, begun)[:most]:
        try:
            content, size = _content(box, uid)
        except Withheld as one:
            withheld.append(one)
            continue
        except Gone:
            continue
        answers = True
        yield from _note_withheld(mailbox, withheld, validity, own_id)
        _keep(mailbox, uid, validity, content, size, own_id)
        if size <= keeping.most_bytes():
            box.flag(str(uid), MailMessageFlags.SEEN, True)
        yield uid
    if withheld and not answers:
        raise NotFetched(str(withheld[0]))
    yield from _note_withheld(mailbox, withheld, validity, own_id)


def _new_uids(box: BaseMailBox, begun: int) -> list[int]:
    """Numbers above the last one; a server names its newest mail even when there is none above."""
    found = (int(one) for one in box.uids(f"UID {begun + 1}:*"))
    return sorted(one for one in found if one > begun)


def _content(box: BaseMailBox, uid: int) -> tuple[bytes, int]:
    """A mail's bytes, or only its head when it is larger than what is taken in; and its size."""
    found = _SIZE.search(b" ".join(map(_line, _fetch(box, uid, "RFC822.SIZE"))))
    if found is None:
        raise Gone
    size = int(found[1])
    part = f"BODY.PEEK[]<0.{HEAD}>" if size > keeping.most_bytes() else "BODY.PEEK[]"
    for one in _fetch(box, uid, part):
        if isinstance(one, tuple):
            return bytes(one[1]), size
    # It was there a moment ago: either it is gone since, or the server has no bytes of it.
    if _SIZE.search(b" ".join(map(_line, _fetch(box, uid, "RFC822.SIZE")))) is None:
        raise Gone
    raise Withheld(uid, "no bytes")


def _line(one: bytes | tuple[bytes, ...] | None) -> bytes:
    return one if isinstance(one, bytes) else one[0] if one else b""


def _fetch(box: BaseMailBox, uid: int, what: str) -> list[bytes | tuple[bytes, ...] | None]:
    """What the server answers about one mail. Raises Withheld when it refuses."""
    try:
        state, found = box.client.uid("FETCH", str(uid), f"({what})")
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as wrong:
        state, found = "BAD", [str(wrong).encode()]
    if state == "OK":
        return list(found)
    # Half an answer may have come before the refusal: it must not be taken for the next mail.
    box.client.response("FETCH")
    raise Withheld(uid, _line(found[0]).decode("utf-8", "replace"))


def _note_withheld(mailbox: Mailbox, found: list[Withheld], validity: int, own_id: int) -> Iterator[int]:
    """Put mails that the server does not give into quarantine, now that it gave another one; empties the list."""
    while found:
        one = found.pop(0)
        with enter(of_tenant(own_id)):
            keeping.note_withheld(
                mailbox, str(one), own_id=own_id, at=time.now(), uid=one.uid, validity=validity
            )
            _reach(mailbox, one.uid, validity)
        yield one.uid


def _keep(mailbox: Mailbox, uid: int, validity: int, content: bytes, size: int, own_id: int) -> None:
    now = time.now()
    with enter(of_tenant(own_id)):
        if size > keeping.most_bytes():
            keeping.refuse_mail(mailbox, content, size, own_id=own_id, at=now, uid=uid)
        else:
            keeping.keep_mail(mailbox, content, own_id=own_id, channel="imap", at=now, uid=uid)
        _reach(mailbox, uid, validity)


def _reach(mailbox: Mailbox, uid: int, validity: int) -> None:
    reached = update(Mailbox).where(Mailbox.id == mailbox.id)
    db.session.execute(reached.values(uid_validity=validity, last_uid=uid))
    db.session.commit()
