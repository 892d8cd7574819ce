"""The gateway of texts, in Twilio's form: what it signs, and giving a text away.

The host comes from the settings and from nowhere else; redirects are not followed. What matters is to know whether a
text was given away: once the request is on its way and no answer came, nobody knows, and it is not sent again.
"""

import base64
import hashlib
import hmac
import http.client
import json
import ssl
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from flask import current_app, url_for

from tenants.people.keys import key_for

TIMEOUT = 20
LONGEST_ANSWER = 64 * 1024


class NotSent(Exception):
    """The text was not taken; trying again later may help."""


class Refused(Exception):
    """The text was not taken and will never be."""


class MaybeSent(Exception):
    """The connection broke after the text was given away."""


def is_on() -> bool:
    """Whether the settings name a gateway."""
    settings = current_app.extensions["settings"]
    return bool(settings.messages_url and settings.messages_account and settings.messages_token)


def public_key() -> str:
    """The last part of the address to which the gateway brings texts; no secret by itself, but hard to guess."""
    return hmac.new(key_for("texts webhook"), b"address", hashlib.sha256).hexdigest()[:32]


def webhook_address() -> str:
    """What to enter at the gateway for incoming texts."""
    settings = current_app.extensions["settings"]
    return settings.public_url + url_for("texts.receive_text", key=public_key())  # type: ignore[no-any-return]


def signature_of(token: str, url: str, fields: Mapping[str, Sequence[str]]) -> str:
    """HMAC-SHA1 over the address and the fields in the order of their names, in base64, as the gateway makes it."""
    said = url + "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))
    digest = hmac.new(token.encode(), said.encode(errors="surrogatepass"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def is_signed(url: str, fields: Mapping[str, Sequence[str]], signature: str) -> bool:
    """Whether the gateway sent this; compared in constant time. Without a gateway nothing is."""
    if not is_on():
        return False
    token = current_app.extensions["settings"].messages_token
    return hmac.compare_digest(signature_of(token, url, fields).encode(), signature.encode())


def deliver(*, to: str, channel: str, body: str, callback: str) -> str:
    """Give a text away; returns the gateway's number for it. Raises NotSent, Refused and MaybeSent."""
    settings = current_app.extensions["settings"]
    prefix = "whatsapp:" if channel == "whatsapp" else ""
    fields = {
        "To": prefix + to,
        "From": prefix + settings.messages_from,
        "Body": body,
        "StatusCallback": callback,
    }
    base = urlsplit(settings.messages_url)
    path = f"{base.path.rstrip('/')}/2010-04-01/Accounts/{quote(settings.messages_account, safe='')}/Messages.json"
    secret = f"{settings.messages_account}:{settings.messages_token}".encode()
    headers = {
        "Authorization": "Basic " + base64.b64encode(secret).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Connection": "close",
    }
    connection = _connect(base.scheme, base.hostname or "", base.port)
    try:
        connection.connect()
    except OSError as wrong:
        connection.close()
        raise NotSent(f"{type(wrong).__name__}: {wrong}") from wrong
    try:
        connection.request("POST", path, urlencode(fields).encode(), headers)
        answer = connection.getresponse()
        return _judge(answer.status, answer.read(LONGEST_ANSWER))
    except (OSError, http.client.HTTPException) as wrong:
        raise MaybeSent(f"{type(wrong).__name__}: {wrong}") from wrong
    finally:
        connection.close()


def _connect(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT)


def _judge(status: int, body: bytes) -> str:
    """Busy means later and a refusal never; a gateway that failed may have passed the text on before it did."""
    answer = _read(body)
    said = f"{status} {answer.get('message', '')}"[:300].strip()
    if status in (429, 503):
        raise NotSent(said)
    if status >= 500:
        raise MaybeSent(said)
    if status not in (200, 201, 202):
        raise Refused(said)
    sid = answer.get("sid")
    if not isinstance(sid, str) or not 1 <= len(sid) <= 64:
        raise MaybeSent(f"{status} without a number")
    return sid


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
