"""HTTP as the agent needs it: nothing followed by itself, bounded answers, every fault one of three exceptions."""

import email.utils
import functools
import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from . import VERSION
from .settings import is_loopback
from .stop import Stop

ANSWER_LIMIT = 4 * 1024 * 1024
ANSWER_SECONDS = 60.0
SILENCE_SECONDS = 15.0
RETRY_DEFAULT = 60.0
RETRY_CAP = 3600.0
BLOCK = 64 * 1024


class Trouble(Exception):
    """No usable answer: the network, the server's own fault, or nonsense. Worth another try later."""


class Busy(Trouble):
    """The server asked to come back after some seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"busy, asked to come back in {retry_after:.0f} s")
        self.retry_after = retry_after


class Refused(Exception):
    """The server understood and said no (4xx)."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"{what} answered {status}")
        self.status = status


@dataclass(frozen=True)
class Reply:
    """An answer read to its end."""

    status: int
    body: bytes

    def document(self) -> dict[str, Any]:
        """The body as a JSON object; raises Trouble."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Trouble("the answer is not JSON") from None
        if not isinstance(content, dict):
            raise Trouble("the answer is not a JSON object")
        return content


class Wire:
    """Requests to one portal. The credential is sent to the portal's own origin only."""

    def __init__(self, url: str, stop: Stop, *, ca_file: str | None = None) -> None:
        self._portal = urlsplit(url)
        self._stop = stop
        self._opener = _opener(self._portal, ca_file)
        self.authorization: str | None = None

    def is_own(self, url: str) -> bool:
        """Whether the address leads to the portal itself."""
        try:
            return _origin(urlsplit(url)) == _origin(self._portal)
        except ValueError:
            return False

    def ask(self, method: str, url: str, content: object = None) -> Reply:
        """Send JSON to the portal and read the answer; raises Trouble, Busy or Refused unless it is 2xx."""
        if not self.is_own(url):
            raise Trouble(f"{url} leads to another origin")
        headers = {"Accept": "application/json"}
        data = None if content is None else json.dumps(content, separators=(",", ":")).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        with self.open(method, url, headers, data) as response:
            reply = Reply(response.status, self._read(response))
            raise_for(response, f"{method} {urlsplit(url).path}")
            return reply

    @contextmanager
    def open(
        self, method: str, url: str, headers: dict[str, str], data: bytes | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """The open answer, whatever its status; raises Trouble. A stop interrupts the waiting."""
        request = self._request(method, url, headers, data)
        response: http.client.HTTPResponse | None = None
        try:
            with self._stop.interruptible():
                response = self._opener.open(request, timeout=SILENCE_SECONDS)
            if response is None:
                raise Trouble(f"{url}: no handler for this address")
            yield response
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Trouble(f"{method} {urlsplit(url).path}: {_words(error)}") from None
        finally:
            if response is not None:
                response.close()

    def block(self, response: http.client.HTTPResponse) -> bytes:
        """The next bytes of an open answer, empty at its end; a stop interrupts the waiting."""
        with self._stop.interruptible():
            return response.read1(BLOCK)

    def _request(
        self, method: str, url: str, headers: dict[str, str], data: bytes | None
    ) -> urllib.request.Request:
        parts = _checked(url)
        if self._portal.scheme == "https" and parts.scheme != "https":
            raise Trouble("an https portal may not lead to plain http")
        sent = {"User-Agent": f"msp-agent/{VERSION}"} | headers
        if self.authorization and self.is_own(url):
            sent["Authorization"] = self.authorization
        return urllib.request.Request(url, data=data, headers=sent, method=method)  # noqa: S310 (scheme checked)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        content = bytearray()
        until = time.monotonic() + ANSWER_SECONDS
        while block := self.block(response):
            content += block
            if len(content) > ANSWER_LIMIT or time.monotonic() > until:
                raise Trouble("the answer is too long or too slow")
        return bytes(content)


def raise_for(response: http.client.HTTPResponse, what: str) -> None:
    """Raise what the status means, unless it is 2xx."""
    status = response.status
    if 200 <= status < 300:
        return
    wait = retry_after(response.headers.get("Retry-After"), time.time())
    if status == 429 or (status == 503 and wait is not None):
        raise Busy(RETRY_DEFAULT if wait is None else wait)
    if 400 <= status < 500 and status != 408:
        raise Refused(status, what)
    raise Trouble(f"{what} answered {status}")


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks for, as number or date, at most an hour; None if it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), RETRY_CAP)
    try:
        then = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, then - now), RETRY_CAP)


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        usable = False
    if not usable or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise Trouble("the server gave an unusable address")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _words(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(reason) or type(reason).__name__


@functools.cache
def _trust(ca_file: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _opener(portal: SplitResult, ca_file: str | None) -> urllib.request.OpenerDirector:
    # Without the stock error and redirect handlers every status comes back as it is, and nothing is followed.
    opener = urllib.request.OpenerDirector()
    proxies: dict[str, str] | None = {} if is_loopback(portal.hostname) else None
    opener.add_handler(urllib.request.ProxyHandler(proxies))
    opener.add_handler(urllib.request.HTTPHandler())
    opener.add_handler(urllib.request.HTTPSHandler(context=_trust(ca_file)))
    return opener
