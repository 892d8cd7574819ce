"""Giving a mail away: to an SMTP server, or as a file into a folder.

What matters is to know whether it was given away. Until the server has the text, a failure is certain and may be
repeated; when the connection breaks after the text was sent and before the server answered, nobody knows.
"""

import smtplib
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

TIMEOUT = 20


class NotSent(Exception):
    """The mail was not taken; trying again later may help."""


class Refused(Exception):
    """The mail was not taken and will never be."""


class MaybeSent(Exception):
    """The connection broke after the text was given away."""


def deliver(url: str, message: EmailMessage) -> None:
    """Give the message away. Raises NotSent, Refused and MaybeSent."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        _write(Path(unquote(parts.path)), message)
    else:
        _send(parts, message)


def _write(folder: Path, message: EmailMessage) -> None:
    """One file per mail, named by its message id: writing it twice is writing it once."""
    name = str(message["Message-ID"]).strip("<>").partition("@")[0]
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as part:
            part.write(message.as_bytes(policy=SMTP))
        Path(part.name).replace(folder / f"{name}.eml")
    except OSError as wrong:
        raise NotSent(f"{type(wrong).__name__}: {wrong}") from wrong


def _send(parts: SplitResult, message: EmailMessage) -> None:
    with _session(parts) as server:
        _envelope(server, message)
        try:
            code, answer = server.data(message.as_bytes(policy=SMTP))
        except smtplib.SMTPDataError as refused:
            _judge(refused.smtp_code, refused.smtp_error)
        except (OSError, smtplib.SMTPException) as wrong:
            raise MaybeSent(f"{type(wrong).__name__}: {wrong}") from wrong
        else:
            _judge(code, answer)


@contextmanager
def _session(parts: SplitResult) -> Iterator[smtplib.SMTP]:
    try:
        server = _connect(parts)
    except (OSError, smtplib.SMTPException) as wrong:
        raise NotSent(f"{type(wrong).__name__}: {wrong}") from wrong
    try:
        yield server
    finally:
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()


def _connect(parts: SplitResult) -> smtplib.SMTP:
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(
            host, parts.port or (587 if "starttls" in parts.scheme else 25), timeout=TIMEOUT
        )
    if parts.scheme == "smtp+starttls":
        server.starttls(context=context)
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


def _envelope(server: smtplib.SMTP, message: EmailMessage) -> None:
    sender, receiver = (str(message[name].addresses[0].addr_spec) for name in ("From", "To"))
    try:
        server.ehlo_or_helo_if_needed()
        _judge(*server.mail(sender))
        _judge(*server.rcpt(receiver))
    except (OSError, smtplib.SMTPException) as wrong:
        raise NotSent(f"{type(wrong).__name__}: {wrong}") from wrong


def _judge(code: int, answer: bytes | str) -> None:
    words = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    if 400 <= code < 500:
        raise NotSent(f"{code} {words}")
    if code >= 500:
        raise Refused(f"{code} {words}")
